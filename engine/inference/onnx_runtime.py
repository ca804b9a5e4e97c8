"""Running `.onnx` models by ONNX Runtime, an extra of the program: on one thread, and sending nothing to anybody."""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import ModelError
from engine.core.installation import add_extra
from engine.core.processes import is_bundled

# The first byte of nearly every ONNX file: the field of its version, which all tools write first.
FIRST_BYTE = b"\x08"
# Where in its source the runtime failed: file, line, and function with the types of its arguments.
_PLACE = re.compile(r"\S+\.(?:cc|h):\d+ [^(]*?(?:\(.*?\))? (?=[A-Z])")
# What the runtime writes before the reason for which a node of the network failed.
_NODE = re.compile(r"Non-zero status code returned while running (\w+) node\. Name:'[^']*' Status Message: ")
FATAL = 4  # of the runtime's levels of messages: what went wrong comes as an exception
# The types of numbers that an input may have, in the words of ONNX, and what NumPy calls them.
_TYPES = {"float": "float32", "double": "float64"} | {
    name: name for name in ("float16", "int8", "uint8", "int16", "uint16", "int32", "int64")
}


class OnnxRuntime:
    """One loaded model: the bytes of an `.onnx` file, its name in errors, and the CPU threads of one call.

    A dimension without a number counts as 1, as does the size of the batch in most files.

    Attributes:
        input_shape, input_type: of the first input.
        declared_shape: of the same, with None for a size that the file does not fix.
        inputs: how many inputs it has.
        output_shapes, output_types: of all outputs, in order, as one run gave them.
        output_names: of all outputs, in order.

    Raises:
        ModelError: ONNX Runtime is not installed, the bytes are no model, or it cannot run it.
    """

    def __init__(self, content: bytes, label: str, threads: int = 1) -> None:
        runtime = _onnxruntime(label)
        options = runtime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = FATAL
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.label = label
        try:
            self._session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the classes of its errors are not public
            raise _refusal(label, str(error)) from error
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if not inputs or not outputs:
            raise _refusal(label, "it has no input or no output")
        self.inputs = len(inputs)
        self.declared_shape = tuple(size if isinstance(size, int) and size >= 0 else None for size in inputs[0].shape)
        self.input_shape = tuple(1 if size is None else size for size in self.declared_shape)
        if lists := [output for output in outputs if not output.type.startswith("tensor(")]:
            raise _refusal(label, f"its output {lists[0].name} is {lists[0].type}, not a table of numbers")
        kind = inputs[0].type.removeprefix("tensor(").removesuffix(")")
        if kind not in _TYPES:
            raise _refusal(label, f"its input is {kind}, not a picture of numbers")
        self.input_type = np.dtype(_TYPES[kind])
        self._name = inputs[0].name
        self._buffer = np.zeros(self.input_shape, self.input_type)
        self.output_names = [output.name for output in outputs]
        found = self.run() if self.inputs == 1 else []
        self.output_shapes = [output.shape for output in found]
        self.output_types = [output.dtype for output in found]

    def input_buffer(self) -> NDArray[Any]:
        """Return the memory of the input to write into."""
        return self._buffer

    def run(self) -> list[NDArray[Any]]:
        """Run the model on what was written into the input and return its outputs.

        Raises:
            ModelError: the runtime failed.
        """
        if self.inputs > 1:
            raise ModelError(
                f"{self.label} has {self.inputs} inputs",
                "a landmark model has one, the picture of a face",
                "choose another model, or export it again with the picture as its only input",
            )
        try:
            found: list[NDArray[Any]] = self._session.run(None, {self._name: self._buffer})
        except Exception as error:  # the classes of its errors are not public
            raise ModelError(
                f"{self.label} failed while it ran ({_first_line(str(error))})",
                "the file is damaged, or sizes in it are not fixed",
                "choose another model, or export it again with a fixed size of the input",
            ) from error
        return found


def onnx_runtime_name() -> str:
    """Return the name and version of ONNX Runtime.

    Raises:
        ModelError: it is not installed.
    """
    return f"onnxruntime {_onnxruntime('The model').__version__}"


def _onnxruntime(label: str) -> Any:
    # Newer versions send usage figures to their maker unless they find this before they are loaded.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        import onnxruntime
    except ImportError as error:
        bundled = is_bundled()
        raise ModelError(
            f"{label} is an ONNX model, and ONNX Runtime is not installed",
            "it is not part of the bundle" if bundled else "it is an extra of the program",
            f"{add_extra('onnx')}, or convert the model to .tflite",
        ) from error
    onnxruntime.disable_telemetry_events()
    onnxruntime.set_default_logger_severity(FATAL)
    return onnxruntime


def _refusal(label: str, message: str) -> ModelError:
    what = f"{label} cannot be loaded ({_first_line(message)})"
    if "external" in message.lower():
        return ModelError(
            what, "its weights are in files beside it", "save it again as one file, with the weights inside"
        )
    return ModelError(
        what,
        "the file is damaged, is no ONNX model, or needs a newer ONNX Runtime",
        "copy the model file again, or export it again with built-in operators and an older opset",
    )


def _first_line(message: str) -> str:
    """Return the first line of a message, without its prefix and places in the source, cut to a readable length.

    Where a node of the network failed, the kind of the node comes first.
    """
    line = _NODE.sub(r"\1: ", _PLACE.sub("", message.strip().partition("\n")[0].rpartition(" : ")[2]))
    return line if len(line) <= 200 else f"{line[:199]}…"
