"""The names of all recipes and their stages, known without making the recipes; a test compares them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.core.errors import UsageError
from engine.core.records import suggestion
from trainer.recipes.former import FORMER_NAMES

STAGES: dict[str, tuple[str, ...]] = {
    "student-68": ("base", "nearer", "last", "turned", "fine"),
    "student-68-lite": ("nearer", "last", "turned", "fine"),
    "teacher-dense-68": ("base", "last"),
    "student-68-alone": ("turned", "fine"),
    "student-68-lite-alone": ("turned", "fine"),
    "teacher-tough-68": ("first", "last"),
    "teacher-tolerant-68": ("soft",),
    "student-68-one-teacher": ("last",),
    "student-68-kd": ("last",),
    "student-68-points": ("last",),
    "fard-mahoor/tough": ("published",),
    "fard-mahoor/tolerant": ("published",),
    "fard-mahoor/student": ("published",),
    "fard-mahoor/student-kd": ("published",),
    "fard-mahoor/tough-98": ("published",),
    "fard-mahoor/tolerant-98": ("published",),
    "fard-mahoor/student-98": ("published",),
    "fard-mahoor/student-kd-98": ("published",),
    "fard-mahoor/tough-29": ("published",),
    "fard-mahoor/tolerant-29": ("published",),
    "fard-mahoor/student-29": ("published",),
    "fard-mahoor/student-kd-29": ("published",),
    "fard-mahoor/ours/tough": ("published",),
    "fard-mahoor/ours/tolerant": ("published",),
    "fard-mahoor/ours/student": ("published",),
    "fard-mahoor/ours/student-one-teacher": ("published",),
    "fard-mahoor/ours/student-kd": ("published",),
    "student-kd-68-plain": ("linear",),
    "student-kd-68": ("linear",),
    "hong-lin/teacher": ("published",),
    "hong-lin/student": ("published",),
    "hong-lin/student-kd": ("published",),
    "hong-lin/teacher-98": ("published",),
    "hong-lin/student-98": ("published",),
    "hong-lin/student-kd-98": ("published",),
    "hong-lin/ours/teacher": ("published",),
    "hong-lin/ours/reference": ("published",),
    "hong-lin/ours/reference-kd": ("published",),
    "hong-lin/ours/student": ("published",),
    "hong-lin/ours/student-kd": ("published",),
    "hong-lin/ours/teacher-98": ("published",),
    "hong-lin/ours/reference-98": ("published",),
    "hong-lin/ours/reference-kd-98": ("published",),
    "teacher-star-68": ("star",),
    "teacher-swinv2-68": ("small", "nearer"),
    "student-mvit2-68": ("base", "gentle", "nearer", "taught", "turned", "fine"),
    "student-mvit2-68-plain": ("plain",),
    "student-mvit2-68-256": ("taught",),
    "student-mvit2-68-alone": ("base", "gentle", "nearer", "plain"),
    "reference-mvit2-68": ("base", "gentle"),
    "student-mvit2-98": ("gentle",),
    "student-mvit2-68-turned-alone": ("turned", "fine"),
}


def find_stage(name: str, stage: str | None, stages: Mapping[str, Iterable[str]]) -> tuple[str, str | None]:
    """Return the recipe that a name means, and the one of its stages that it or `stage` chooses; None for all.

    Args:
        name: of a recipe, or of one of its stages as `RECIPE:STAGE`; former names count too.
        stage: the name of the stage, which counts more than that in `name`.
        stages: the names of all recipes' stages.

    Raises:
        UsageError: there is no such recipe or stage.
    """
    recipe, _, own = (name if name in stages else FORMER_NAMES.get(name, name)).partition(":")
    if recipe not in stages:
        near = suggestion(name, [*stages, *FORMER_NAMES], "choose one of these")
        raise UsageError(f"There is no recipe “{name}”", f"the recipes are: {', '.join(stages)}", near)
    wanted = stage or own or None
    if wanted and wanted not in stages[recipe]:
        raise UsageError(
            f"The recipe {recipe} has no stage “{wanted}”",
            f"its stages are: {', '.join(stages[recipe])}",
            "name one of these",
        )
    return recipe, wanted


def check_changes(changes: Iterable[str]) -> None:
    """Raise `UsageError` unless each change has the form `key=value`."""
    for change in changes:
        if "=" not in change:
            raise UsageError(f"“{change}” is no change", "the form is key=value", "write for instance --set steps=500")
