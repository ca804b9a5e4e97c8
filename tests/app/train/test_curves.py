"""Curves and the time left of a training."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest

from app.theme.theme import DARK
from app.train.controller import TimeLeft
from app.train.curves import MOST_DRAWN, CurveChart, smoothed, thinned
from app.train.run_view import duration_words


def test_running_mean_keeps_a_straight_line_and_calms_noise():
    line = tuple((step, 2.0 * step) for step in range(100))
    means = [value for _, value in smoothed(line)]
    assert means[10:90] == pytest.approx([value for _, value in line][10:90])
    noise = tuple((step, float(step % 2)) for step in range(100))
    assert all(0.2 < value < 0.8 for _, value in smoothed(noise))


def test_a_long_line_is_drawn_by_the_extremes_of_its_stretches():
    long = tuple((step, float(step % 7) + 100 * (step == 12_345)) for step in range(20_000))
    drawn = thinned(long)
    assert MOST_DRAWN / 2 <= len(drawn) <= MOST_DRAWN
    assert (12_345, long[12_345][1]) in drawn
    assert set(drawn) <= set(long)
    assert sorted(drawn) == list(drawn)
    assert thinned(long[:MOST_DRAWN]) == long[:MOST_DRAWN]


@pytest.fixture
def chart(qtbot, themed):
    shown = CurveChart("NME", " %")
    qtbot.addWidget(shown)
    shown.resize(400, 240)
    shown.show()
    return shown


def painted(chart, colour):
    """Return the columns in which a colour is seen."""
    image = chart.grab().toImage()
    wanted = QColor(colour).rgb()
    return [x for x in range(image.width()) for y in range(image.height()) if image.pixel(x, y) == wanted]


def test_chart_draws_its_curve_as_far_as_the_run_has_come(chart):
    assert painted(chart, DARK.accent) == []
    chart.show_points(((10, 5.0), (50, 4.0)), 100)
    columns = painted(chart, DARK.accent)
    plot = chart._plot()
    assert min(columns) == pytest.approx(plot.left() + 0.1 * plot.width(), abs=4)
    assert max(columns) == pytest.approx(plot.left() + 0.5 * plot.width(), abs=4)


def test_chart_says_what_it_shows(chart):
    assert chart.words() == "No values yet."
    chart.show_points(((10, 5.0), (20, 3.5), (30, 4.25)), 100)
    assert chart.accessibleDescription() == "Latest 4.25 %, lowest 3.5 % at step 20"


def test_mouse_asks_for_a_point(chart):
    chart.show_points(((10, 5.0), (50, 4.0), (90, 3.0)), 100)
    before = chart.grab().toImage()
    plot = chart._plot()
    QTest.mouseMove(chart, QPointF(plot.left() + 0.45 * plot.width(), plot.center().y()).toPoint())
    assert chart._near == (50, 4.0)
    assert chart.grab().toImage() != before
    assert chart.focusPolicy() == Qt.FocusPolicy.NoFocus


class Clock:
    """Returns the time that a test sets."""

    now = 0.0

    def __call__(self):
        return self.now


def test_time_left_follows_the_pace():
    clock = Clock()
    left = TimeLeft(clock)
    left.note(20)
    assert left.seconds(100) is None
    clock.now = 10
    left.note(40)
    assert left.seconds(100) == pytest.approx(30)
    clock.now = 14  # no news: the time goes on
    left.note(40)
    assert left.seconds(100) == pytest.approx(26)
    clock.now = 100
    assert left.seconds(100) == 0
    assert TimeLeft(clock).seconds(100) is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(5, "less than a minute"), (60, "about 1 min"), (1500, "about 25 min"), (7500, "about 2 h 5 min")],
)
def test_durations_are_written_as_people_say_them(seconds, words):
    assert duration_words(seconds) == words
