"""The recipes by name."""

from __future__ import annotations

from trainer.recipes import dense_teacher, fard_mahoor_2022, hong_lin_2024, students
from trainer.recipes.packs import FROM_TEST_LISTS, LABELLED, MACHINE_LABELLED, PARTLY_DERIVED
from trainer.recipes.schema import PackChoice, Recipe, SoftLandmarks, Stage, Training

__all__ = [
    "FROM_TEST_LISTS",
    "LABELLED",
    "MACHINE_LABELLED",
    "PARTLY_DERIVED",
    "RECIPES",
    "PackChoice",
    "Recipe",
    "SoftLandmarks",
    "Stage",
    "Training",
]

RECIPES: dict[str, Recipe] = {
    **students.RECIPES,
    **dense_teacher.RECIPES,
    **fard_mahoor_2022.RECIPES,
    **hong_lin_2024.RECIPES,
}
