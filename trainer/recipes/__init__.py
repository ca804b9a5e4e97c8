"""The recipes by name."""

from __future__ import annotations

from trainer.recipes import fard_mahoor_2022, hong_lin_2024, plain
from trainer.recipes.schema import Recipe

RECIPES: dict[str, Recipe] = {**plain.RECIPES, **fard_mahoor_2022.RECIPES, **hong_lin_2024.RECIPES}
