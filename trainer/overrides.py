"""Changing fields of a recipe from the command line, `--set key=value`, with their types kept."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, get_type_hints

from engine.errors import UsageError
from trainer.recipes import RECIPES, Recipe

PLAIN = (int, float, str)


def recipe_by_name(name: str, changes: list[str]) -> Recipe:
    """Return a named recipe with `key=value` changes; `loss.wing_width=0.1` reaches into its parts.

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
    try:
        if kind is str or isinstance(old, str):
            return text
        value = json.loads(text)
        if kind in (int, float) and isinstance(value, (int, float)) and not isinstance(value, bool):
            if kind(value) == value:
                return kind(value)
        elif isinstance(old, bool) and isinstance(value, bool):
            return value
        elif isinstance(old, tuple) and isinstance(value, list) and all(isinstance(v, PLAIN) for v in value):
            return tuple(value)
    except ValueError:
        pass
    raise UsageError(
        f"“{change}” has a value of the wrong type", f"the field holds {old!r}", "give a value of the same type"
    )
