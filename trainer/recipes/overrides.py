"""Changing fields of a recipe from the command line, `--set key=value`, with their types kept."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, get_type_hints

from engine.core.errors import UsageError
from engine.core.records import read_value
from trainer.recipes import RECIPES, PackChoice, Recipe

PLAIN = (bool, int, float, tuple)
PACKS = tuple[PackChoice, ...]


def recipe_by_name(name: str, changes: list[str]) -> Recipe:
    """Return a named recipe with `key=value` changes; `loss.wing_width=0.1` reaches into its parts.

    Values are words, or numbers and lists as JSON; packs are named.

    Raises:
        UsageError: there is no such recipe or field, or a value has the wrong type.
    """
    if name not in RECIPES:
        raise UsageError(
            f"There is no recipe “{name}”", f"the recipes are: {', '.join(RECIPES)}", "choose one of these"
        )
    recipe: Any = RECIPES[name]()
    for change in changes:
        key, sign, text = change.partition("=")
        if not sign:
            raise UsageError(f"“{change}” is no change", "the form is key=value", "write for instance --set steps=500")
        recipe = _with(recipe, key.split("."), text, change)
    return recipe


def _with(record: Any, path: list[str], text: str, change: str) -> Any:
    names = [field.name for field in dataclasses.fields(record)]
    if path[0] not in names:
        raise UsageError(
            f"“{change}” names no field", f"the fields here are: {', '.join(names)}", "correct the name before ="
        )
    old = getattr(record, path[0])
    if len(path) > 1 and dataclasses.is_dataclass(old):
        return dataclasses.replace(record, **{path[0]: _with(old, path[1:], text, change)})
    kind = get_type_hints(type(record))[path[0]]
    return dataclasses.replace(record, **{path[0]: _parsed(old, kind, text, change)})


def _parsed(old: Any, kind: Any, text: str, change: str) -> Any:
    if kind is str:
        return text
    if kind == PACKS:
        return _packs(old, text, change)
    if not isinstance(old, PLAIN):
        raise UsageError(
            f"“{change}” cannot be set as a whole",
            "the field has parts, or is off in this recipe",
            "change a part of it, key.part=value, or choose a recipe in which it is on",
        )
    try:
        return read_value(json.loads(text, parse_float=_number), kind, (change,))
    except ValueError:
        raise UsageError(
            f"“{change}” has a value of the wrong type", f"the field holds {old!r}", "give a value of the same type"
        ) from None


def _packs(old: tuple[PackChoice, ...], text: str, change: str) -> tuple[PackChoice, ...]:
    """Return packs by name: those that the recipe has as it has them, others with every n-th face for validation."""
    known = {pack.name: pack for pack in old}
    try:
        names = read_value(json.loads(text), tuple[str, ...], (change,))
    except ValueError:
        raise UsageError(
            f"“{change}” does not name packs",
            f"the field holds a list of names, here {json.dumps(list(known))}",
            """write for instance --set 'packs=["lfpw68", "mine"]'""",
        ) from None
    return tuple(known.get(name, PackChoice(name, validation=True)) for name in names)


def _number(text: str) -> float:
    """Return a number of JSON, whole where it has no fraction, as 1e3 has none."""
    number = float(text)
    return int(number) if number.is_integer() else number
