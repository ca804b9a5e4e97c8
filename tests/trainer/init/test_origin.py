"""Runs go on from the application's models: the network comes back out of the `.tflite` file, ready for training."""

import copy
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from ai_edge_litert import schema_py_generated as schema

from engine.core.errors import ModelError, UsageError
from engine.inference.card import read_card, write_card
from trainer.augment import Augmentation
from trainer.checkpoint import read_checkpoint
from trainer.data.crops import load_crops
from trainer.init.from_tflite import activation_of, restate_norms
from trainer.init.initialise import load_network, make_network
from trainer.init.origin import read_origin
from trainer.loop import training_images
from trainer.losses.fard_mahoor import KDLoss
from trainer.losses.total import LandmarkLoss
from trainer.networks.heatmap import HeatmapShape
from trainer.recipes import RECIPES
from trainer.run import lineage, run
from trainer.run_recorder import Intervals
from trainer.tflite.export import LARGEST_DIFFERENCE, compare

MODELS = Path(__file__).parents[3] / "assets" / "models"
STUDENT = MODELS / "student-68-lite.tflite"
# In parts of the crop side.
ROUNDING, SAME_BATCH = 1e-5, 0.01


@pytest.fixture
def gentle(recipe):
    """A run on plain crops, whose batches have the statistics of the whole."""
    none = Augmentation(large_turn_share=0, small_turn=0, scale=(1, 1), shift=0, colour=0, grey_share=0)
    none = replace(none, blur_share=0, noise_share=0, cover_share=0, no_face_share=0)
    return replace(recipe, network=load_network(STUDENT).shape, batch=16, augmentation=none)


def first_batch(data, recipe):
    return next(training_images(load_crops(data, recipe.packs), recipe, 1))


@pytest.mark.parametrize(
    "name",
    [
        "student-68",
        "student-68-lite",
        "teacher-68",
        "teacher-tough-68",
        "teacher-tolerant-68",
        "student-mvit2-68",
        "student-mvit2-98",
    ],
)
def test_the_network_of_a_shipped_model_gives_the_points_of_the_model(name):
    model = MODELS / f"{name}.tflite"
    network = load_network(model)
    assert compare(network, model.read_bytes()) <= LARGEST_DIFFERENCE
    assert network.shape == RECIPES[name].network


def test_a_model_stands_for_the_checkpoint_it_was_exported_from():
    origin = read_origin(STUDENT)
    assert (origin.recipe["name"], origin.step, origin.recipe["batch"]) == ("student-68-lite:retaught", 21000, 64)
    assert origin.recipe["crop_scale"] == 1.3
    assert lineage("student", {"student": STUDENT}) == [
        "ImageNet weights of the encoder",
        "student-68-base, 5000 steps of 64",
        "student-68-second, 1800 steps of 64",
        "student-68-lite-second, 2000 steps of 64",
        "student-68-lite, 600 steps of 64",
        "student-68-lite:fine, 12000 steps of 64",
        "student-68-lite:whole, 4800 steps of 64",
        "student-68-lite:retaught, 21000 steps of 64",
    ]


def test_with_statistics_of_its_faces_a_network_computes_the_same_in_training_and_in_evaluation(data, gentle):
    images = first_batch(data, gentle)
    network = load_network(STUDENT)
    with torch.no_grad():
        before = network(images).points
        blind = copy.deepcopy(network).train()(images).points
        restate_norms(network, [images])
        training = copy.deepcopy(network).train()(images).points
        after = network(images).points
    assert (after - before).abs().max() < ROUNDING
    assert (training - after).abs().max() < SAME_BATCH
    assert (blind - before).abs().max() > 10 * SAME_BATCH, "without them it does not"


@pytest.mark.parametrize(
    ("operators", "activation"),
    [(("HARD_SWISH", "LOGISTIC"), "hardswish"), (("LOGISTIC", "MUL", "LOGISTIC"), "silu"), (("LOGISTIC",), "relu6")],
)
def test_the_activation_of_a_network_with_attention_is_read_off_its_operators(operators, activation):
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.operatorCodes, graph.operators = [], []
    for place, name in enumerate(operators):
        code, operator = schema.OperatorCodeT(), schema.OperatorT()
        code.builtinCode, operator.opcodeIndex = getattr(schema.BuiltinOperator, name), place
        model.operatorCodes.append(code)
        graph.operators.append(operator)
    assert activation_of(model, graph) == activation


def test_the_norms_are_those_of_a_trained_network_and_the_mode_stays(data, gentle):
    images = first_batch(data, gentle)
    network = make_network(gentle.network, str(STUDENT), 0).train()
    restate_norms(network, [images.double()])
    assert network.training
    read = network.encoder.stem.convolution((images - network.encoder.stem.mean) / network.encoder.stem.deviation)
    inner = read.var((0, 2, 3)) / network.encoder.stem.norm.running_var
    assert (inner[inner.isfinite()] - 1).abs().median() < 0.1, "but for the border, which is black"


@pytest.mark.parametrize("change", [{}, {"decoder_width": 64}, {"decoder_width": 24}, {"input_size": 64}])
def test_the_same_a_wider_and_a_narrower_network_start_from_a_model(change):
    shape = replace(load_network(STUDENT).shape, **change)
    network = make_network(shape, str(STUDENT), 0)
    assert network.shape == shape
    if change.get("decoder_width") != 24:
        given = load_network(STUDENT)
        side = given.shape.input_size
        images = 255 * torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0))
        network = make_network(replace(shape, input_size=side), str(STUDENT), 0).eval()
        with torch.no_grad():
            assert torch.allclose(network(images).points, given(images).points, atol=ROUNDING)


@pytest.mark.timeout(400)
def test_a_run_goes_on_from_a_model_and_learns_from_another(data, recipe, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = sorted(MODELS.rglob("*"))
    recipe = replace(
        recipe,
        init=str(STUDENT),
        network=load_network(STUDENT).shape,
        steps=2,
        learning_rate=1e-6,
        loss=LandmarkLoss(kd=KDLoss(point_distillation_weight=1.0)),
        teachers=(str(MODELS / "student-68.tflite"),),
    )
    last = run(recipe, data, tmp_path / "run", "cpu", False, Intervals(2, 2))
    state = read_checkpoint(last)
    assert state.notes["best_nme"] < 6, "it has not forgotten its faces"
    assert state.notes["lineage"][-1] == "student-68-lite:retaught, 21000 steps of 64"
    assert list((tmp_path / "runs" / "student-68" / "predictions").iterdir()), "kept among the runs"
    assert sorted(MODELS.rglob("*")) == before, "models are only read"


def copied(folder, model, **card_fields):
    """Copy a model with a changed card."""
    (folder / model.name).write_bytes(model.read_bytes())
    write_card(folder / f"{model.stem}.json", replace(read_card(model.with_suffix(".json")), **card_fields))
    return folder / model.name


def test_what_is_no_such_model_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(UsageError, match=r"student-kd-68.tflite: it is of another architecture.* heatmap network"):
        load_network(MODELS / "student-kd-68.tflite")
    with pytest.raises(UsageError, match=r"teacher-star-68.tflite: it is of another .* MobileNetV2 or MobileViT-v2"):
        load_network(MODELS / "teacher-star-68.tflite")
    with pytest.raises(UsageError, match=r"teacher-swinv2-68.tflite: it is of another architecture"):
        load_network(MODELS / "teacher-swinv2-68.tflite")
    with pytest.raises(ModelError, match="none.json is missing"):
        make_network(HeatmapShape(), str(tmp_path / "none.tflite"), 0)
    with pytest.raises(UsageError, match="does not tell how the model was made"):
        read_origin(copied(tmp_path, STUDENT, recipe="by hand", training=None))
    cut = copied(tmp_path, STUDENT)
    cut.write_bytes(cut.read_bytes()[:-9])
    with pytest.raises(ModelError, match="is not the one its card describes"):
        load_network(cut)


def test_a_model_of_other_operators_is_refused(tmp_path):
    detector = MODELS / "face_detection_short_range.tflite"
    content = detector.read_bytes()
    (tmp_path / "detector.tflite").write_bytes(content)
    card = json.loads(STUDENT.with_suffix(".json").read_text(encoding="utf-8"))
    card |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (tmp_path / "detector.json").write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(UsageError, match="another architecture"):
        load_network(tmp_path / "detector.tflite")
