"""Recipes by name, with fields changed from the command line: `--set key=value`, with their types kept."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import Any, get_type_hints

from engine.core.errors import UsageError
from engine.core.records import Mistake, read_record, read_value
from engine.core.texts import read_text
from trainer.recipes import RECIPES
from trainer.recipes.arguments import check_changes, find_stage
from trainer.recipes.former import FORMER_NAMES, field_path
from trainer.recipes.schema import PackChoice, Training

PLAIN = (bool, int, float, tuple)
PACKS = tuple[PackChoice, ...]
LARGEST_FILE = 10_000_000  # bytes, of a list of packs


def run_name(name: str) -> str:
    """Return the full name of the run that a name means: of a recipe its last stage, of a former name today's."""
    if name not in RECIPES:
        return FORMER_NAMES.get(name, name)
    return RECIPES[name].trainings(name)[-1].name


def trainings_by_name(name: str, changes: Sequence[str] = (), stage: str | None = None) -> tuple[Training, ...]:
    """Return the stages of a recipe with `key=value` changes; `loss.wing_width=0.1` reaches into its parts.

    A change counts for every stage, `init` for the first; `STAGE.key=value` for one. Values are words, or numbers and
    lists as JSON; packs are named.

    Args:
        name: of a recipe, or of one of its stages as `RECIPE:STAGE`; former names count too.
        changes: what to change.
        stage: the only one to return.

    Raises:
        UsageError: there is no such recipe, stage or field, a value has the wrong type, or the stages differ in the
            field.
    """
    stages = {recipe: [stage.name for stage in RECIPES[recipe].stages] for recipe in RECIPES}
    recipe, wanted = find_stage(name, stage, stages)
    trainings = RECIPES[recipe].trainings(recipe)
    if wanted:
        trainings = (trainings[stages[recipe].index(wanted)],)
    return changed(stages_by_name(trainings), changes)


def stages_by_name(trainings: Sequence[Training]) -> dict[str, Training]:
    """Return trainings by the names of their stages."""
    return {_stage_name(training.name): training for training in trainings}


def _stage_name(name: str) -> str:
    """Return the name of the stage of a training, also of a recipe of one stage, whose run has the recipe's name."""
    recipe, _, stage = name.partition(":")
    return stage or (RECIPES[recipe].stages[0].name if recipe in RECIPES else recipe)


def changed(
    stages: dict[str, Training], changes: Sequence[str], in_front: Collection[str] = ()
) -> tuple[Training, ...]:
    """Return trainings, given by the names of their stages, with `key=value` changes.

    Where a change names no field, `in_front` is said to be what can stand before one; usually the stages.
    """
    check_changes(changes)
    by_run = {training.name: stage for stage, training in stages.items()}  # of one stage: the name of the recipe
    for change in changes:
        key, _, text = change.partition("=")
        stage, _, rest = key.partition(".")
        stage = by_run.get(stage, stage)
        # Of one stage alone, which may be called like a field, the field is meant.
        named = stage in stages and bool(rest) and not (len(stages) == 1 and stage in _settable(Training))
        path = field_path(rest if named else key)
        chosen = [stage] if named else list(stages)[: 1 if path == ["init"] else None]
        _refuse_unknown(path[0], change, in_front or stages)
        after = {stage: _with(stages[stage], path, text, change) for stage in chosen}
        before = list(map(attrgetter(".".join(path)), (stages[stage] for stage in chosen)))
        if any(value != before[0] for value in before) and path != ["packs"]:
            raise UsageError(
                f"“{change}” could mean several stages",
                f"{key} differs in the stages {', '.join(chosen)}",
                f"write for instance --set {chosen[-1]}.{change}, or choose one with --stage",
            )
        stages = {**stages, **after}
    return tuple(stages.values())


def _refuse_unknown(key: str, change: str, in_front: Collection[str]) -> None:
    names = _settable(Training)
    if key not in names:
        raise UsageError(
            f"“{change}” names no field",
            f"the fields are: {', '.join(names)}; in front of one can stand, with a dot: {', '.join(in_front)}",
            "correct the name before =",
        )


def _settable(record: Any) -> list[str]:
    return [field.name for field in dataclasses.fields(record) if field.name not in ("name", "kind")]


def _with(record: Any, path: Sequence[str], text: str, change: str) -> Any:
    names = _settable(record)
    if path[0] not in names:
        raise UsageError(
            f"“{change}” names no field", f"the fields here are: {', '.join(names)}", "correct the name before ="
        )
    old = getattr(record, path[0])
    if len(path) > 1:
        if not dataclasses.is_dataclass(old):
            raise UsageError(
                f"“{change}” names no field",
                f"{path[0]} has no parts, or is off in this stage",
                "set it as a whole, or name a stage in which it is on: --set STAGE.FIELD=VALUE",
            )
        return replace(record, **{path[0]: _with(old, path[1:], text, change)})
    kind = get_type_hints(type(record))[path[0]]
    value = _parsed(old, kind, text, change)
    # Steps that are set count, not the epochs.
    rest = {"epochs": None} if path[0] == "steps" and isinstance(record, Training) else {}
    return replace(record, **{path[0]: value}, **rest)


def _parsed(old: Any, kind: Any, text: str, change: str) -> Any:
    if kind is str:
        return text
    if kind == str | None:
        return None if text == "null" else text
    if kind == PACKS:
        return _packs(old, text, change)
    if not isinstance(old, PLAIN) and kind != float | None:
        raise UsageError(
            f"“{change}” cannot be set as a whole",
            "the field has parts, or is off in this recipe",
            "change a part of it, key.part=value, or choose a recipe in which it is on",
        )
    try:
        return read_value(json.loads(text, parse_float=_number), kind, (change,))
    except (ValueError, RecursionError):
        raise UsageError(
            f"“{change}” has a value of the wrong type", f"the field holds {old!r}", "give a value of the same type"
        ) from None


def _packs(old: tuple[PackChoice, ...], text: str, change: str) -> tuple[PackChoice, ...]:
    """Return packs by name or as records, in a list or in a JSON file that holds one.

    Those of a recipe are taken as this one has them, or else the first that does; of others every n-th face is for
    validation. A record changes what it names of that.
    """
    recipes = (*RECIPES.values(),)[::-1]
    in_recipes = (pack for recipe in recipes for stage in recipe.stages[::-1] for pack in stage.packs)
    known = {pack.name: pack for pack in in_recipes if not pack.relabel}
    known |= {pack.name: pack for pack in old}
    try:
        entries = json.loads(read_text(Path(text), LARGEST_FILE) if text.endswith(".json") else text)
        packs = tuple(_pack(entry, known) for entry in entries) if isinstance(entries, list) else ()
        if not packs and change.partition("=")[0].endswith("packs"):
            raise ValueError
    except OSError as error:
        raise UsageError(
            f"The list of packs {text} cannot be read ({error.strerror})", "it was moved", "give its right path"
        ) from error
    except Mistake as mistake:
        fields = ", ".join(entry.name for entry in dataclasses.fields(PackChoice))
        raise UsageError(
            f"A record of “{change}” does not describe a pack", str(mistake), f"write its fields so: {fields}"
        ) from None
    except (ValueError, TypeError, RecursionError):
        raise UsageError(
            f"“{change}” does not name packs",
            f"the field holds a list of names or records, here {json.dumps([pack.name for pack in old])}",
            """write for instance --set 'packs=["lfpw68", {"name": "mine", "label_shift": 0.5}]'""",
        ) from None
    return packs


def _pack(entry: Any, known: Mapping[str, PackChoice]) -> PackChoice:
    if not isinstance(entry, str | dict):
        raise TypeError
    record = entry if isinstance(entry, dict) else {"name": entry}
    if not isinstance(record.get("name"), str):
        raise Mistake(("name",), "it lacks the name of its pack", "", "")
    usual = known.get(record["name"], PackChoice(record["name"], validation=True))
    return read_record(PackChoice, {**dataclasses.asdict(usual), **record}, ("packs",))


def _number(text: str) -> float:
    """Return a number of JSON, whole where it has no fraction, as 1e3 has none."""
    number = float(text)
    return int(number) if number.is_integer() else number
