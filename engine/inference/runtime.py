"""Running `.tflite` models: by LiteRT, or by the older tflite-runtime where only that is installed.

ai-edge-litert is the maintained continuation of tflite-runtime and keeps its `Interpreter` class, so the two are
interchangeable here. An interpreter belongs to one thread.
"""

from __future__ import annotations

import re
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import ModelError
from engine.core.installation import add, newer_runtime

RUNTIMES = ("ai_edge_litert.interpreter", "tflite_runtime.interpreter")
# Bytes 4 to 8 of every TFLite flatbuffer.
FILE_MARK = b"TFL3"
_QUANTISED = (np.int8, np.uint8, np.int16)  # types of weights and of what flows between operators


class Runtime:
    """One loaded model: the bytes of a `.tflite` file, its name in errors, and the CPU threads of one call.

    Attributes:
        inputs: how many inputs it has.
        input_shape, input_type: of the first input.
        declared_shape: of the same, with None for a size that the file does not fix.
        output_shapes, output_types, output_names: of all outputs, in order.

    Raises:
        ModelError: the bytes are no model, or the runtime cannot run it.
    """

    def __init__(self, content: bytes, label: str, threads: int = 1) -> None:
        if content[4:8] != FILE_MARK:
            raise ModelError(
                f"{label} is not a TFLite model, nor an ONNX model",
                "the mark TFL3 is missing near its start: the file is empty, cut off or of another kind",
                "copy the model file again",
            )
        interpreter = _interpreter_class()
        try:
            self._interpreter = interpreter(model_content=content, num_threads=threads)
            self._interpreter.allocate_tensors()
            # Even the names of tensors may be damaged, and there may be none.
            inputs = self._interpreter.get_input_details()
            self._input = inputs[0]
            self._outputs = self._interpreter.get_output_details()
        except (ValueError, RuntimeError, LookupError) as error:
            if operators := _missing_operators(content, str(error)):
                raise ModelError(
                    f"{label} needs operators that this program does not have: {operators}",
                    "it was converted with operators of its own or of TensorFlow",
                    "convert it again with TFLite's built-in operators alone",
                ) from error
            raise ModelError(
                f"{label} cannot be loaded ({str(error).partition(chr(10))[0]})",
                "the file is damaged, or needs a newer runtime than the one installed",
                f"copy the model file again, or {newer_runtime()}",
            ) from error
        self.label = label
        self.inputs = len(inputs)
        self.input_shape = tuple(map(int, self._input["shape"]))
        declared = map(int, self._input.get("shape_signature", self.input_shape))
        self.declared_shape = tuple(None if size < 0 else size for size in declared)
        self.input_type = np.dtype(self._input["dtype"])
        self.output_shapes = [tuple(map(int, detail["shape"])) for detail in self._outputs]
        self.output_types = [np.dtype(detail["dtype"]) for detail in self._outputs]
        self.output_names = [str(detail.get("name", "")) for detail in self._outputs]

    def input_buffer(self) -> NDArray[Any]:
        """Return the memory of the input to write into; invalid once `run` was called."""
        buffer: NDArray[Any] = self._interpreter.tensor(self._input["index"])()
        return buffer

    def run(self) -> list[NDArray[Any]]:
        """Run the model on what was written into the input and return copies of its outputs.

        Raises:
            ModelError: the runtime failed.
        """
        try:
            self._interpreter.invoke()
            return [self._interpreter.get_tensor(detail["index"]) for detail in self._outputs]
        except (ValueError, RuntimeError) as error:
            raise ModelError(
                f"{self.label} failed while it ran ({str(error).partition(chr(10))[0]})",
                "the file is damaged, or needs a newer runtime than the one installed",
                "choose another model, or copy the model file again",
            ) from error


def _missing_operators(content: bytes, message: str) -> str:
    """Return the names of the operators without which a model cannot be loaded; "" if it fails for another reason."""
    custom = re.search(r"unresolved custom op: (\w+)", message)
    if custom is not None:
        return custom[1]
    flex = set(re.findall(rb"Flex[A-Z]\w+", content)) if "TensorFlow op(s)" in message else ()
    return ", ".join(sorted(name.decode() for name in flex))


def has_no_scale(content: bytes) -> bool:
    """Return whether a model computes in small integers of which some have the scale 0.

    Some runtimes end the process that prepares such a model to run; here it is only looked at.
    """
    if content[4:8] != FILE_MARK:
        return False
    try:
        tensors = _interpreter_class()(model_content=content).get_tensor_details()
    except (ValueError, RuntimeError, LookupError):  # loading it says what is wrong
        return False
    scales = (each["quantization_parameters"]["scales"] for each in tensors if each["dtype"] in _QUANTISED)
    return any((np.asarray(each) == 0).any() for each in scales)


def runtime_name() -> str:
    """Return the name of the package that runs the models.

    Raises:
        ModelError: none is installed.
    """
    return str(_interpreter_class().__module__).partition(".")[0]


def runtime_and_version() -> str:
    """Return the name and version of the package that runs the models.

    Raises:
        ModelError: none is installed.
    """
    name = runtime_name()
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:  # of a bundle
        return name


def is_fast_in_int8() -> bool:
    """Return whether the runtime has fast kernels for int8; tflite-runtime takes 70 times as long as in float32."""
    try:
        return runtime_name() == "ai_edge_litert"
    except ModelError:
        return False


def _interpreter_class() -> Any:
    for module in RUNTIMES:
        try:
            return import_module(module).Interpreter
        except ImportError:
            continue
    raise ModelError(
        "No TFLite runtime is installed",
        "neither ai-edge-litert nor tflite-runtime could be imported",
        add("ai-edge-litert"),
    )
