"""docs/keys.md lists the keys of the window, all of them and no others; README's keys are among them."""

import re
from pathlib import Path

from app.shortcuts.shortcuts import HOTKEYS, Group

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = (ROOT / "docs" / "keys.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def table_of(group):
    """Return the lines of the document that belong to a group of keys."""
    rows = [
        f"| {', '.join(f'`{key}`' for key in line.keys)} | {line.words} |" for line in HOTKEYS if line.group is group
    ]
    return "\n".join([f"## {group.value}", "| key | what it does |", "|---|---|", *rows]) + "\n"


def test_the_document_is_the_table_of_the_window():
    tables = "\n".join(table_of(group) for group in Group)
    assert DOCUMENT[DOCUMENT.index("## ") :] == tables, f"docs/keys.md should end with:\n{tables}"


def test_keys_in_the_readme_are_keys_of_the_window():
    section = re.search(r"^#+ Keys\n(.*?)^#", README, re.DOTALL | re.MULTILINE)
    assert section, "the README has no section on keys"
    named = set(re.findall(r"`([^`]+)`", section[1]))
    assert named
    assert named <= {key for line in HOTKEYS for key in line.keys}
