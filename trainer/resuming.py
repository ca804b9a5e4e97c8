"""Whether a run may go on: the recipe and the data have to be those it began with."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.core.errors import UsageError
from trainer.checkpoint import Checkpoint
from trainer.recipes import Recipe

NOTHING = "nothing"


def refuse_other_recipe(recipe: Recipe, checkpoint: Checkpoint, folder: Path) -> None:
    """Refuse to go on by another recipe than the checkpoint's.

    Raises:
        UsageError: a field differs.
    """
    changed = list(differences(recipe, checkpoint.recipe))
    if changed:
        raise UsageError(
            f"The run {folder} was made with another recipe",
            f"these fields differ: {'; '.join(changed)}",
            "resume with the same --set values, or start a new run in another --out",
        )


def refuse_other_data(notes: Mapping[str, Any], checkpoint: Checkpoint, folder: Path) -> None:
    """Refuse to go on with other data than the checkpoint's.

    Args:
        notes: `data`, the digest of the packs, and `files`, the digests of other files that labels come from.
        checkpoint: where the run stands; what an old one does not tell is taken as unchanged.
        folder: of the run.

    Raises:
        UsageError: a digest differs.
    """
    before = checkpoint.notes
    changed = ["the packs"] if before.get("data", notes["data"]) != notes["data"] else []
    changed += [file for file, digest in notes["files"].items() if before.get("files", {}).get(file, digest) != digest]
    if changed:
        raise UsageError(
            f"The run {folder} was made with other data",
            f"since its checkpoint was written, these have changed: {', '.join(changed)}",
            "give the same data with --data, or start a new run in another --out",
        )


def differences(recipe: Recipe, saved: Mapping[str, Any]) -> Iterator[str]:
    """Yield `field: old -> new` for each field in which a recipe differs from a saved one.

    Args:
        recipe: the new one.
        saved: the old one as plain values. Fields that it lacks are younger than it and had their defaults.
    """
    yield from _differences(recipe, saved, "")


def _differences(new: Any, old: Any, path: str) -> Iterator[str]:
    if dataclasses.is_dataclass(new) and isinstance(old, Mapping):
        fields = {field.name: field for field in dataclasses.fields(new)}
        for name, field in fields.items():
            yield from _differences(getattr(new, name), old.get(name, _default(field)), _below(path, name))
        for name in sorted(old.keys() - fields.keys()):
            yield f"{_below(path, name)}: {_told(old[name])} -> {NOTHING}"
    elif isinstance(new, tuple) and isinstance(old, (list, tuple)) and len(new) == len(old) and _records(new):
        for index, (entry, before) in enumerate(zip(new, old, strict=True)):
            yield from _differences(entry, before, f"{path}[{index}]")
    elif _plain(new) != _plain(old):
        yield f"{path}: {_told(old)} -> {_told(new)}"


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    return NOTHING if field.default_factory is dataclasses.MISSING else field.default_factory()


def _records(values: tuple[Any, ...]) -> bool:
    return any(dataclasses.is_dataclass(value) for value in values)


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _plain(value: Any) -> Any:
    """Return the value as it is after a way through JSON, which turns records into objects and tuples into lists."""
    return json.loads(json.dumps(value, default=dataclasses.asdict))


def _told(value: Any) -> str:
    return value if value is NOTHING else json.dumps(_plain(value), ensure_ascii=False)
