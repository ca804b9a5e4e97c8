"""The table of the models: sorted by any column, with mouse and keys, what is not known last."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QRect, Qt

from app.models.model_table import ERROR, NAME, SIZE, SPEED, ModelTable, Row
from app.models.reference import common_reference
from engine.batch.benchmark import Speed
from engine.inference.library import ModelEntry
from tests.fakes.models import FAKE_CARD

METRIC = {"data": "lfpw68", "split": "test", "box": "truth", "points": 68}


def entry(name, megabytes, error):
    metrics = () if error is None else ({**METRIC, "nme": error},)
    card = replace(FAKE_CARD, name=name, bytes=round(megabytes * 1e6), metrics=metrics)
    return ModelEntry(name, Path(f"{name}.tflite"), card, None)


ROWS = [
    Row(entry("b", 10.0, 3.0), Speed("b", 1, 9.0, 9.5, 1), (0,)),
    Row(entry("A", 2.0, 4.5), None, ()),
    Row(entry("c", 0.5, None), Speed("c", 1, 10.0, 9.5, 1), (1,)),
]


@pytest.fixture
def table(qtbot, themed):
    shown = ModelTable()
    qtbot.addWidget(shown)
    shown.show_rows(ROWS, common_reference(row.entry.card for row in ROWS), 0)
    shown.show()
    return shown


def names(table):
    return [row[0] for row in table.texts()]


@pytest.mark.parametrize(
    ("column", "rising", "falling"),
    [
        (NAME, ["A", "b", "c"], ["c", "b", "A"]),
        (SIZE, ["c", "A", "b"], ["b", "A", "c"]),
        (ERROR, ["b", "A", "c"], ["A", "b", "c"]),
        (SPEED, ["b", "c", "A"], ["c", "b", "A"]),
    ],
    ids=["name", "size", "error", "speed"],
)
def test_columns_sort_by_their_numbers_and_what_is_unknown_stays_last(table, column, rising, falling):
    table.sortByColumn(column, Qt.SortOrder.AscendingOrder)
    assert names(table) == rising
    table.sortByColumn(column, Qt.SortOrder.DescendingOrder)
    assert names(table) == falling
    assert table.chosen == 0, "the model stays chosen, wherever its row is"


def test_keys_sort(table, qtbot):
    table.setFocus()
    qtbot.keyClick(table, Qt.Key.Key_Right, delay=0)
    assert table.sortColumn() == NAME + 1
    for _ in range(2):
        qtbot.keyClick(table, Qt.Key.Key_Right)
    assert (table.sortColumn(), names(table)) == (SIZE, ["c", "A", "b"])
    qtbot.keyClick(table, Qt.Key.Key_Return)
    assert names(table) == ["b", "A", "c"]
    qtbot.keyClick(table, Qt.Key.Key_Left)
    assert table.sortColumn() == SIZE - 1


def test_the_order_stays_when_rows_are_shown_again(table):
    table.sortByColumn(SIZE, Qt.SortOrder.DescendingOrder)
    table.show_rows(ROWS, None, 2)
    assert names(table) == ["b", "A", "c"]
    assert table.chosen == 2
    assert table.currentItem().text(NAME) == "c"


def test_models_of_the_lanes_are_marked(table):
    marks = {item.text(NAME): item.icon(NAME).pixmap(40, 40).toImage() for item in table._items()}
    inks = {
        name: sum(image.pixelColor(x, y).alpha() > 0 for x in range(image.width()) for y in range(image.height()))
        for name, image in marks.items()
    }
    assert inks["A"] == 0
    assert min(inks["b"], inks["c"]) > 40
    assert marks["b"] != marks["c"]


def test_the_marks_of_all_four_lanes_are_seen(table):
    def ink(lanes):
        table.show_rows([replace(ROWS[0], lanes=lanes)], None, None)
        image = next(iter(table._items())).icon(NAME).pixmap(table.iconSize()).toImage()
        return sum(image.pixelColor(x, y).alpha() > 0 for x in range(image.width()) for y in range(image.height()))

    assert ink((3,)) == ink((0,)) > 40
    assert ink((0, 1, 2, 3)) == 4 * ink((0,))


def test_the_arrow_of_the_order_is_not_on_the_words_of_a_heading(table):
    def heading():
        header = table.header()
        left, width = header.sectionViewportPosition(SIZE), header.sectionSize(SIZE)
        return header.viewport().grab(QRect(left, 8, width, header.height() - 8)).toImage()

    plain = heading()
    table.sortByColumn(SIZE, Qt.SortOrder.AscendingOrder)
    assert heading() == plain


def test_the_heading_says_on_what_errors_were_measured(table):
    assert "lfpw68 test" in table.headerItem().toolTip(ERROR)
