"""The named recipes: each can be written down, changed and built; their stages are what they were."""

import dataclasses
import json
from dataclasses import replace
from pathlib import Path

import pytest

from engine.core.paths import asset_path
from engine.core.records import read_record
from engine.inference.card import read_card
from trainer.losses.fard_mahoor import KDLoss, released_code
from trainer.losses.heatmap_distillation import HeatmapKD
from trainer.losses.total import LandmarkLoss
from trainer.networks import network_of
from trainer.networks.regression import RegressionShape
from trainer.networks.star import StarShape
from trainer.recipes import RECIPES
from trainer.recipes.former import FORMER_NAMES, translated
from trainer.recipes.overrides import run_name
from trainer.recipes.packs import FACES5, MACHINE_LABELLED
from trainer.recipes.schema import FRESH_WEIGHTS, SoftLandmarks, Training, steps_of
from trainer.recipes.table import recipe_table

ALL = {name: recipe.trainings(name) for name, recipe in RECIPES.items()}
STAGES = {training.name: training for trainings in ALL.values() for training in trainings}
# What the recipes were before they had stages, each a run: fields that differ from the defaults, and the defaults.
FORMER = json.loads(Path(__file__).with_name("stages.json").read_text(encoding="utf-8"))


# Students that the mean of teachers teaches in the end, and their twins without any.
TWINS = {
    "student-68": "student-68-alone",
    "student-68-lite": "student-68-lite-alone",
    "student-mvit2-68": "student-mvit2-68-fine-alone",
}


def last_stages(name):
    """The stages of a student that the mean of teachers teaches, or all of its twin's."""
    return [training for training in ALL[name] if training.teacher_mean is not None or name in TWINS.values()]


def only(name):
    """The one stage of a recipe."""
    (training,) = ALL[name]
    return training


def differing(one, other):
    """The fields in which two stages differ."""
    return {field for field, value in vars(STAGES[one]).items() if value != getattr(STAGES[other], field)}


def default(field):
    return field.default_factory() if field.default is dataclasses.MISSING else field.default


def compact(value):
    """A record as plain values, without the fields that are as usual; kind and name always."""
    if dataclasses.is_dataclass(value):
        return {
            field.name: compact(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if field.name in ("kind", "name") or getattr(value, field.name) != default(field)
        }
    return [compact(item) for item in value] if isinstance(value, tuple | list) else value


@pytest.mark.parametrize("former", FORMER["runs"])
def test_every_stage_is_what_the_run_of_its_former_name_was(former):
    training = STAGES[FORMER_NAMES.get(former, former)]
    was = dict(FORMER["runs"][former])
    # Then weights were named by a path, now by a run.
    weights = translated({"shape": {}, "name": "", "start": was.pop("init"), "distillation": was})
    is_now = {"steps": training.steps, "network": compact(training.network), **compact(training)}
    assert run_name(is_now.pop("init", "imagenet")) == run_name(weights["init"])
    assert list(map(run_name, is_now.pop("teachers", []))) == list(map(run_name, weights["teachers"]))
    if former == "student-68-base":  # since then the first stage has smaller pictures, for speed
        was["network"] = {**was["network"], "input_size": 96}
    assert is_now == {key: value for key, value in was.items() if key != "teachers"} | {"name": training.name}


def test_no_stage_is_new_but_the_published_ones_those_by_the_mean_of_teachers_with_their_twins_and_the_first_two():
    published = {name for name in STAGES if name.startswith(("fard-mahoor/", "hong-lin/")) and "/ours/" not in name}
    new = {training.name for twins in TWINS.items() for name in twins for training in last_stages(name)}
    old = set(STAGES) - published - new - {"own-68", "toy-68", "teacher-68:whole", "teacher-68:retaught"}
    assert {FORMER_NAMES.get(former, former) for former in FORMER["runs"]} == old
    assert len(new) == 2 * (3 + 3 + 4), "of student-68, its lite form and student-mvit2-68"
    usual = dataclasses.asdict(Training("x"))
    assert {key: json.loads(json.dumps(usual[key])) for key in FORMER["defaults"]} == FORMER["defaults"]


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_comes_back_from_plain_values(name):
    training = STAGES[name]
    values = json.loads(json.dumps(dataclasses.asdict(training)))
    assert read_record(Training, values) == training
    assert training.validation or any(pack.validation for pack in training.packs)


@pytest.mark.parametrize("name", ALL)
def test_every_recipe_says_what_it_makes_and_each_stage_begins_where_the_one_before_ended(name):
    assert RECIPES[name].description.endswith(".")
    stages = [stage.name for stage in RECIPES[name].stages]
    assert len(set(stages)) == len(stages)
    if len(stages) == 1:
        assert only(name).name == name
    else:
        assert [training.name for training in ALL[name]] == [f"{name}:{stage}" for stage in stages]
    assert [training.init for training in ALL[name][1:]] == [training.name for training in ALL[name][:-1]]


@pytest.mark.parametrize("name", [name for name in ALL if name.startswith("fard-mahoor/")])
def test_the_published_networks_are_as_published(name):
    training = only(name)
    assert isinstance(training.network, RegressionShape)
    assert (training.network.input_size, training.batch, training.learning_rate) == (224, 70, 1e-3)
    student = "student" in name
    built = (training.network.encoder, training.network.dropout)
    assert built == (("mobilenetv2_100", 0.0) if student else ("efficientnet_b3", 0.5))
    assert (training.soft is not None) == ("tolerant" in name)
    assert len(training.teachers) == (2 if "-kd" in name else 1 if "one-teacher" in name else 0)


@pytest.mark.parametrize("name", [name for name in ALL if name.startswith("fard-mahoor/") and "/ours/" not in name])
def test_the_trainings_of_fard_and_mahoor_are_as_published(name):
    training = only(name)
    points = training.network.points
    ending = {68: "", 98: "-98", 29: "-29"}[points]
    assert name.removeprefix("fard-mahoor/") in {
        f"{kind}{ending}" for kind in ("tough", "tolerant", "student", "student-kd")
    }
    assert [(pack.name, pack.split) for pack in training.packs] == [
        ({68: "300w", 98: "wflw", 29: "cofw"}[points], "train")
    ]
    assert (training.init, training.schedule, training.weight_decay, training.ema) == ("random", "inverse", 0, 0)
    assert training.epochs == 150 * (11 if points == 29 else 5)
    taught = "-kd" in name
    assert training.live == taught
    assert training.teachers == (f"fard-mahoor/tough{ending}", f"fard-mahoor/tolerant{ending}") * taught
    assert training.loss == (LandmarkLoss(points="kd", kd=released_code()) if taught else LandmarkLoss(points="l2"))
    assert training.soft in (None, SoftLandmarks(shapes=None, variance_share=0.9, aligned=False))


@pytest.mark.parametrize("name", [name for name, trainings in ALL.items() if trainings[0].epochs])
def test_the_steps_of_a_published_recipe_are_its_epochs_of_the_official_set(name):
    training = only(name)
    faces = {68: 3148, 98: 7500, 29: 1345}[training.network.points]
    held_out = faces // training.hold_out
    assert 69 <= held_out <= 71, "one batch, as Fard & Mahoor hold out"
    assert training.steps == steps_of(training.epochs, faces - held_out, training.batch)


def test_a_student_and_its_twin_without_teachers_differ_in_nothing_else():
    assert differing("student-kd-68", "student-kd-68-plain") == {"name", "packs", "loss", "teachers"}
    own = {pack.name for pack in only("student-kd-68").packs} - {p.name for p in only("student-kd-68-plain").packs}
    assert own == {"faces5_tough68"} & MACHINE_LABELLED


@pytest.mark.parametrize("student", TWINS)
def test_a_student_of_the_mean_of_teachers_has_a_twin_without_any_from_the_same_weights(student):
    pairs = list(zip(last_stages(student), last_stages(TWINS[student]), strict=True))
    for training, other in pairs:
        first = set() if training is pairs[0][0] else {"init"}
        names = training.name, other.name
        assert differing(*names) == {"name", "packs", "loss", "teachers", "teacher_mean"} | first
        own, others = training.packs, other.packs
        assert [pack.name for pack in own if pack.name != FACES5.name] == [pack.name for pack in others]
        assert {pack.name for pack in own if pack.relabel} == {pack.name for pack in own} & MACHINE_LABELLED
        assert [pack.weight for pack in own if pack.name != FACES5.name] == [pack.weight for pack in others]
        assert other.loss == replace(training.loss, kd=KDLoss())


@pytest.mark.parametrize("name", ["student-68", "student-68-lite", "student-mvit2-68"])
def test_the_last_stage_of_a_student_that_ships_is_what_its_card_says(name):
    training, card = ALL[name][-1], read_card(asset_path("models", f"{name}.json")).training
    assert (card.recipe, card.steps, card.batch) == (training.name, training.steps, training.batch)


def test_a_student_is_smaller_than_its_teachers():
    weights = {
        name: sum(parameter.numel() for parameter in network_of(ALL[name][-1].network).parameters())
        for name in ("student-68-kd", "teacher-tough-68", "fard-mahoor/student-kd", "fard-mahoor/tough")
    }
    assert weights["student-68-kd"] < weights["teacher-tough-68"]
    assert weights["fard-mahoor/student-kd"] < weights["fard-mahoor/tough"]


@pytest.mark.parametrize("name", [name for name in ALL if name.startswith("hong-lin/") and "/ours/" not in name])
def test_the_published_heatmap_networks_are_as_published(name):
    training = only(name)
    network, loss = training.network, training.loss
    assert isinstance(network, StarShape)
    assert (network.input_size, training.batch, training.learning_rate, training.weight_decay) == (256, 32, 2e-4, 1e-4)
    assert (loss.points, loss.attention.points_weight, loss.attention.edges_weight) == ("star", 10, 10)
    student = ("mobilevitv2", 0.5, "repeat", "silu")
    built = (network.encoder, network.encoder_width, network.neck, network.activation)
    assert built == (student if "student" in name else ("swinv2_base", 1.0, "transposed", "silu"))
    assert network.pretrained_windows == ((0,) * 4 if "student" in name else (12, 12, 12, 6))
    assert training.epochs == 500
    taught, ending = "-kd" in name, "-98" if network.points == 98 else ""
    assert name.endswith("-98") == bool(ending)
    assert loss.heatmap_kd.variant == ("released" if taught else "none")
    assert training.teachers == (f"hong-lin/teacher{ending}",) * taught
    assert training.live == taught
    assert training.init == (f"hong-lin/teacher{ending}" if taught else "random")


def test_a_heatmap_student_and_its_twin_without_a_teacher_differ_in_nothing_else():
    taught, plain = STAGES["student-mvit2-68:taught"], STAGES["student-mvit2-68-plain"]
    assert differing(taught.name, plain.name) == {"name", "packs", "loss", "teachers", "live"}
    assert set(taught.packs) - set(plain.packs) == {FACES5}
    own = replace(taught.loss.kd, point_distillation_weight=plain.loss.kd.point_distillation_weight)
    assert plain.loss == replace(taught.loss, heatmap_kd=HeatmapKD(), kd=own)


def test_our_student_differs_from_the_published_one_in_its_form_only():
    assert differing("hong-lin/ours/student", "hong-lin/ours/reference") == {"name", "network", "loss"}
    assert differing("hong-lin/ours/student-kd", "hong-lin/ours/student") == {"name", "loss", "teachers", "live"}
    assert only("hong-lin/ours/student-kd").teachers == only("hong-lin/ours/reference-kd").teachers
    assert differing("hong-lin/ours/reference", "hong-lin/student") == {"name", "packs", "steps", "epochs", "hold_out"}


@pytest.mark.parametrize("name", STAGES)
def test_what_a_stage_starts_from_or_is_taught_by_is_a_run_too(name):
    for run in (STAGES[name].init, *STAGES[name].teachers):
        assert run in FRESH_WEIGHTS or run_name(run) in STAGES


def test_the_document_holds_the_table_of_recipes():
    document = (Path(__file__).parents[3] / "docs" / "training.md").read_text(encoding="utf-8")
    assert recipe_table() in document, "put what `python -m trainer.recipes.table` prints into docs/training.md"
