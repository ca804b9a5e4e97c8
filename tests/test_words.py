"""The words that the glossary avoids are in no code and in no document."""

from __future__ import annotations

import io
import re
import tokenize
from pathlib import Path

from tests.test_repository import FILES, ROOT

GLOSSARY = ROOT / "docs" / "GLOSSARY.md"
# Where avoided words are allowed: the glossary lists them, and the changelog describes the past.
EXEMPT = {GLOSSARY, ROOT / "CHANGELOG.md", Path(__file__).resolve()}
PRODUCT = ("app", "engine", "trainer", "tests", "tools", "assets", "docs", "start.py", "understudy.py")
ROW = re.compile(r"^\|.*\| *([^|]*?) *\|$", re.MULTILINE)
PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def avoided(glossary: str) -> tuple[set[str], set[str]]:
    """The words avoided everywhere, and those avoided as names, where `Slot` is a class and `slot` any name."""
    cells = [cell for cell in ROW.findall(glossary) if cell not in ("avoid", "---")]
    words = [word.strip() for cell in cells for word in cell.split(",") if word.strip()]
    names = {word.strip("`") for word in words if word.startswith("`")}
    return {word.lower() for word in words if not word.startswith("`")}, names


def prose_pattern(words: set[str]) -> re.Pattern[str]:
    """Finds the words, also in the plural, in any letters."""
    return re.compile(rf"\b(?:{'|'.join(sorted(map(re.escape, words)))})s?\b", re.IGNORECASE)


def names_in(source: str) -> set[str]:
    """All names in a Python file, those inside strings and remarks left out."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {token.string for token in tokens if token.type == tokenize.NAME}


def parts(name: str) -> set[str]:
    """The words that a name is made of, as written and in small letters."""
    found = set(PART.findall(name))
    return found | {part.lower() for part in found}


WORDS, NAMES = avoided(GLOSSARY.read_text(encoding="utf-8"))
DOCUMENTS = [file for file in FILES if file.suffix == ".md" and file not in EXEMPT]
MODULES = [file for file in FILES if file.suffix == ".py" and file.relative_to(ROOT).parts[0] in PRODUCT]
CODE = [file for file in MODULES if file not in EXEMPT]


def test_avoided_words_stand_nowhere():
    assert WORDS
    pattern = prose_pattern(WORDS)
    found = [
        f"{file.relative_to(ROOT)}:{at}: {line.strip()}"
        for file in (*CODE, *DOCUMENTS)
        for at, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line.replace("_", " "))
    ]
    assert found == [], "docs/GLOSSARY.md has the words to write instead"


def test_avoided_names_are_no_names_in_code():
    assert NAMES
    found = []
    for file in CODE:
        names = names_in(file.read_text(encoding="utf-8"))
        found += [f"{file.relative_to(ROOT)}: {name}" for name in sorted(names) if parts(name) & (NAMES | WORDS)]
    assert found == [], "docs/GLOSSARY.md has the words to write instead"


def test_the_column_is_read_and_words_are_found():
    table = "| word | meaning | avoid |\n|---|---|---|\n| **lane** | a model | rival, `Slot` |\n| **age** | old | |\n"
    assert avoided(table) == ({"rival"}, {"Slot"})
    pattern = prose_pattern({"rival"})
    assert [bool(pattern.search(line)) for line in ("Rivals meet", "arrival", "a rival's")] == [True, False, True]
    assert names_in('rival_lane = Old("a slot")  # a slot') == {"rival_lane", "Old"}
    assert parts("FilterKeeper") == {"Filter", "Keeper", "filter", "keeper"}
    assert parts("tap_offset2") == {"tap", "offset"}
    assert "Slot" in parts("HTTPSlot")
    assert "Slot" not in parts("slot_that_throws")
