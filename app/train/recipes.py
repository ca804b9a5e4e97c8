"""The recipes as the trainer lists them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.core.errors import UsageError


@dataclass(frozen=True)
class RecipeFacts:
    """What is known of a recipe.

    Attributes:
        name: as `understudy train` takes it.
        description: a sentence or more.
        stages: the fields of its stages as plain values, at least one stage.
        former_names: what it, or a stage of it, was called in former versions.
    """

    name: str
    description: str
    stages: tuple[Mapping[str, Any], ...]
    former_names: tuple[str, ...] = ()

    @property
    def packs(self) -> tuple[str, ...]:
        """Names of the packs that it trains on."""
        return tuple(dict.fromkeys(str(pack["name"]) for stage in self.stages for pack in stage["packs"]))

    def missing_packs(self, data: Path) -> list[str]:
        """Return the packs that are not in the folder `data`."""
        return [name for name in self.packs if not (data / name).is_dir()]


def read_recipes(file: Path) -> list[RecipeFacts]:
    """Read what `understudy train --list --json FILE` wrote.

    Raises:
        UsageError: it is not such a list.
    """
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))["recipes"]
        recipes = [
            RecipeFacts(
                entry["name"], entry["description"], tuple(entry["stages"]), tuple(entry.get("former_names", ()))
            )
            for entry in entries
        ]
        for recipe in recipes:
            _check_fields(recipe)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UsageError(
            f"The trainer's list of recipes cannot be read ({error})",
            "the trainer is of another version than the application",
            "install both again, from one version",
        ) from error
    return recipes


def _check_fields(recipe: RecipeFacts) -> None:
    """Raise LookupError unless the fields that the page shows are there."""
    recipe.stages[0]
    for stage in recipe.stages:
        for key in ("steps", "batch", "init", "packs"):
            stage[key]
        for key in ("points", "input_size"):
            stage["network"][key]
