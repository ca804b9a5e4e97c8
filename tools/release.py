"""Checks that a tag may become a release, and prints its notes: python -m tools.release v0.1.0."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEADING = re.compile(r"^## (?P<name>Unreleased|\d+\.\d+\.\d+)(?: \((?P<date>\d{4}-\d\d-\d\d)\))?$", re.MULTILINE)


def main(arguments: list[str]) -> int:
    """Print the notes of the tag; the exit code is 1, and a sentence says why, where it may not be released."""
    (tag,) = arguments
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    try:
        sys.stdout.write(notes(tag, project["version"], (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")))
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def notes(tag: str, version: str, changelog: str) -> str:
    """Return what the changelog says of a version.

    Raises:
        ValueError: the tag is not that of the version, or the changelog has no dated entry of it, or a later one.
    """
    if tag != f"v{version}":
        raise ValueError(f"The tag {tag} is not v{version}, the version in pyproject.toml. Change one of them.")
    parts = entries(changelog)
    if not parts or parts[0][0] != version or not parts[0][1]:
        raise ValueError(
            f"The first entry of CHANGELOG.md is not “## {version} (date)”. Give what is under “Unreleased” a version "
            "and a date, and pyproject.toml the same version."
        )
    return parts[0][2].strip() + "\n"


def entries(changelog: str) -> list[tuple[str, str, str]]:
    """Return name, date (YYYY-MM-DD, "" if there is none) and text of each entry, the newest first."""
    found = list(HEADING.finditer(changelog))
    ends = [match.start() for match in found[1:]] + [len(changelog)] * bool(found)
    parts = zip(found, ends, strict=True)
    return [(match["name"], match["date"] or "", changelog[match.end() : end]) for match, end in parts]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
