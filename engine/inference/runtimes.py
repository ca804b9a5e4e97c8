"""Which runtime runs a model file: LiteRT for `.tflite`, ONNX Runtime for `.onnx`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.inference.onnx_runtime import FIRST_BYTE, OnnxRuntime, onnx_runtime_name
from engine.inference.runtime import FILE_MARK, Runtime, runtime_and_version

# Ends of the names of model files. A card `NAME.json` describes one file; where there are several, see `model_file`.
MODEL_SUFFIXES = (".tflite", ".onnx")


class ModelRuntime(Protocol):
    """One loaded model. Belongs to one thread; see `Runtime` for its members."""

    label: str
    inputs: int
    input_shape: tuple[int, ...]
    declared_shape: tuple[int | None, ...]
    input_type: np.dtype[Any]
    output_shapes: list[tuple[int, ...]]
    output_types: list[np.dtype[Any]]
    output_names: list[str]

    def input_buffer(self) -> NDArray[Any]:
        """Return the memory of the input to write into; invalid once `run` was called."""

    def run(self) -> list[NDArray[Any]]:
        """Run the model on what was written into the input and return its outputs."""


def load_runtime(content: bytes, label: str, threads: int = 1) -> ModelRuntime:
    """Load the bytes of a model file.

    Raises:
        ModelError: they are no model, or the runtime is missing or cannot run it.
    """
    kind = OnnxRuntime if _is_onnx(content) else Runtime
    return kind(content, label, threads)


def runtime_version(content: bytes) -> str:
    """Return the name and version of the runtime that runs the bytes of a model.

    Raises:
        ModelError: it is not installed.
    """
    return onnx_runtime_name() if _is_onnx(content) else runtime_and_version()


def is_model_file(path: str | Path) -> bool:
    """Return whether a path ends as model files do."""
    return Path(path).suffix.lower() in MODEL_SUFFIXES


def requested_name(model: str) -> str:
    """Return the name of a model that was requested by name, in which dots begin no ending, or by path."""
    return Path(model).stem if is_model_file(model) else model


def model_files(card: Path) -> list[Path]:
    """Return the model files that have the name of a card, as `NAME.tflite` and `NAME.onnx` of `NAME.json`."""
    return [file for suffix in MODEL_SUFFIXES if (file := card.with_suffix(suffix)).is_file()]


def shape_words(shape: Sequence[int | None]) -> str:
    """Return the sizes of a table of numbers in words, as `1 x 3 x any x any`; None is a size that is not fixed."""
    return " x ".join("any" if size is None else str(size) for size in shape) or "one number"


def _is_onnx(content: bytes) -> bool:
    return content[:1] == FIRST_BYTE and content[4:8] != FILE_MARK
