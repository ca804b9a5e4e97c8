"""Export: the application's model computes what the trained one does, or it is refused."""

import shutil
import sys
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from ai_edge_litert import schema_py_generated as schema

from app.cli.main import main
from engine.core.geometry import Crop
from engine.evaluation.eyes import evaluate_eyes
from engine.evaluation.label_shift import measure_label_shift
from engine.formats.packs import read_arrays, read_pack
from engine.inference.card import TrainingFacts, read_card
from engine.inference.landmarker import load_landmarker
from engine.inference.runtime import Runtime
from engine.sources.sample import SampleClip
from tests.fakes.blinks import write_blinks
from tests.fakes.packs import rewrite
from tests.fakes.tiny_training import tiny_recipe
from trainer.init.initialise import load_network
from trainer.losses.fard_mahoor import KDLoss
from trainer.losses.total import LandmarkLoss
from trainer.networks import regression
from trainer.networks.regression import RegressionShape
from trainer.networks.timm_models import create_model
from trainer.recipes.overrides import trainings_by_name
from trainer.recipes.schema import PackChoice, Training
from trainer.run import run
from trainer.run_recorder import Intervals
from trainer.tflite import export as module
from trainer.tflite import export_int8, flatbuffer
from trainer.tflite.export import ExportError, compare, describe_labels, export
from trainer.tflite.flatbuffer import halve_weights, minimum_runtime

MODELS = Path(__file__).parents[3] / "assets" / "models"


def test_the_exported_model_and_its_card_load_in_the_application(exported):
    assert exported.difference <= module.LARGEST_DIFFERENCE
    landmarker = load_landmarker(exported.model)
    assert landmarker.card.recipe.startswith("tiny, 25 steps")
    assert landmarker.card.training == TrainingFacts("tiny", 25, 8, ("random weights",))
    assert landmarker.card.data.endswith("Before that: random weights.")
    assert landmarker.card.macs > 100_000
    found = landmarker.predict(SampleClip().frame(0)[0], Crop(320, 240, 200))
    assert found.finite


def test_what_the_converter_prints_is_no_part_of_a_report(checkpoint, monkeypatch, capsys):
    class Converted:
        @staticmethod
        def export(path):
            sys.stdout.write("exported\n")
            Path(path).write_bytes(b"content")

    def convert(*_):
        sys.stdout.write("progress\n")
        return Converted

    monkeypatch.setattr("litert_torch.convert", convert)
    assert module.to_tflite(load_network(checkpoint)) == b"content"
    said = capsys.readouterr()
    assert (said.out, said.err.splitlines()[-2:]) == ("", ["progress", "exported"])


def test_a_full_folder_of_temporary_files_gets_a_sentence_before_the_converter_ends_the_program(
    checkpoint, monkeypatch
):
    monkeypatch.setattr(module, "free_bytes", lambda folder: 1000)
    with pytest.raises(ExportError, match="There is no room in .*, the folder of temporary files"):
        module.to_tflite(load_network(checkpoint))


@pytest.mark.parametrize(
    "name", ["student-68", "student-68-lite", "student-mvit2-98", "student-mvit2-68", "teacher-tolerant-68"]
)
def test_the_cards_of_shipped_models_name_labels_and_teachers_as_their_recipes_do(name):
    assert describe_labels(asdict(trainings_by_name(name)[-1])) in read_card(MODELS / f"{name}.json").data


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["lfpw68", "helen68"], "Labels are manual."),
        (["lfpw68", "asked", "ytf68"], "Labels are manual, but those of asked, ytf68 machine-made."),
        (["asked"], "Labels of asked are machine-made."),
        (["lfpw68", "drawn", "mine"], "Labels of drawn, lfpw68 are manual."),
        (["lfpw68", "asked", "mine"], "Labels of lfpw68 are manual, but those of asked machine-made."),
        (["mine"], ""),
    ],
)
def test_a_card_says_of_labels_what_is_known_of_them(names, expected):
    recipe = {"packs": [{"name": name} for name in names]}
    assert describe_labels(recipe, {"asked": "machine-made", "drawn": "manual"}) == expected


def test_a_run_notes_who_made_its_labels_and_its_card_says_so(checkpoint, data, tmp_path, content):
    shutil.copytree(data, tmp_path / "data")
    (tmp_path / "data" / "faces" / "meta.json").write_text('{"labels": "machine-made by the model x"}')
    recipe = replace(tiny_recipe(), steps=1)
    last = run(recipe, tmp_path / "data", tmp_path / "run", "cpu", intervals=Intervals(1, 1))
    assert "Labels of faces are machine-made. Before that" in card_text(last, content)
    assert "Labels" not in card_text(checkpoint, content)
    (tmp_path / "data" / "faces" / "meta.json").unlink()
    last = run(replace(recipe, steps=1), tmp_path / "data", tmp_path / "run", "cpu", True, Intervals(1, 1))
    assert "Labels of faces are machine-made." in card_text(last, content), "it knew before it went on"


def card_text(last, content):
    return module.card_of(last, load_network(last), content, "own", "student").data


def test_a_regression_student_is_exported_and_its_card_names_its_teacher(checkpoint, data, tmp_path, monkeypatch):
    # Blocks that are like others are left out: each takes a second to convert.
    monkeypatch.setattr(regression, "create_model", partial(create_model, depth_multiplier=0.3))
    # Coordinates of an untrained network lie far outside the crop, where float16 weights move them further.
    monkeypatch.setattr(module, "LARGEST_DIFFERENCE", 0.01)
    recipe = Training(
        "taught",
        network=RegressionShape(input_size=64),
        init="random",
        packs=(PackChoice("faces", split=None, validation=True),),
        hold_out=8,
        steps=3,
        batch=8,
        ema=0.0,
        loss=LandmarkLoss(points="kd", kd=KDLoss(tolerant=replace(KDLoss().tolerant, weight=0.0))),
        teachers=(str(checkpoint),),
    )
    last = run(recipe, data, tmp_path / "run", "cpu", intervals=Intervals(3, 3))
    done = export(last, tmp_path / "taught.tflite")
    card = load_landmarker(done.model).card
    assert done.difference <= module.LARGEST_DIFFERENCE
    assert f"Taught by {checkpoint.parent.name}." in card.data
    assert card.system.startswith("mobilenetv2_100 encoder")


def test_the_label_shift_is_measured_where_manual_packs_of_the_run_are_there(
    checkpoint, content, data, tmp_path, monkeypatch
):
    monkeypatch.setattr(module, "to_tflite", lambda network: content)
    done = export(checkpoint, tmp_path / "new.tflite")
    assert module.note_label_shift(done.model, module.manual_packs(checkpoint, tmp_path)) is None
    shift = module.note_label_shift(done.model, module.manual_packs(checkpoint, data))
    pack = read_pack(data / "faces")
    assert shift == pytest.approx(measure_label_shift(load_landmarker(done.model), [pack]).shift, abs=1e-5)
    assert load_landmarker(done.model).card.label_shift == shift != 0


@pytest.mark.parametrize("form", [[], ["--int8"]])
def test_a_picture_that_is_missing_is_said_before_anything_is_converted_or_written(
    checkpoint, data, tmp_path, monkeypatch, capsys, form
):
    shutil.copytree(data, tmp_path / "data")
    next((tmp_path / "data" / "faces" / "images").iterdir()).unlink()
    for place in (module, export_int8):
        monkeypatch.setattr(place, "to_tflite", None)
    out, packs = tmp_path / "model.tflite", tmp_path / "data"
    assert main(["export", str(checkpoint), "--out", str(out), "--data", str(packs), *form]) == 1
    assert "1 picture(s) of the pack" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_levels_of_eyes_are_measured_on_faces_that_no_training_sees(tmp_path, monkeypatch):
    folder, model = write_blinks(tmp_path / "eyes_state"), tmp_path / "own.tflite"
    for ending in (".tflite", ".json"):
        shutil.copy(MODELS / f"student-68{ending}", model.with_suffix(ending))
    assert module.note_eyes(model, tmp_path) is None, "none of its faces is listed"
    monkeypatch.setattr(module, "faces_of", lambda group: tuple(f"eyes_state/{index}.png" for index in range(3, 9)))
    levels = module.note_eyes(model, tmp_path)
    listed = [f"{index}.png" for index in range(3, 9)]
    assert levels == evaluate_eyes(load_landmarker(model), folder, None, listed).levels
    assert levels != evaluate_eyes(load_landmarker(model), folder, None).levels
    assert load_landmarker(model).card.eyes == levels
    rewrite(folder, state=1 - read_arrays(folder)["state"])
    assert module.note_eyes(model, tmp_path) is None, "it takes closed eyes for open ones"
    assert load_landmarker(model).card.eyes == levels


@pytest.fixture
def all_but_the_smallest(monkeypatch):
    """Let float16 be for the small tensors of a tiny network too."""
    monkeypatch.setattr(flatbuffer, "FEWEST_VALUES", 64)


def test_float16_halves_the_file_and_hardly_moves_a_point(checkpoint, content, all_but_the_smallest):
    half = halve_weights(content)
    assert len(half) < len(content)
    assert compare(load_network(checkpoint), content) < 1e-5
    assert compare(load_network(checkpoint), half) < module.LARGEST_DIFFERENCE
    assert minimum_runtime(half) == minimum_runtime(content)
    assert Runtime(half, "half").output_shapes == [(1, 68, 2), (1, 68)]


def test_the_head_stays_float32_with_its_cells_exact(checkpoint, content, all_but_the_smallest, monkeypatch):
    network = load_network(checkpoint)
    kept = [values for values in constants(halve_weights(content)) if values.size >= 64]
    cells, last, visibility = network.cells.T, network.decoder.predict.weight, network.visibility.weight
    head = [cells, last.permute(0, 2, 3, 1), network.decoder.predict.bias, visibility, network.visibility.bias]
    for tensor in (*head, network.peak_weight[None]):
        assert any(np.array_equal(values, tensor.detach().numpy()) for values in kept), tensor.shape
    assert len(kept) == 6, "all of the body is float16"
    assert (cells != cells.half().float()).any(), "a side of 24 cells shows what float16 would lose"
    monkeypatch.setattr(flatbuffer, "MOST_HEAD_VALUES", 64)
    assert largest(constants(halve_weights(content))) < 68


def constants(content):
    """Return the constant float32 tensors of a model."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    found = []
    for tensor in model.subgraphs[0].tensors:
        data = model.buffers[tensor.buffer].data
        if tensor.type == schema.TensorType.FLOAT32 and data is not None:
            found.append(np.frombuffer(np.asarray(data, np.uint8).tobytes(), np.float32).reshape(tensor.shape))
    return found


def largest(arrays):
    return max(values.size for values in arrays)


@torch.no_grad()
def break_normalisation(network):
    network.encoder.stem.mean.mul_(0.5)


@torch.no_grad()
def break_mirror(network):
    network.cells.copy_(network.cells.flip(1))


@pytest.mark.parametrize("damage", [break_normalisation, break_mirror])
def test_fault_21_a_model_that_computes_something_else_is_refused(checkpoint, tmp_path, monkeypatch, damage, content):
    network = load_network(checkpoint)
    damage(network)
    monkeypatch.setattr(module, "load_network", lambda path: network)
    monkeypatch.setattr(module, "to_tflite", lambda network: content)
    with pytest.raises(ExportError, match="differs from the trained one"):
        export(checkpoint, tmp_path / "bad.tflite")
    assert not (tmp_path / "bad.tflite").exists()
