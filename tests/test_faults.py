"""docs/faults.md has every number that tests use, and says correctly which tests cover what."""

from __future__ import annotations

import re

from tests.fault_catalogue import DOCUMENT, NOT_COVERED, Row, coverage, files_of_tests, rows, updated, with_coverage

TEXT = DOCUMENT.read_text(encoding="utf-8")
ROWS = rows(TEXT)
FILES = files_of_tests()


def test_numbers_are_complete_and_in_order():
    assert [row.number for row in ROWS] == list(range(1, 93))


def test_no_line_of_the_catalogue_is_overlooked():
    assert len(re.findall(r"^\| \d", TEXT, re.MULTILINE)) == len(ROWS)


def test_every_number_in_the_tests_is_in_the_catalogue():
    assert set(coverage(FILES)) - {row.number for row in ROWS} == set()
    odd = [name for text in FILES.values() for name in re.findall(r"def (test_fault_(?!\d\d_)\w*)", text)]
    assert odd == [], "two digits stand behind fault_"


def test_the_tests_of_each_fault_are_those_that_there_are():
    covered = coverage(FILES)
    assert [row for row in ROWS if row != with_coverage(row, covered)] == [], "python -m tests.fault_catalogue mends it"


def test_tests_named_for_uncovered_faults_exist():
    """Some faults are tested in part by tests without their number; the catalogue names these."""
    named = [
        name for row in ROWS if row.tests.startswith(NOT_COVERED) for name in re.findall(r"`(test_\w+)`", row.tests)
    ]
    text = "\n".join(FILES.values())
    assert [name for name in named if f"def {name}(" not in text] == []


def test_a_fault_without_a_test_says_why_it_has_none():
    bare = [row.number for row in ROWS if row.tests.startswith(NOT_COVERED) and len(row.tests) < len(NOT_COVERED) + 20]
    assert bare == []
    assert len([row for row in ROWS if row.tests.startswith(NOT_COVERED)]) <= 5, "what needs other machines"


def test_each_fault_says_what_must_happen():
    assert [row.number for row in ROWS if not row.fault.endswith((".", "?")) or not row.outcome.endswith(".")] == []
    assert len({row.fault for row in ROWS}) == len(ROWS)


def test_coverage_is_read_from_names_and_docstrings():
    files = {
        "a.py": "def test_fault_04_x():\n",
        "b.py": '"""Fault 22: y."""\ndef test_fault_04_z():',
        "c.py": "default 7",
        "d.py": "def test_faults_04_08_both():",
    }
    assert coverage(files) == {4: ["a.py", "b.py", "d.py"], 22: ["b.py"], 8: ["d.py"]}


def test_a_wrong_line_is_brought_up_to_date():
    lines = [Row(4, "x.", "y.", "`old.py`"), Row(5, "x.", "z.", "not covered: why"), Row(6, "a.", "b.", "`gone.py`")]
    after = updated("\n".join(row.text() for row in lines), {4: ["a.py", "b.py"]})
    assert [row.tests for row in rows(after)] == ["`a.py`, `b.py`", "not covered: why", "not covered"]
