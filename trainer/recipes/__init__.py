"""The recipes by name. They are made when they are first asked for, as networks and losses take seconds to import."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trainer.recipes.schema import Recipe

    RECIPES: dict[str, Recipe]


def __getattr__(name: str) -> Any:
    if name != "RECIPES":
        raise AttributeError(name)
    return _recipes()


@cache
def _recipes() -> dict[str, Recipe]:
    from trainer.recipes import fard_mahoor_2022, first, hong_lin_2024, plain

    return {**first.RECIPES, **plain.RECIPES, **fard_mahoor_2022.RECIPES, **hong_lin_2024.RECIPES}
