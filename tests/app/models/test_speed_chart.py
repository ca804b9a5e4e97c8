"""The picture of the models: where dots are, how large, and what a click chooses."""

from __future__ import annotations

import math

import pytest
from PySide6.QtCore import QPointF, Qt

from app.models.speed_chart import LARGEST_RADIUS, LEAST_RADIUS, Dot, SpeedChart, radius_of

DOTS = (
    Dot("fast", 4.0, 1.0, 1_000_000),
    Dot("slow", 3.0, 20.0, 4_000_000, (0,)),
    Dot("both", 3.5, 5.0, 2_000_000, (0, 1)),
)


@pytest.fixture
def chart(qtbot, themed):
    shown = SpeedChart()
    qtbot.addWidget(shown)
    shown.resize(520, 300)
    shown.show_dots(DOTS, "lfpw68 test", "fast")
    shown.show()
    return shown


def test_faster_is_left_and_better_is_lower(chart):
    fast, both, slow = (chart.place_of(name) for name in ("fast", "both", "slow"))
    assert fast.x() < both.x() < slow.x()
    assert fast.y() < both.y() < slow.y()
    for place in (fast, both, slow):
        assert chart.rect().contains(place.toPoint())


def test_equal_ratios_are_equal_lengths(chart):
    chart.show_dots([Dot(str(ms), 3.0, ms, 1) for ms in (1.0, 2.0, 4.0)], "", "")
    one, two, four = (chart.place_of(name).x() for name in ("1.0", "2.0", "4.0"))
    assert two - one == pytest.approx(four - two)


def test_areas_are_as_files():
    assert radius_of(DOTS[1]) == pytest.approx(2 * radius_of(DOTS[0]))
    assert radius_of(Dot("tiny", 1, 1, 10)) == LEAST_RADIUS
    assert radius_of(Dot("huge", 1, 1, 10**9)) == LARGEST_RADIUS


def test_a_click_chooses_the_dot_under_it(chart, qtbot):
    with qtbot.waitSignal(chart.chosen) as chosen:
        qtbot.mouseClick(chart, Qt.MouseButton.LeftButton, pos=chart.place_of("both").toPoint())
    assert chosen.args == ["both"]
    assert chart.dot_at(QPointF(60, 60)) is None


def test_lanes_have_rings_in_their_colours(chart):
    def ink(name):
        place, image = chart.place_of(name), chart.grab().toImage()
        reach = radius_of(next(dot for dot in DOTS if dot.name == name)) + 8
        ring = [(place.x() + reach * math.cos(a / 9), place.y() + reach * math.sin(a / 9)) for a in range(12, 46)]
        return {image.pixelColor(round(x), round(y)).name() for x, y in ring}

    assert len(ink("both")) > len(ink("fast"))


def test_what_is_drawn_is_said_in_words(chart):
    assert chart.accessibleDescription().startswith("slow: NME 3.00 %, 20.00 ms, 4.00 MB; both: ")
    chart.show_dots([], "", "")
    assert "Measure all" in chart.accessibleDescription()
    chart.grab()
