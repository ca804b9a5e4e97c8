"""The names of all recipes and their stages, and what kind they are, known without making the recipes."""

from __future__ import annotations

# The recipes for somebody without data sets, and what `train` makes their pack of by itself.
MADE_OF = {"own-68": "pictures", "toy-68": "sample"}
GROUPS = ("start", "students", "teachers", "papers")


def group_of(recipe: str) -> str:
    """Return which of `GROUPS` a recipe belongs to."""
    if recipe in MADE_OF:
        return "start"
    if "/" in recipe or recipe.startswith("reference"):
        return "papers"
    return "teachers" if recipe.startswith("teacher") else "students"


STAGES: dict[str, tuple[str, ...]] = {
    "own-68": ("own",),
    "toy-68": ("toy",),
    "student-68": ("base", "nearer", "last", "fine", "whole", "retaught"),
    "student-68-lite": ("nearer", "last", "fine", "whole", "retaught"),
    "teacher-dense-68": ("base", "last"),
    "student-68-alone": ("fine", "whole", "retaught"),
    "student-68-lite-alone": ("fine", "whole", "retaught"),
    "teacher-tough-68": ("first", "last"),
    "teacher-68": ("whole", "retaught"),
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
    "student-mvit2-68": ("base", "gentle", "nearer", "taught", "fine", "whole", "retaught", "turned"),
    "student-mvit2-68-plain": ("plain",),
    "student-mvit2-68-256": ("taught",),
    "student-mvit2-68-alone": ("base", "gentle", "nearer", "plain"),
    "reference-mvit2-68": ("base", "gentle"),
    "student-mvit2-98": ("gentle",),
    "student-mvit2-68-fine-alone": ("fine", "whole", "retaught", "turned"),
}
