"""Small models as other people's programs write them, with the cards that describe them."""

import hashlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from engine.core.paths import asset_path
from engine.inference.card import Card, CropRule, read_card, write_card
from engine.inference.conventions import ForeignInput, ForeignOutput

SIDE = 8
REAL = asset_path("models", "student-68-lite.tflite")  # finds landmarks, unlike the networks below


def means_network(shape: list[int | str], *, outputs: int = 1, inputs: int = 1, kind: int = TensorProto.FLOAT) -> bytes:
    """An ONNX network whose outputs `mean0`, `mean1`, ... are the means over the two last axes of its input `x`."""
    given = [helper.make_tensor_value_info(f"x{i}" if i else "x", kind, shape) for i in range(inputs)]
    names = [f"mean{index}" for index in range(outputs)]
    nodes = [helper.make_node("ReduceMean", ["x", "axes"], [name], keepdims=0) for name in names]
    axes = helper.make_tensor("axes", TensorProto.INT64, [2], [2, 3])
    found = [helper.make_tensor_value_info(name, kind, [1, shape[1]]) for name in names]
    return _file(nodes, given, found, [axes])


def constant_network(points: np.ndarray, side: int = SIDE) -> bytes:
    """An ONNX network whose output is the same numbers whatever it sees, plus nothing of its input."""
    given = [helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["batch", 3, side, side])]
    numbers = np.asarray(points, np.float32).ravel()
    parts = [
        helper.make_tensor("axes", TensorProto.INT64, [3], [1, 2, 3]),
        helper.make_tensor("nothing", TensorProto.FLOAT, [1], [0.0]),
        helper.make_tensor("numbers", TensorProto.FLOAT, [1, len(numbers)], numbers),
    ]
    nodes = [
        helper.make_node("ReduceMean", ["picture", "axes"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "nothing"], ["zero"]),
        helper.make_node("Add", ["numbers", "zero"], ["landmarks"]),
    ]
    found = [helper.make_tensor_value_info("landmarks", TensorProto.FLOAT, ["batch", len(numbers)])]
    return _file(nodes, given, found, parts)


def foreign_card(**fields: object) -> Card:
    """A card of 68 points with what a test wants different."""
    usual: dict = {
        "name": "foreign", "scheme": 68, "input_size": SIDE, "crop": CropRule(1.2, level=False), "sha256": "",
        "bytes": 0, "input": ForeignInput(layout="NCHW"), "output": ForeignOutput(),
    }  # fmt: skip
    return Card(**{**usual, **fields})


def install(folder: Path, name: str, content: bytes, **fields: object) -> Path:
    """Write a model `name`, with its end, and its card into a folder; return the path of the model."""
    path = folder / name
    path.write_bytes(content)
    card = foreign_card(
        name=path.stem, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content), **fields
    )  # fmt: skip
    write_card(path.with_suffix(".json"), card)
    return path


def real_model(folder: Path, name: str = "real.tflite", **output: object) -> Path:
    """A copy of a shipped model with a card that describes it as one from elsewhere."""
    own = read_card(REAL.with_suffix(".json"))
    return install(
        folder, name, REAL.read_bytes(), input_size=own.input_size, crop=own.crop, input=ForeignInput(),
        output=ForeignOutput(**output),
    )  # fmt: skip


def _file(nodes: list, inputs: list, outputs: list, parts: list) -> bytes:
    graph = helper.make_graph(nodes, "small", inputs, outputs, parts)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content
