"""The named recipes: each can be written down, changed and built."""

import dataclasses
import json
from dataclasses import replace

import pytest

from trainer.init.initialise import FRESH_STARTS, network_of, shape_of
from trainer.losses.heatmap_distillation import HeatmapKD
from trainer.networks.regression import RegressionShape
from trainer.networks.star import StarShape
from trainer.recipes import RECIPES, Distillation
from trainer.recipes.packs import FACES5, MACHINE_LABELLED

ALL = {name: make() for name, make in RECIPES.items()}


def differing(one, other):
    """The fields in which two recipes differ."""
    return {field for field, value in vars(ALL[one]).items() if value != getattr(ALL[other], field)}


@pytest.mark.parametrize("name", ALL)
def test_a_recipe_bears_its_name_and_comes_back_from_plain_values(name):
    recipe = ALL[name]
    assert recipe.name == name
    values = json.loads(json.dumps(dataclasses.asdict(recipe)))
    assert shape_of(values["shape"]) == recipe.shape
    assert any(pack.validation for pack in recipe.packs)


@pytest.mark.parametrize("name", [name for name in ALL if name.startswith("a-")])
def test_the_published_networks_are_as_published(name):
    recipe = ALL[name]
    assert isinstance(recipe.shape, RegressionShape)
    assert (recipe.shape.input_size, recipe.batch, recipe.learning_rate) == (224, 70, 1e-3)
    encoder = "mobilenetv2_100" if "student" in name else "efficientnet_b3"
    assert recipe.shape.encoder == encoder
    assert (recipe.soft is not None) == (name == "a-tolerant")
    teachers = {"a-student-kd": 2, "a-student-one-teacher": 1}
    assert len(recipe.distillation.teachers) == teachers.get(name, 0)


def test_a_student_and_its_twin_without_teachers_differ_in_nothing_else():
    assert differing("student-kd-68", "student-kd-68-plain") == {"name", "packs", "loss", "distillation"}
    assert {pack.name for pack in ALL["student-kd-68"].packs} - {p.name for p in ALL["student-kd-68-plain"].packs} == {
        "faces5_tough68"
    } & MACHINE_LABELLED


def test_a_student_is_smaller_than_its_teachers():
    weights = {
        name: sum(parameter.numel() for parameter in network_of(ALL[name].shape).parameters())
        for name in ("student-68-kd", "teacher-tough-68", "a-student-kd", "a-tough")
    }
    assert weights["student-68-kd"] < weights["teacher-tough-68"]
    assert weights["a-student-kd"] < weights["a-tough"]


@pytest.mark.parametrize("name", [name for name in ALL if name.startswith("b-")])
def test_the_published_heatmap_networks_are_as_published(name):
    recipe = ALL[name]
    assert isinstance(recipe.shape, StarShape)
    assert (recipe.shape.input_size, recipe.batch, recipe.learning_rate, recipe.weight_decay) == (256, 32, 2e-4, 1e-4)
    assert (recipe.loss.points, recipe.loss.attention.points_weight, recipe.loss.attention.edges_weight) == (
        "star",
        10,
        10,
    )
    student = ("mobilevitv2", 0.5, "repeat", "silu")
    built = (recipe.shape.encoder, recipe.shape.encoder_width, recipe.shape.neck, recipe.shape.activation)
    assert built == (student if "student" in name else ("swinv2_tiny", 1.0, "transposed", "silu"))
    taught, ending = "-kd" in name, "-98" if recipe.shape.points == 98 else ""
    assert recipe.loss.heatmap_kd.variant == ("released" if taught else "none")
    assert recipe.distillation == Distillation((f"runs/b-teacher{ending}/last.safetensors",) * taught, live=taught)
    assert recipe.name == name


def test_a_heatmap_student_and_its_twin_without_a_teacher_differ_in_nothing_else():
    taught, plain = ALL["student-mvit2-68"], ALL["student-mvit2-68-plain"]
    assert differing("student-mvit2-68", "student-mvit2-68-plain") == {"name", "packs", "loss", "distillation"}
    assert set(taught.packs) - set(plain.packs) == {FACES5}
    own = replace(taught.loss.kd, point_distillation_weight=plain.loss.kd.point_distillation_weight)
    assert plain.loss == replace(taught.loss, heatmap_kd=HeatmapKD(), kd=own)


def test_the_improved_student_differs_from_the_published_one_in_its_form_only():
    assert differing("improved-student-plain", "b-student-plain") == {"name", "shape", "loss"}
    assert differing("improved-student-kd", "improved-student-plain") == {"name", "loss", "distillation"}
    assert ALL["improved-student-kd"].distillation == ALL["b-student-kd"].distillation


@pytest.mark.parametrize("name", ALL)
def test_what_a_recipe_starts_from_or_is_taught_by_is_a_recipe_too(name):
    for path in (ALL[name].start, *ALL[name].distillation.teachers):
        assert path in FRESH_STARTS or path.split("/")[1] in ALL
