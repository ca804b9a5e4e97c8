"""`understudy train --list`: the recipes that there are."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from app.cli.terminal import table


def recipe_values(recipes: Mapping[str, Callable[[], Any]]) -> list[dict[str, Any]]:
    """Return recipes, by name the function that makes one, as plain values.

    Returns:
        For each `name`, its `description`, and all fields as `recipe`.
    """
    return [
        {
            "name": name,
            "description": " ".join((inspect.getdoc(make) or "").replace("`", "").split()),
            "recipe": dataclasses.asdict(make()),
        }
        for name, make in recipes.items()
    ]


def recipe_text(values: list[dict[str, Any]]) -> str:
    """Return a table of recipes for people."""
    rows: list[tuple[object, ...]] = [("recipe", "points", "input", "steps", "batch", "description")]
    for entry in values:
        recipe = entry["recipe"]
        shape = recipe["shape"]
        rows.append(
            (
                entry["name"],
                shape["points"],
                shape["input_size"],
                recipe["steps"],
                recipe["batch"],
                entry["description"].partition(". ")[0],
            )
        )
    return table(rows)
