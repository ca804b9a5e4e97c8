"""Int8: small maps in integers, the rest in float32, calibrated on training faces, refused where it loses too much."""

import json
from dataclasses import replace

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from app.cli.main import main
from engine.core.errors import UsageError
from engine.core.paths import asset_path
from engine.inference.card import read_card, write_card
from engine.inference.landmarker import load_landmarker
from tests.fakes.tiny_training import ALL_FRAMES
from tests.old_runtimes.operators import unknown_operators
from trainer.checkpoint import read_checkpoint, write_checkpoint
from trainer.recipes.schema import PackChoice
from trainer.tflite import export as export_module
from trainer.tflite import export_int8 as module
from trainer.tflite import flatbuffer
from trainer.tflite.export import ExportError

# A conversion may have to wait for a busy machine.
pytestmark = pytest.mark.timeout(600)
HELD_OUT = 3  # every 8th of 24
CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
FLOAT32, INT8 = schema.TensorType.FLOAT32, schema.TensorType.INT8
NAMES = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}


@pytest.fixture
def seen(content, monkeypatch):
    """Spare the conversion, accept any loss, and return what is calibrated on and measured on."""
    faces = {}

    def spy_quantise(given, images, real=module.quantise):
        faces["calibration"] = images
        return real(given, images)

    def spy_points(given, images, real=module.points_by):
        faces.setdefault("validation", images)  # later it is called with single images
        return real(given, images)

    monkeypatch.setattr(module, "to_tflite", lambda network: content)
    monkeypatch.setattr(module, "quantise", spy_quantise)
    monkeypatch.setattr(module, "points_by", spy_points)
    monkeypatch.setattr(module, "LARGEST_DIFFERENCE", 1.0)
    monkeypatch.setattr(module, "LARGEST_RISE", 1.0)
    # What a model learned from is not known to its file.
    monkeypatch.setattr(module, "OF_300W", (PackChoice("faces", split=None, validation=True),))
    monkeypatch.setattr(module.Training, "hold_out", 8)
    return faces


def test_small_maps_are_int8_and_large_ones_and_what_computes_points_float32(checkpoint, data, tmp_path, seen):
    done = module.export_int8(checkpoint, data, tmp_path / "tiny-int8.tflite")
    operators = list(operators_of(done.model.read_bytes()))
    maps = {
        (shape[1], kind) for name, shape, kind in operators if name in (*CONVOLUTIONS, "ADD", "RESIZE_BILINEAR")
        if len(shape) == 4
    }  # fmt: skip
    assert maps == {(3, INT8), (6, INT8), (12, FLOAT32), (24, FLOAT32), (48, FLOAT32)}
    pads = {(shape[1], kind) for name, shape, kind in operators if name == "PAD"}
    assert pads == {(8, INT8), (14, INT8), (26, FLOAT32), (50, FLOAT32), (98, FLOAT32)}, "as what reads them"
    assert [name for name, _, _ in operators].count("TRANSPOSE") == 1, "of the heatmaps alone"
    heads = {kind for name, _, kind in operators if name in ("SOFTMAX", "REDUCE_MAX", "FULLY_CONNECTED")}
    assert heads == {FLOAT32}
    by_int8_weights = list(mixed_operators(done.model.read_bytes()))
    assert [name for name, _ in by_int8_weights] == ["CONV_2D", "CONV_2D"], "the last smoothing and the heatmaps"
    assert {tuple(shape[:3]) for _, shape in by_int8_weights} == {(1, 24, 24)}
    card = load_landmarker(done.model).card
    assert card.precision == "int8 from stride 16 on and int8 weights where heatmaps are made, else float32"
    assert 0 < done.difference < 0.1
    assert done.nme_int8 != done.nme_float16
    assert done.nme_int8 == pytest.approx(done.nme_float16, rel=0.2)


def test_calibration_sees_training_faces_and_none_of_those_held_out(checkpoint, data, tmp_path, seen):
    done = module.export_int8(checkpoint, data, tmp_path / "tiny-int8.tflite")
    assert (len(seen["calibration"]), len(seen["validation"])) == (ALL_FRAMES - HELD_OUT, HELD_OUT)
    assert done.faces == HELD_OUT
    apart = (seen["calibration"][:, None] - seen["validation"][None]).abs().amax((2, 3, 4))
    assert apart.min() > 1


def test_a_model_that_loses_too_much_is_refused(checkpoint, data, tmp_path, seen, monkeypatch):
    monkeypatch.setattr(module, "LARGEST_RISE", -1.0)
    with pytest.raises(ExportError, match="NME on 3 validation faces"):
        module.export_int8(checkpoint, data, tmp_path / "bad.tflite")
    assert list(tmp_path.iterdir()) == []


def test_the_command_marks_the_name_and_shows_what_int8_costs(checkpoint, data, tmp_path, seen, capsys):
    report = tmp_path / "report.json"
    command = ["export", str(checkpoint), "--out", str(tmp_path / "tiny.tflite"), "--int8", "--data", str(data)]
    assert main([*command, "--json", str(report)]) == 0
    assert (tmp_path / "tiny-int8.tflite").is_file()
    assert "NME on the run's 3 validation faces" in capsys.readouterr().out
    values = json.loads(report.read_text())
    assert np.isfinite([values["nme_float16"], values["nme_int8"], values["difference"]]).all()


def test_the_weights_alone_make_a_smaller_file_with_float_between_the_layers(
    checkpoint, data, tmp_path, seen, capsys, monkeypatch
):
    monkeypatch.setattr(flatbuffer, "FEWEST_INT8_VALUES", 64)
    monkeypatch.setattr(export_module, "to_tflite", lambda network: module.to_tflite(network))
    model = export_module.export(checkpoint, tmp_path / "tiny.tflite").model
    for origin, name in ((checkpoint, "of-run"), (model, "of-model")):
        command = [
            "export",
            str(origin),
            "--out",
            str(tmp_path / f"{name}.tflite"),
            "--int8-weights",
            "--data",
            str(data),
        ]
        assert main(command) == 0
        assert "NME on the run's 3 validation faces" in capsys.readouterr().out
        made = tmp_path / f"{name}.tflite"
        assert made.stat().st_size < 0.8 * model.stat().st_size
        kinds, weights = operand_types(made.read_bytes()), operand_types(made.read_bytes(), 1)
        assert kinds["DEPTHWISE_CONV_2D"] == kinds["CONV_2D"] == {FLOAT32}
        assert INT8 in kinds["DEQUANTIZE"]
        # Convolutions read widened weights, fully connected layers multiply by those in int8.
        assert weights["DEPTHWISE_CONV_2D"] == weights["CONV_2D"] == {FLOAT32}
        assert (kinds["FULLY_CONNECTED"], weights["FULLY_CONNECTED"]) == ({FLOAT32}, {INT8})
        assert load_landmarker(made).card.precision == "int8 weights, float32 between the layers"
        assert not unknown_operators(made.read_bytes())


def test_an_exported_model_is_an_origin_and_its_card_passes_on_what_it_knows(
    checkpoint, data, tmp_path, seen, monkeypatch
):
    monkeypatch.setattr(export_module, "to_tflite", lambda network: module.to_tflite(network))
    model = export_module.export(checkpoint, tmp_path / "tiny.tflite", "teacher").model
    card = replace(read_card(model.with_suffix(".json")), label_shift=0.004, metrics=({"nme": 3.0},))
    write_card(model.with_suffix(".json"), card)
    assert main(["export", str(model), "--out", str(tmp_path / "tiny"), "--int8", "--data", str(data)]) == 0
    twin = load_landmarker(tmp_path / "tiny-int8.tflite").card
    assert (twin.name, twin.role, twin.label_shift, twin.metrics) == ("tiny-int8", "teacher", 0.004, ())
    assert twin.training == card.training


def test_int8_without_faces_says_what_is_missing(checkpoint, tmp_path, capsys):
    assert main(["export", str(checkpoint), "--out", str(tmp_path / "tiny.tflite"), "--int8"]) == 1
    assert "--data" in capsys.readouterr().err


def test_int8_of_a_run_without_validation_packs_says_what_is_missing(checkpoint, data, tmp_path, seen):
    state = read_checkpoint(checkpoint)
    packs = [pack | {"validation": False} for pack in state.recipe["packs"]]
    write_checkpoint(tmp_path / "last", replace(state, recipe=state.recipe | {"packs": packs}))
    with pytest.raises(UsageError, match="No face is left to measure the int8 model on"):
        module.export_int8(tmp_path / "last", data, tmp_path / "model.tflite")


@pytest.mark.parametrize(
    ("name", "match"), [("student-68", "In .* there is no helen68 and no afw68"), ("student-mvit2-98", "has 98 points")]
)
def test_a_model_without_the_packs_that_it_is_measured_on_names_them(name, match, tmp_path):
    (tmp_path / "lfpw68").mkdir()
    (tmp_path / "lfpw68" / "annotations.npz").touch()
    with pytest.raises(UsageError, match=match) as caught:
        module.export_int8(asset_path("models", f"{name}.tflite"), tmp_path, tmp_path / "a.tflite", weights_only=True)
    assert "does not say which packs it learned from" in caught.value.why


def operand_types(content, place=0):
    """Return the types of an operand of each kind of operator: of the first, or of that at another place."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    graph, found = model.subgraphs[0], {}
    for its in graph.operators:
        name = NAMES[model.operatorCodes[its.opcodeIndex].builtinCode]
        if len(its.inputs) > place:
            found.setdefault(name, set()).add(graph.tensors[its.inputs[place]].type)
    return found


def mixed_operators(content):
    """Yield kind and shape of each operator that reads and writes float32, and has int8 weights."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    tensors = model.subgraphs[0].tensors
    for its in model.subgraphs[0].operators:
        read, written = its.inputs[:2], tensors[its.outputs[0]]
        if [*(tensors[each].type for each in read), written.type] == [FLOAT32, INT8, FLOAT32]:
            yield NAMES[model.operatorCodes[its.opcodeIndex].builtinCode], written.shape.tolist()


def operators_of(content):
    """Yield the kind of each operator, and shape and type of what it writes."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    for its in model.subgraphs[0].operators:
        written = model.subgraphs[0].tensors[its.outputs[0]]
        yield NAMES[model.operatorCodes[its.opcodeIndex].builtinCode], written.shape.tolist(), written.type
