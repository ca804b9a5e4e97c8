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
        former_names: what it, or a stage of it, was called in former versions.
        points: landmarks that its network finds.
        input_size: side of the network's input, in pixels.
        steps: of each stage.
        batch: faces in a step of the last stage.
        init: what the first stage starts from.
        packs: names of the packs that it trains on.
    """

    name: str
    description: str
    former_names: tuple[str, ...]
    points: int
    input_size: int
    steps: tuple[int, ...]
    batch: int
    init: str
    packs: tuple[str, ...]


def recipe_facts(entry: Mapping[str, Any]) -> RecipeFacts:
    """Return what the page shows of a recipe in the trainer's list.

    Raises:
        LookupError, TypeError: it is of another form.
    """
    stages = entry["stages"]
    network = stages[-1]["network"]
    return RecipeFacts(
        entry["name"],
        entry["description"],
        tuple(entry.get("former_names", ())),
        network["points"],
        network["input_size"],
        tuple(stage["steps"] for stage in stages),
        stages[-1]["batch"],
        stages[0]["init"],
        tuple(dict.fromkeys(str(pack["name"]) for stage in stages for pack in stage["packs"])),
    )


def read_recipes(file: Path) -> list[RecipeFacts]:
    """Read what `understudy train --list --json FILE` wrote.

    Raises:
        UsageError: it is not such a list.
    """
    try:
        return [recipe_facts(entry) for entry in json.loads(file.read_text(encoding="utf-8"))["recipes"]]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UsageError(
            f"The trainer's list of recipes cannot be read ({error})",
            "the trainer is of another version than the application",
            "install both again, from one version",
        ) from error
