"""Which operators tflite-runtime 2.11 knows, measured: `python -m tests.old_runtimes.operators DIR` writes them.

A runtime looks an operator's name and version up when it loads a model; whether the operator then computes the right
result is seen only by running it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.old_runtimes.runtimes import OLDEST, TrialRuntime, old_runtime, try_models

FILE = Path(__file__).with_name(f"operators-{OLDEST}.json")
NUMBERS = {name: number for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
NAMES = {number: name for name, number in NUMBERS.items()}
HIGHEST_VERSION = 12


def known_operators() -> dict[str, int]:
    """Return the newest version that 2.11 knows of each operator it has."""
    return json.loads(FILE.read_text(encoding="utf-8"))


def operators(content: bytes) -> set[tuple[str, int]]:
    """Return names and versions of a model's operators."""
    codes = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0)).operatorCodes
    return {(NAMES[max(code.builtinCode, code.deprecatedBuiltinCode)], code.version) for code in codes}


def unknown_operators(content: bytes) -> set[tuple[str, int]]:
    """Return the operators of a model that 2.11 does not know."""
    known = known_operators()
    return {(name, version) for name, version in operators(content) if version > known.get(name, 0)}


def measure_operators(runtime: TrialRuntime) -> dict[str, int]:
    """Return the newest version that a runtime loads of each operator it has."""
    asked = [(name, version) for name in sorted(NUMBERS) for version in range(1, HIGHEST_VERSION + 1)]
    found = try_models(runtime, {f"{name} {version}": model_of(name, version) for name, version in asked}, {})
    loaded = [(name, version) for name, version in asked if f"{name} {version}.error" not in found]
    return {name: max(version for other, version in loaded if other == name) for name, _ in loaded}


def model_of(name: str, version: int) -> bytes:
    """Return a model that names an operator and does nothing."""
    code = schema.OperatorCodeT()
    code.builtinCode, code.version = NUMBERS[name], version
    code.deprecatedBuiltinCode = min(NUMBERS[name], schema.BuiltinOperator.PLACEHOLDER_FOR_GREATER_OP_CODES)
    tensor = schema.TensorT()
    tensor.shape, tensor.type = np.array([1], np.int32), schema.TensorType.FLOAT32
    graph = schema.SubGraphT()
    graph.tensors, graph.operators = [tensor], []
    graph.inputs = graph.outputs = np.array([0], np.int32)
    model = schema.ModelT()
    model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [code], [graph], [schema.BufferT()]
    builder = flatbuffers.Builder(256)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


if __name__ == "__main__":
    FILE.write_text(json.dumps(measure_operators(old_runtime(Path(sys.argv[1]), OLDEST)), indent=1) + "\n", "utf-8")
