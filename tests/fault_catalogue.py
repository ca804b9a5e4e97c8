"""Which tests cover which fault; `python -m tests.fault_catalogue` writes the last column of docs/faults.md."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "faults.md"
ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
# In the names of tests, which may have several, and in words about them.
NUMBERS = re.compile(r"(?:def test_faults?_(?:\d\d_)+|[Ff]ault \d{1,2}(?=\D))")
NOT_COVERED = "not covered"


class Row(NamedTuple):
    """A line of the catalogue."""

    number: int
    fault: str
    outcome: str
    tests: str

    def text(self) -> str:
        """The line as it stands in the document."""
        return f"| {self.number} | {self.fault} | {self.outcome} | {self.tests} |"


def rows(document: str) -> list[Row]:
    """All lines of the catalogue, in their order."""
    return [Row(int(match[1]), *(match[column].strip() for column in (2, 3, 4))) for match in ROW.finditer(document)]


def files_of_tests() -> dict[str, str]:
    """Names of the files of tests, below `tests/`, and what stands in them."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    return {file.relative_to(ROOT / "tests").as_posix(): file.read_text(encoding="utf-8") for file in files}


def coverage(files: dict[str, str]) -> dict[int, list[str]]:
    """For each number that tests speak of, the names of their files."""
    found: dict[int, list[str]] = {}
    for name, text in files.items():
        numbers = {int(number) for match in NUMBERS.finditer(text) for number in re.findall(r"\d+", match[0])}
        for number in sorted(numbers):
            found.setdefault(number, []).append(name)
    return found


def with_coverage(row: Row, covered: dict[int, list[str]]) -> Row:
    """The row with its tests of now; of an uncovered one, what the document says of it stays."""
    if row.number in covered:
        return row._replace(tests=", ".join(f"`{name}`" for name in covered[row.number]))
    return row if row.tests.startswith(NOT_COVERED) else row._replace(tests=NOT_COVERED)


def updated(document: str, covered: dict[int, list[str]]) -> str:
    """The document with the tests of now in each line."""
    for row in rows(document):
        document = document.replace(row.text(), with_coverage(row, covered).text())
    return document


if __name__ == "__main__":
    DOCUMENT.write_text(updated(DOCUMENT.read_text(encoding="utf-8"), coverage(files_of_tests())), encoding="utf-8")
