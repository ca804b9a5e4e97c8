"""`--set key=value`: typed, with a sentence for every mistake."""

import pytest

from engine.errors import UsageError
from trainer.overrides import recipe_by_name


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
    ],
)
def test_mistakes_are_named(change, match):
    with pytest.raises(UsageError, match=match):
        recipe_by_name("student-68", [change])


def test_an_unknown_recipe_lists_those_there_are():
    with pytest.raises(UsageError, match="student-68-lite"):
        recipe_by_name("nothing", [])
