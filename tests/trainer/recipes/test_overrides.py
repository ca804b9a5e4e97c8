"""`--set key=value`: typed, with a sentence for every mistake."""

import pytest

from engine.core.errors import UsageError
from trainer.recipes import RECIPES, PackChoice
from trainer.recipes.overrides import recipe_by_name


def test_fields_and_parts_of_fields_change_and_keep_their_type():
    changes = ["steps=10", "learning_rate=1", "start=random", "loss.wing_width=0.1", "augmentation.scale=[0.9, 1.1]"]
    recipe = recipe_by_name("student-68", changes)
    assert recipe.steps == 10
    assert isinstance(recipe.learning_rate, float)
    assert recipe.start == "random"
    assert recipe.loss.wing_width == 0.1
    assert recipe.augmentation.scale == (0.9, 1.1)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ("steps", "is no change"),
        ("stpes=3", "names no field"),
        ("loss.nothing=3", "names no field"),
        ("steps=many", "wrong type"),
        ("steps=1.5", "wrong type"),
        ("steps=true", "wrong type"),
        ("augmentation.scale=1", "wrong type"),
        ("augmentation.scale=[0.9]", "wrong type"),
        ("augmentation.scale=[0.9, true]", "wrong type"),
        ("steps=1e999", "wrong type"),
        ("distillation.teachers=[1]", "wrong type"),
        ("packs=lfpw68", "does not name packs"),
        ("packs=[1]", "does not name packs"),
        ("loss=3", "cannot be set as a whole"),
        ("soft=3", "cannot be set as a whole"),
        ("steps=0", "The field steps cannot be 0"),
        ("warmup=1", "The field warmup cannot be 1"),
        ("learning_rate=NaN", "wrong type"),
        ("learning_rate=Infinity", "The field learning_rate cannot be inf"),
        ("weight_decay=-1", "The field weight_decay cannot be -1"),
        ("ema=1", "The field ema cannot be 1"),
        ("loss.wing_epsilon=0", "The field wing_epsilon cannot be 0"),
        ("loss.heatmap_sigma=0", "The field heatmap_sigma cannot be 0"),
        ("loss.star.scale=0", "The field scale cannot be 0"),
        ("loss.attention.sigma=0", "The field sigma cannot be 0"),
        ("loss.kd.point_distillation_weight=-4", "The field point_distillation_weight cannot be -4"),
        ("shape.points=-1", "The field points cannot be -1"),
        ("shape.decoder_width=0", "The field decoder_width cannot be 0"),
        ("shape.encoder_width=0", "cannot be 0.0 times as wide"),
        ("shape.expansions=[1, 6, 6]", "fit no MobileNetV2"),
        ("shape.expansions=[1, 6, 6, 6, 6, 0]", "fit no MobileNetV2"),
    ],
)
def test_mistakes_are_named(change, match):
    with pytest.raises(UsageError, match=match):
        recipe_by_name("student-68", [change])


def test_packs_are_named_and_those_of_the_recipe_stay_as_they_are_there():
    recipe = recipe_by_name("student-68", ['packs=["helen68", "mine"]'])
    helen, mine = recipe.packs
    assert helen in RECIPES["student-68"]().packs
    assert mine == PackChoice("mine", validation=True)


def test_a_network_of_timm_is_one_whose_export_is_known():
    with pytest.raises(UsageError, match="There is no encoder “resnet18”"):
        recipe_by_name("a-tough", ["shape.encoder=resnet18"])


def test_an_unknown_recipe_lists_those_there_are():
    with pytest.raises(UsageError, match="student-68-lite"):
        recipe_by_name("nothing", [])
