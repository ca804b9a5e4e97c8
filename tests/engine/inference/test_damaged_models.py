"""Damage that no checksum shows, because the card agrees with it: refused by name, or harmless."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from engine.core.errors import ModelError
from engine.core.geometry import Crop
from engine.core.paths import asset_path
from engine.inference.landmarker import load_landmarker
from engine.inference.library import DEFAULT_MODEL
from engine.inference.runtime import Runtime, has_no_scale
from tests.fakes import mutated_models
from tests.fakes.mutations import edited_model, with_operator, without_scales

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = asset_path("models", f"{DEFAULT_MODEL}.tflite")
SHIPPED_INT8 = asset_path("models", "student-68-lite-int8.tflite")

CROP = Crop(100, 100, 150)


def test_fault_12_no_damage_behind_the_right_mark_brings_the_program_down(tmp_path):
    command = [sys.executable, "-m", mutated_models.__name__, str(SHIPPED), str(tmp_path), "60"]
    child = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert child.returncode == 0, child.stderr[-2000:]
    outcomes = [json.loads(line)["error"] for line in child.stdout.splitlines()]
    refused = [error for error in outcomes if error]
    assert len(outcomes) == 60
    assert len(refused) >= 30, "everything cut off, and all noise"
    assert all(mutated_models.MODEL in error for error in refused), "the sentence names the file"


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.99999])
def test_fault_11_a_truncated_model_that_its_card_vouches_for_is_refused(tmp_path, share):
    content = SHIPPED.read_bytes()
    model = tmp_path / "cut.tflite"
    mutated_models.write_vouched(model, content[: int(share * len(content))], SHIPPED.with_suffix(".json"))
    with pytest.raises(ModelError, match=r"cut\.tflite cannot be loaded"):
        load_landmarker(model)


def write_edited(folder: Path, edit) -> Path:
    """Write a model whose tables were changed, with a card that agrees with it."""
    content = edited_model(SHIPPED.read_bytes(), edit)
    mutated_models.write_vouched(folder / "edited.tflite", content, SHIPPED.with_suffix(".json"))
    return folder / "edited.tflite"


def with_outputs(choose):
    """Return an edit that chooses the outputs of a network among those it has."""
    return lambda model: setattr(
        model.subgraphs[0], "outputs", np.array(choose(list(model.subgraphs[0].outputs)), np.int32)
    )


def with_integers(place):
    """Return an edit that puts a step between int8 and float32 before the input, or after the output at a place."""

    def edit(model) -> None:
        graph = model.subgraphs[0]
        float_, quantized = (graph.inputs[0] if place is None else graph.outputs[place]), schema.TensorT()
        quantized.shape, quantized.type, quantized.buffer, quantized.name = (
            graph.tensors[float_].shape, schema.TensorType.INT8, 0, b"int8",
        )  # fmt: skip
        quantized.quantization = schema.QuantizationParametersT()
        quantized.quantization.scale, quantized.quantization.zeroPoint = [1.0], [0]
        graph.tensors.append(quantized)
        number, operator, code = len(graph.tensors) - 1, schema.OperatorT(), schema.OperatorCodeT()
        ends = [number, float_] if place is None else [float_, number]
        operator.inputs, operator.outputs = (np.array([end], np.int32) for end in ends)
        kinds = schema.BuiltinOperator
        code.builtinCode = code.deprecatedBuiltinCode = kinds.DEQUANTIZE if place is None else kinds.QUANTIZE
        code.version = 2
        model.operatorCodes.append(code)
        operator.opcodeIndex = len(model.operatorCodes) - 1
        graph.operators.insert(0 if place is None else len(graph.operators), operator)
        ends = graph.inputs if place is None else graph.outputs
        changed = np.array([number if end == float_ else end for end in ends], np.int32)
        setattr(graph, "inputs" if place is None else "outputs", changed)

    return edit


@pytest.mark.parametrize(
    ("edit", "found"),
    [
        (with_outputs(lambda outputs: outputs[::-1]), "output 0, the points is 1 x 68, not 1 x 68 x 2"),
        (with_outputs(lambda outputs: outputs[:1]), "output 1, the confidence is missing, not 1 x 68"),
        (with_outputs(lambda outputs: []), "output 0, the points is missing"),
        (with_integers(None), "type of the input is int8, not float32"),
        (with_integers(0), "type of the outputs is float32, int8, not float32"),
        (with_integers(1), "type of the outputs is float32, int8, not float32"),
    ],
    ids=[
        "outputs exchanged",
        "one output",
        "no output",
        "int8 input",
        "int8 points",
        "int8 confidence",
    ],
)
def test_fault_58_a_network_of_other_shapes_counts_or_types_is_refused_with_both(tmp_path, edit, found):
    with pytest.raises(ModelError, match=f"breaks the model contract.*{found}"):
        load_landmarker(write_edited(tmp_path, edit))


def changed_tensors(**changes):
    """Return an edit of the first input's tensor."""

    def edit(model) -> None:
        tensor = model.subgraphs[0].tensors[model.subgraphs[0].inputs[0]]
        for name, value in changes.items():
            setattr(tensor, name, value)

    return edit


def test_fault_58_sizes_that_are_not_fixed_are_called_any(tmp_path):
    path = write_edited(tmp_path, changed_tensors(shapeSignature=np.array([-1, -1, -1, 3], np.int32)))
    card = path.with_suffix(".json")
    card.write_text(json.dumps({**json.loads(card.read_text("utf-8")), "input_size": 64}), "utf-8")
    with pytest.raises(ModelError, match="input is any x any x any x 3, not 1 x 64 x 64 x 3"):
        load_landmarker(path)


@pytest.mark.parametrize(
    "edit",
    [
        with_outputs(lambda outputs: outputs * 3),
        changed_tensors(shapeSignature=np.array([-1, -1, -1, 3], np.int32)),
        without_scales,
    ],
    ids=["more outputs", "variable sides", "scales of 0 where there are no integers"],
)
def test_fault_58_what_does_not_matter_does_no_harm(tmp_path, edit):
    found = load_landmarker(write_edited(tmp_path, edit)).predict(np.full((200, 200, 3), 127, np.uint8), CROP)
    expected = load_landmarker(SHIPPED).predict(np.full((200, 200, 3), 127, np.uint8), CROP)
    assert np.array_equal(found.points, expected.points)


@pytest.mark.parametrize(
    "edit",
    [
        changed_tensors(type=schema.TensorType.STRING),
        changed_tensors(shape=np.array([2, 128, 128, 3], np.int32)),
        changed_tensors(shape=np.array([1, 128, 128, 1], np.int32)),
        changed_tensors(shape=np.array([1, 60_000, 60_000, 3], np.int32)),
        changed_tensors(buffer=10_000),
        lambda model: setattr(model.subgraphs[0], "inputs", np.array([100_000], np.int32)),
        lambda model: setattr(model.subgraphs[0], "operators", []),
        lambda model: setattr(model, "subgraphs", []),
    ],
    ids=["text", "two pictures", "grey", "huge", "no buffer", "no tensor", "no operators", "no network"],
)
def test_fault_58_tables_that_contradict_each_other_are_a_sentence(tmp_path, edit):
    with pytest.raises(ModelError, match=r"edited\.tflite"):
        load_landmarker(write_edited(tmp_path, edit)).predict(np.zeros((200, 200, 3), np.uint8), CROP)


@pytest.mark.parametrize("name", ["FlexErf", "MyOwnOperator"])
def test_fault_59_operators_that_the_runtime_lacks_are_named(tmp_path, name):
    with pytest.raises(ModelError, match=rf"edited\.tflite needs operators .* not have: {name}\.") as refused:
        load_landmarker(write_edited(tmp_path, with_operator(name)))
    assert "built-in operators" in refused.value.fix


def test_fault_89_an_int8_model_of_scale_0_is_refused_with_the_cause(tmp_path):
    content = edited_model(SHIPPED_INT8.read_bytes(), without_scales)
    mutated_models.write_vouched(tmp_path / "flat.tflite", content, SHIPPED_INT8.with_suffix(".json"))
    with pytest.raises(ModelError, match=r"The model flat\.tflite .*have the scale 0") as refused:
        load_landmarker(tmp_path / "flat.tflite")
    assert "quantise it again" in refused.value.fix


def test_scales_are_looked_at_only_where_there_are_small_integers():
    assert has_no_scale(edited_model(SHIPPED_INT8.read_bytes(), without_scales))
    assert not has_no_scale(SHIPPED_INT8.read_bytes())
    assert not has_no_scale(edited_model(SHIPPED.read_bytes(), without_scales))
    assert not has_no_scale(SHIPPED_INT8.read_bytes()[:1000])
    assert not has_no_scale(b"no model")


class Damaged:
    """An interpreter whose tables are damaged in a place that is not looked at when it is made."""

    def __init__(self, **_) -> None:
        pass

    def allocate_tensors(self) -> None:
        pass

    def get_input_details(self):
        return [{"index": 0, "shape": (1, 4, 4, 3), "dtype": float}]

    def get_output_details(self):
        return [{"index": 1, "shape": (1, 68, 2), "dtype": float}]

    def invoke(self) -> None:
        raise RuntimeError("node 3 (CONV_2D) failed to invoke")


class BadNames(Damaged):
    def get_output_details(self):
        return [{"name": b"\xfb".decode()}]


class NoInputs(Damaged):
    def get_input_details(self):
        return []


@pytest.mark.parametrize("interpreter", [BadNames, NoInputs])
def test_fault_12_damaged_tables_are_refused_when_the_model_is_loaded(monkeypatch, interpreter):
    monkeypatch.setattr("engine.inference.runtime._interpreter_class", lambda: interpreter)
    with pytest.raises(ModelError, match=r"The model x\.tflite cannot be loaded"):
        Runtime(b"1234TFL3", "The model x.tflite")


def test_fault_12_a_model_that_fails_while_it_runs_is_named(monkeypatch):
    monkeypatch.setattr("engine.inference.runtime._interpreter_class", lambda: Damaged)
    with pytest.raises(ModelError, match=r"The model x\.tflite failed while it ran \(node 3"):
        Runtime(b"1234TFL3", "The model x.tflite").run()
