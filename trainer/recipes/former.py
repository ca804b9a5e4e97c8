"""What runs and checkpoints of former versions hold: their names of recipes, and their records as those of today.

A recipe was one run then. What is several stages of one recipe today was as many recipes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

# What a run was called, and what it is called now: `RECIPE`, or `RECIPE:STAGE`.
FORMER_NAMES = {
    "student-68-base": "student-68:base",
    "student-68-second": "student-68:nearer",
    "student-68": "student-68:last",
    "student-68-lite-second": "student-68-lite:nearer",
    "student-68-lite": "student-68-lite:last",
    "teacher-dense-68": "teacher-dense-68:base",
    "teacher-dense-68-last": "teacher-dense-68:last",
    "teacher-tough-68-first": "teacher-tough-68:first",
    "teacher-tough-68": "teacher-tough-68:last",
    "student-68-pull": "student-68-points",
    "a-tough": "fard-mahoor/ours/tough",
    "a-tolerant": "fard-mahoor/ours/tolerant",
    "a-student-plain": "fard-mahoor/ours/student",
    "a-student-one-teacher": "fard-mahoor/ours/student-one-teacher",
    "a-student-kd": "fard-mahoor/ours/student-kd",
    "b-teacher": "hong-lin/ours/teacher",
    "b-student-plain": "hong-lin/ours/reference",
    "b-student-kd": "hong-lin/ours/reference-kd",
    "b-teacher-98": "hong-lin/ours/teacher-98",
    "b-student-plain-98": "hong-lin/ours/reference-98",
    "b-student-kd-98": "hong-lin/ours/reference-kd-98",
    "improved-student-plain": "hong-lin/ours/student",
    "improved-student-kd": "hong-lin/ours/student-kd",
    "teacher-swinv2-68-first": "teacher-swinv2-68:small",
    "teacher-swinv2-68": "teacher-swinv2-68:nearer",
    "student-mvit2-68-base": "student-mvit2-68:base",
    "student-mvit2-68-second": "student-mvit2-68:gentle",
    "student-mvit2-68-third": "student-mvit2-68:nearer",
    "student-mvit2-68": "student-mvit2-68:taught",
    "student-mvit2-68-alone-base": "student-mvit2-68-alone:base",
    "student-mvit2-68-alone-second": "student-mvit2-68-alone:gentle",
    "student-mvit2-68-alone-third": "student-mvit2-68-alone:nearer",
    "student-mvit2-68-alone": "student-mvit2-68-alone:plain",
    "faithful-mvit2-68-base": "reference-mvit2-68:base",
    "faithful-mvit2-68": "reference-mvit2-68:gentle",
}
# Fields that were called otherwise: of a recipe, and of its loss.
FIELDS = {"shape": "network", "start": "init"}
LOSS_FIELDS = {"pull_weight": "point_distillation_weight", "reading": "variant"}


def field_path(key: str) -> list[str]:
    """Return the parts of a field's name, such as `loss.kd.main_weight`, as it is called today."""
    path = [LOSS_FIELDS.get(part, part) for part in key.removeprefix("distillation.").split(".")]
    return [FIELDS.get(path[0], path[0]), *path[1:]]


def run_of(weights: str) -> str:
    """Return the name of the run that a path such as `runs/student-68/last.safetensors` means; others stay."""
    parts = Path(weights).parts
    if len(parts) == 3 and (parts[0], parts[2]) == ("runs", "last.safetensors"):
        return FORMER_NAMES.get(parts[1], parts[1])
    return weights


def translated(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record of a run of a former version as that of a `Training`; one of today stays as it is."""
    if "shape" not in values:
        return dict(values)
    record = {FIELDS.get(key, key): value for key, value in values.items()}
    taught = record.pop("distillation", {})
    record["network"] = {"kind": _kind(record["network"]), **record["network"]}
    change: dict[str, Callable[[Any], Any]] = {
        "name": lambda name: FORMER_NAMES.get(name, name),
        "init": run_of,
        "loss": _renamed,
    }
    record |= {key: change[key](record[key]) for key in change if key in record}
    return {
        **record,
        "teachers": [run_of(path) for path in taught.get("teachers", ())],
        "live": taught.get("live", False),
    }


def _renamed(values: Any) -> Any:
    """Return the record of a loss with the names that its fields have today."""
    if not isinstance(values, Mapping):
        return values
    return {LOSS_FIELDS.get(key, key): _renamed(value) for key, value in values.items()}


def _kind(shape: Mapping[str, Any]) -> str:
    """Return the kind of a network, no two of which have the same sizes."""
    return "heatmap" if "expansions" in shape else "star" if "neck" in shape else "regression"
