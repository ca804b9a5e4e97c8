"""The recipes as the trainer lists them, and what a former run changed of one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.core.errors import UsageError

PLAIN = (bool, int, float, str)


@dataclass(frozen=True)
class RecipeFacts:
    """What is known of a recipe.

    Attributes:
        name: as `understudy train` takes it.
        description: a sentence.
        values: its fields as plain values.
    """

    name: str
    description: str
    values: Mapping[str, Any]

    @property
    def packs(self) -> tuple[str, ...]:
        """Names of the packs that it trains on."""
        return tuple(str(pack["name"]) for pack in self.values["packs"])

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
        recipes = [RecipeFacts(entry["name"], entry["description"], entry["recipe"]) for entry in entries]
        for recipe in recipes:
            assert_known(recipe.values)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UsageError(
            f"The trainer's list of recipes cannot be read ({error})",
            "the trainer is of another version than the application",
            "install both anew, from one version",
        ) from error
    return recipes


def assert_known(values: Mapping[str, Any]) -> None:
    """Check that the fields that the page shows are there.

    Raises:
        LookupError: one is missing.
    """
    for key in ("steps", "batch", "start", "packs"):
        values[key]
    for key in ("points", "input_size"):
        values["shape"][key]


def changes_of(saved: Mapping[str, Any], recipe: Mapping[str, Any]) -> list[str]:
    """Return the `KEY=VALUE` changes that make `recipe` the saved one again.

    Only what `--set` can change is returned. Whatever else differs, the trainer refuses to go on with, and says so.
    """
    now = dict(_leaves(recipe, ""))
    return [
        f"{key}={value if isinstance(value, str) else json.dumps(value)}"
        for key, value in _leaves(saved, "")
        if key in now and value != now[key] and _settable(value)
    ]


def _settable(value: Any) -> bool:
    return all(isinstance(part, PLAIN) for part in value) if isinstance(value, list) else isinstance(value, PLAIN)


def _leaves(values: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value
