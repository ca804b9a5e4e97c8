"""The records of decisions: each has a number, a date and a status, and the index lists them all."""

import re
from datetime import date
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "decisions"
RECORDS = sorted(FOLDER.glob("[0-9]*.md"))
INDEX = (FOLDER / "README.md").read_text(encoding="utf-8")
HEAD = re.compile(r"# (?P<number>\d+)\. (?P<title>.+)\n\nDate: (?P<date>\d{4}-\d\d-\d\d) · Status: (?P<status>.+)\n\n")


def head(record):
    match = HEAD.match(record.read_text(encoding="utf-8"))
    assert match, f"{record.name} should begin with # N. TITLE, an empty line, Date: YYYY-MM-DD · Status: STATUS"
    return match


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)
def test_each_record_has_its_number_a_date_and_a_status(record):
    begins = head(record)
    assert record.name.startswith(f"{int(begins['number']):04}-")
    assert date.fromisoformat(begins["date"]) >= date(2026, 11, 21)
    assert re.fullmatch(r"accepted|accepted; amended by \S+|superseded (in part )?by \S+", begins["status"])
    for number, name in re.findall(r"\[(\d{4})\]\(([\w-]+\.md)\)", begins["status"]):
        assert name.startswith(f"{number}-")
        assert record.name < name, "a later record amends an earlier one"
        assert record.name in (FOLDER / name).read_text(encoding="utf-8"), f"{name} should say what it changes"


def test_numbers_have_no_gap():
    assert [int(record.name[:4]) for record in RECORDS] == list(range(1, len(RECORDS) + 1))


def test_the_index_lists_them_all():
    heads = [(record.name, head(record)) for record in RECORDS]
    rows = [
        f"| {found['number']} | [{found['title']}]({name}) | {found['date']} | {found['status']} |"
        for name, found in heads
    ]
    table = "\n".join(["| no. | decision | date | status |", "|---|---|---|---|", *rows]) + "\n"
    assert INDEX[INDEX.index("| no.") :] == table, f"docs/decisions/README.md should end with:\n{table}"


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)
def test_each_record_says_what_was_decided_and_why(record):
    text = record.read_text(encoding="utf-8")
    assert re.findall(r"^\*\*(Decision|Why)\.\*\*", text, re.MULTILINE) == ["Decision", "Why"]
