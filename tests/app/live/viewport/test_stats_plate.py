"""The numbers of a lane: each with its unit, true to its label, and legible."""

import math
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt

from app.live.viewport.captions import Line
from app.live.viewport.stats_plate import StatsPlate
from app.live.viewport.stats_report import (
    UNKNOWN,
    Row,
    StatsReport,
    quality_rows,
    short_line,
    speed_row,
    spoken,
    time_rows,
)
from engine.core.stats import Meter, Spread
from tests.fakes.views import STATS

CAPTION = (Line("student-68", colour="#4fd8f0"), Line("Student · 68 points · 2.2 MB", muted=True))
REPORT = StatsReport(CAPTION, STATS, Spread(23.4, 31.06))


@pytest.fixture
def plate(qtbot, themed):
    shown = StatsPlate()
    qtbot.addWidget(shown)
    shown.show_report(REPORT)
    shown.show()
    qtbot.waitExposed(shown)
    return shown


def pixels(widget):
    image = widget.grab().toImage()
    return np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4).copy()


def test_speed_is_throughput_with_its_unit():
    assert speed_row(STATS) == Row("", ("29.7",), "results/s")
    assert speed_row(Meter().stats()) == Row("", (UNKNOWN,), "results/s")


def test_the_latency_has_one_name():
    assert time_rows(REPORT, details=False) == (Row("capture to screen", ("23.4", "31.1"), "ms"),)
    assert time_rows(replace(REPORT, screen=None), details=False)[0].numbers == (UNKNOWN, UNKNOWN)


def test_details_show_every_stage_and_what_was_not_measured_stays_unknown():
    rows = time_rows(REPORT, details=True)
    assert [row.label for row in rows] == ["capture to screen", "detect", "landmark", "smooth", "draw"]
    assert rows[2] == Row("landmark", ("5.25", "9.00"), "ms")
    assert all(row.unit == "ms" for row in rows)
    rested = replace(REPORT, stats=replace(STATS, latency_ms={}))
    assert time_rows(rested, details=True)[1].numbers == (UNKNOWN, UNKNOWN)


def test_accuracy_is_reported_only_against_the_truth():
    known = replace(REPORT, stats=replace(STATS, nme=2.345), distance=1.0)
    assert quality_rows(known, details=False) == (Row("NME", ("2.35",), "% of eye distance"),)
    assert quality_rows(REPORT, details=False) == ()


@pytest.mark.parametrize("nme", [None, math.nan, math.inf])
def test_distance_stands_in_for_a_missing_truth_and_says_that_it_is_no_accuracy(nme):
    report = replace(REPORT, stats=replace(STATS, nme=nme), distance=2.14, roles=("Student", "Teacher"))
    (row,) = quality_rows(report, details=False)
    assert row == Row("difference", ("2.14",), "% of eye distance", "Student and Teacher, not accuracy")
    (row,) = quality_rows(replace(report, roles=()), details=False)
    assert row.note == "between the models, not accuracy"


def test_details_show_faces_found_jitter_cost_and_dropped_frames_with_their_units():
    rows = quality_rows(REPORT, details=True)
    assert rows == (
        Row("face found", ("100",), "% of frames"),
        Row("jitter while still", ("0.21",), "% of eye distance"),
        Row("CPU", ("42.0",), "% of one core"),
        Row("dropped", ("7",), "frames"),
    )
    fresh = quality_rows(replace(REPORT, stats=Meter().stats()), details=True)
    assert [row.numbers for row in fresh] == [(UNKNOWN,), (UNKNOWN,), (UNKNOWN,), ("0",)]


def test_a_model_that_misses_faces_cannot_hide_it_behind_its_error():
    rows = quality_rows(replace(REPORT, stats=replace(STATS, nme=1.5, found=0.4)), details=True)
    assert rows[:2] == (Row("NME", ("1.50",), "% of eye distance"), Row("face found", ("40.0",), "% of frames"))


def test_a_shortened_plate_shows_the_model_and_its_numbers(plate):
    plate.shorten(400.0)
    assert [line.text for line in plate._brief_lines(400.0)] == ["student-68", short_line(REPORT)]
    width = plate.width()
    plate.show_report(replace(REPORT, stats=replace(STATS, fps=9.0)))
    assert plate.width() == width, "it does not change with every digit"
    plate.show_report(replace(REPORT, stats=None))
    assert [line.text for line in plate._brief_lines(400.0)] == [line.text for line in REPORT.lines[:2]]


def test_a_shortened_plate_keeps_to_its_width(plate):
    whole = plate.size()
    plate.shorten(90.0)
    assert plate.width() == 90
    assert plate.height() < whole.height() / 2
    assert plate.whole_size() == whole
    plate.shorten(None)
    assert plate.size() == whole


def test_everything_can_be_heard(plate):
    said = plate.accessibleDescription()
    assert plate.accessibleName() == "Numbers of student-68"
    assert said == spoken(REPORT)
    assert "29.7 results/s" in said
    assert "capture to screen median 23.4, 95th percentile 31.1 ms" in said
    assert "CPU 42.0 % of one core" in said
    assert UNKNOWN not in spoken(replace(REPORT, stats=Meter().stats(), screen=None))


def test_a_click_and_the_keys_show_the_details_and_hide_them_again(plate, qtbot):
    plate.details_wanted.connect(plate.show_details)
    compact = plate.height()
    qtbot.mouseClick(plate, Qt.MouseButton.LeftButton)
    assert plate.height() > compact + 4 * plate.fontMetrics().height()
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Space):
        qtbot.keyClick(plate, key)
    qtbot.keyClick(plate, Qt.Key.Key_Enter)
    assert plate.height() == compact


def test_a_right_click_and_other_keys_change_nothing(plate, qtbot):
    plate.details_wanted.connect(plate.show_details)
    compact = plate.height()
    qtbot.mouseClick(plate, Qt.MouseButton.RightButton)
    qtbot.keyClick(plate, Qt.Key.Key_A)
    assert plate.height() == compact


def test_a_caption_alone_is_small_and_has_nothing_to_open(plate, qtbot):
    plate.details_wanted.connect(plate.show_details)
    before = plate.height()
    plate.show_report(StatsReport(CAPTION))
    low = plate.height()
    assert low < before
    qtbot.keyClick(plate, Qt.Key.Key_Return)
    assert plate.height() == low


def test_the_width_does_not_tremble_with_the_digits(plate):
    width = plate.width()
    for p95 in (9.0, 431.0, 1.0):
        plate.show_report(replace(REPORT, screen=Spread(p95 / 2, p95)))
        assert plate.width() == width
    longer = (*CAPTION, Line("same frame · shown 1234 ms after capture and some more", muted=True))
    plate.show_report(replace(REPORT, lines=longer))
    wide = plate.width()
    plate.show_report(REPORT)
    assert plate.width() == wide > width


def test_the_plate_is_painted_again_only_when_it_says_something_else(plate, monkeypatch):
    painted = []
    monkeypatch.setattr(plate, "_paint", lambda painter: painted.append(True))
    plate.show_report(REPORT)
    plate.grab()
    assert not painted
    plate.show_report(replace(REPORT, screen=Spread(1.0, 2.0)))
    plate.grab()
    assert painted


def test_nothing_is_cut_off_at_the_edges(plate):
    """The outermost pixels inside the plate's rounding bear its ground alone, no letters."""
    plate.show_details(True)
    plate.show_report(replace(REPORT, distance=2.14, roles=("Student", "Teacher")))
    seen = pixels(plate)[:, :, :3].max(2).astype(int)
    assert seen.max() > 200, "no letters are to be seen"
    inner = seen[12:-12, 3:-3]
    assert inner[:, :6].max() < 60
    assert inner[:, -6:].max() < 60
    assert seen[-6:-2, 12:-12].max() < 60


def test_the_focus_can_be_seen(plate, qtbot):
    plate.clearFocus()
    before = pixels(plate)
    plate.activateWindow()
    plate.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(plate.hasFocus)
    assert (pixels(plate) != before).any()
