"""The chart of the last half minute: means, gaps where nothing came, axes with units."""

import time
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor, QPainter

from app.live.viewport.strip_chart import AXIS, DISTANCE_TOPS, LATENCY_TOPS, StripChart
from app.theme.theme import DARK, LIGHT, MARGIN, apply_theme, lane_colour
from engine.live.settings import LiveSettings
from engine.live.view import View
from engine.render.scene import Layout
from tests.fakes.clock import FakeClock
from tests.fakes.views import BLUE, RED, one, plain, result, two

ALONE, SIDE_BY_SIDE = LiveSettings(), LiveSettings(layout=Layout.SIDE_BY_SIDE)
STRIP = 800 - 2 * MARGIN - AXIS  # pixels that half a minute takes


@pytest.fixture
def clock():
    return FakeClock(1000.0)


@pytest.fixture
def chart(qtbot, themed, clock):
    shown = StripChart(clock=clock)
    qtbot.addWidget(shown)
    shown.resize(800, 112)
    shown.show()
    qtbot.waitExposed(shown)
    return shown


def feed(chart, clock, seconds, latency=40.0, rate=30, lane=0):
    for _ in range(round(seconds * rate)):
        clock.now += 1 / rate
        chart.add_latency(lane, clock.now, latency)


def columns_of(chart, colour, start=0.0):
    """Return the columns below the head in which a colour is to be seen, from a share of the width on."""
    image = chart.grab().toImage()
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
    near = np.abs(pixels[30:, :, 2::-1].astype(int) - QColor(colour).toTuple()[:3]).sum(2) < 90
    found = near.any(0).nonzero()[0]
    return found[found >= start * image.width()]


def test_the_axis_ends_at_a_round_number_that_holds_every_value(chart, clock):
    chart.add(one(plain(RED)), ALONE)
    (plot,) = chart.plots()
    assert plot.top(clock.now) == LATENCY_TOPS[0]
    feed(chart, clock, 2, latency=130.0)
    assert plot.top(clock.now) == 200.0
    feed(chart, clock, 31, latency=20.0)
    assert plot.top(clock.now) == LATENCY_TOPS[0]


def test_one_lane_has_its_latency_and_two_their_distance_too(chart, clock):
    chart.add(one(plain(RED)), ALONE)
    assert [plot.title for plot in chart.plots()] == ["capture to screen"]
    chart.add(two(plain(RED), plain(BLUE), distance=2.5), SIDE_BY_SIDE)
    latency, distance = chart.plots()
    assert [name for name, _, _ in latency.traces] == ["student-68", "teacher-98"]
    assert (latency.unit, distance.unit) == ("ms", "%")
    assert distance.title == "difference, % of eye distance"
    assert distance.top(clock.now) == next(top for top in DISTANCE_TOPS if top >= 2.5)


def test_in_a_pause_no_distance_counts(chart, clock):
    chart.add(two(plain(RED), plain(BLUE), distance=2.5), replace(SIDE_BY_SIDE, paused=True))
    assert [trace.value(clock.now) for _, _, trace in chart.plots()[1].traces] == [None]


def test_four_lanes_have_a_latency_each_and_the_distances_of_the_further_ones_from_the_first(chart, clock):
    lanes = two(plain(RED), plain(BLUE), distance=2.5).lanes
    chart.add(View((*lanes, *lanes[1:], *lanes[1:])), replace(SIDE_BY_SIDE, lanes=4))
    latency, distance = chart.plots()
    assert [colour for _, colour, _ in latency.traces] == [lane_colour(lane) for lane in range(4)]
    assert [colour for _, colour, _ in distance.traces] == [lane_colour(lane) for lane in range(1, 4)]
    assert [trace.value(clock.now) for _, _, trace in distance.traces] == [2.5] * 3
    pair = replace(SIDE_BY_SIDE, layout=Layout.OVERLAID, lanes=4, pair=(1, 3))
    chart.add(View((*lanes, *lanes[1:], *lanes[1:])), pair)
    latency, distance = chart.plots()
    assert [colour for _, colour, _ in latency.traces] == [lane_colour(1), lane_colour(3)]
    assert len(distance.traces) == 1


def test_the_line_is_seen_in_the_colour_of_its_lane(chart, clock):
    chart.add(one(plain(RED)), ALONE)
    assert not len(columns_of(chart, lane_colour(0)))
    feed(chart, clock, 31)
    seen = columns_of(chart, lane_colour(0))
    assert len(seen) > 0.8 * STRIP


def test_fault_34_the_graph_shows_a_gap_and_no_spike(chart, clock):
    chart.add(one(plain(RED)), ALONE)
    feed(chart, clock, 10)
    clock.now += 10
    feed(chart, clock, 10)
    steps = np.diff(columns_of(chart, lane_colour(0)))
    assert (steps > 10).sum() == 1
    assert steps.max() == pytest.approx(STRIP / 3, abs=12)
    assert chart.plots()[0].top(clock.now) == LATENCY_TOPS[0]


def test_while_the_picture_stands_still_the_past_moves_on_and_nothing_is_reported(chart, clock):
    chart.add(one(plain(RED)), ALONE)
    feed(chart, clock, 5)
    assert "40.0 ms" in chart.present_words()
    before = columns_of(chart, lane_colour(0)).max()
    clock.now += 10
    assert columns_of(chart, lane_colour(0)).max() < before - 100
    assert "nothing now" in chart.present_words()


def test_the_two_lanes_can_be_distinguished_in_both_themes(qapp):
    for palette in (DARK, LIGHT):
        apply_theme(qapp, palette)
        first, second = (QColor(lane_colour(lane)) for lane in (0, 1))
        # Blue against yellow: the axis that red-green blindness leaves, in one channel at least.
        assert abs(first.blue() - second.blue()) > 90
    apply_theme(qapp)


def test_the_mouse_reads_the_values_of_its_moment(chart, clock, qtbot):
    chart.add(one(plain(RED)), ALONE)
    feed(chart, clock, 15, latency=40.0)
    feed(chart, clock, 15, latency=20.0)
    read = []
    chart._paint_head = lambda painter, plot, area, now, moment: read.append((now, moment))
    qtbot.mouseMove(chart, QPoint(round(MARGIN + AXIS + STRIP / 4), 60))
    qtbot.waitUntil(lambda: chart.hovered is not None)
    chart.grab()
    now, moment = read[-1]
    assert now - moment == pytest.approx(22.5, abs=0.2)
    assert chart.plots()[0].traces[0][2].value(moment) == 40.0


def test_the_present_values_can_be_heard(chart, clock):
    chart.add(two(plain(RED), plain(BLUE), distance=2.5), SIDE_BY_SIDE)
    feed(chart, clock, 1)
    chart.add(two(plain(RED), plain(BLUE), distance=2.5), SIDE_BY_SIDE)
    chart._refresh()
    said = chart.accessibleDescription()
    assert "student-68 capture to screen: 40.0 ms" in said
    assert "teacher-98 capture to screen: nothing now" in said
    assert "difference, % of eye distance: 2.50 %" in said


def test_it_repaints_four_times_a_second_however_many_frames_come(chart, clock, qtbot, monkeypatch):
    painted = []
    monkeypatch.setattr(chart, "_paint_plot", lambda *_: painted.append(True))
    chart.add(one(plain(RED)), ALONE)
    end = time.monotonic() + 1.0
    while time.monotonic() < end:
        chart.add_latency(0, time.monotonic(), 40.0)
        qtbot.wait(5)
    assert 2 <= len(painted) <= 5


def test_painting_is_quick(chart, clock):
    chart.add(two(plain(RED), plain(BLUE)), SIDE_BY_SIDE)
    for lane in (0, 1):
        clock.now = 1000.0
        feed(chart, clock, 30, latency=40.0 + 20 * lane, lane=lane)
    times = []
    for _ in range(20):
        start = time.thread_time()
        chart.grab()
        times.append(time.thread_time() - start)
    assert min(times) < 5e-3  # with the picture that it is grabbed into


def test_the_distance_is_that_of_the_newest_frame_with_a_gap_where_there_is_none(chart, clock):
    for now in (8.0, None, 3.0):
        clock.now += 0.5
        chart.add(two(plain(RED), plain(BLUE), distance=now), SIDE_BY_SIDE)
    trace = chart.plots()[1].traces[0][2]
    assert [[value for _, value in segment] for segment in trace.segments(clock.now)] == [[8.0], [3.0]]


def test_fault_24_another_model_does_not_inherit_the_line(chart, clock):
    chart.add(two(plain(RED), plain(BLUE)), SIDE_BY_SIDE)
    feed(chart, clock, 5, lane=0)
    feed(chart, clock, 5, lane=1)
    chart.add(two(plain(RED), plain(BLUE), other_result=result("")), SIDE_BY_SIDE)  # in between, no model looks
    assert len(columns_of(chart, lane_colour(1)))
    chart.add(two(plain(RED), plain(BLUE), other_result=result("student-68-lite")), SIDE_BY_SIDE)
    first, second = (trace for _, _, trace in chart.plots()[0].traces)
    assert first.segments(clock.now)
    assert not second.segments(clock.now)


def test_another_source_begins_an_empty_chart(chart, clock):
    chart.add(one(plain(RED)), ALONE)
    feed(chart, clock, 5)
    chart.clear()
    assert not len(columns_of(chart, lane_colour(0)))


def test_the_words_below_a_narrow_strip_do_not_overlap(chart, monkeypatch):
    words = []
    monkeypatch.setattr(QPainter, "drawText", lambda self, at, text: words.append((at.x(), text)))
    chart.add(two(plain(RED), plain(BLUE), distance=2.5), SIDE_BY_SIDE)
    for width, texts in ((800, ["30 s ago", "now"] * 2), (370, ["30 s ago", "now", "now"])):
        chart.resize(width, 112)
        words.clear()
        chart.grab()
        assert [text for _, text in words if text in ("30 s ago", "now")] == texts
