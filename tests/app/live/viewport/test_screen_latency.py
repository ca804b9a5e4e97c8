"""The time from capture to screen counts each frame once, and only where frames come."""

from dataclasses import replace

import pytest

from app.live.viewport.plates import LONGEST, ScreenLatency
from tests.fakes.views import result


def running(model="student-68"):
    """Return a meter that has seen its first frame at 10 s."""
    meter = ScreenLatency()
    assert meter.painted(result(model, 0, captured=9.9), 10.0) is None
    return meter


def test_nothing_is_known_before_the_first_frame():
    assert ScreenLatency().spread is None


def test_a_frame_counts_from_its_capture_to_its_painting():
    meter = running()
    assert meter.painted(result(number=1, captured=10.1), 10.125) == pytest.approx(25.0)
    assert meter.latest == pytest.approx(25.0)
    assert meter.painted(result(number=2, captured=10.2), 10.235) == pytest.approx(35.0)
    assert meter.spread.p50 == pytest.approx(30.0)
    assert 34 < meter.spread.p95 <= 35


def test_a_frame_that_is_painted_again_does_not_count_again():
    meter, frame = running(), result(number=1, captured=10.1)
    meter.painted(frame, 10.125)
    assert meter.painted(frame, 10.8) is None
    assert meter.latest == pytest.approx(25.0)
    assert meter.spread.p95 == pytest.approx(25.0)


def test_the_first_frame_may_have_waited_for_the_window_and_does_not_count():
    meter = ScreenLatency()
    assert meter.painted(result(number=1, captured=10.1), 10.125) is None


def test_a_pause_is_no_latency():
    meter = running()
    meter.painted(result(number=1, captured=10.1), 10.125)
    assert meter.painted(result("teacher-98", 2, captured=10.2), 13.0, live=False) is None
    assert meter.latest is None
    waited = result(number=3, captured=10.25)  # a file's next frame stands ready from before the pause
    assert meter.painted(waited, 14.0) is None
    assert meter.painted(result(number=4, captured=14.1), 14.12) == pytest.approx(20.0)


def test_fault_34_a_machine_that_slept_leaves_no_spike():
    meter = running()
    assert meter.painted(result(number=1, captured=10.1), 10.1 + LONGEST + 25) is None
    assert meter.spread is None


def test_fault_33_no_latency_is_negative():
    meter = running()
    assert meter.painted(result(number=1, captured=11.0), 10.9) is None
    assert meter.spread is None


def test_fault_24_another_model_begins_a_new_window():
    meter = running()
    meter.painted(result(number=1, captured=10.1), 10.6)
    meter.painted(result("teacher-98", 2, captured=10.7), 10.72)
    assert meter.spread.p95 == pytest.approx(20.0)


def test_another_source_begins_a_new_window():
    meter = running()
    meter.painted(result(number=1, captured=10.1), 10.6)
    other = result(number=2, captured=10.7)
    meter.painted(replace(other, frame=replace(other.frame, source="another")), 10.72)
    assert meter.spread.p95 == pytest.approx(20.0)


def test_frames_that_no_model_saw_do_not_begin_a_new_window():
    meter = running()
    meter.painted(result(number=1, captured=10.1), 10.2)
    meter.painted(result("", 1, captured=10.1), 10.3)
    assert meter.spread.p50 == pytest.approx(100.0)


def test_the_window_is_bounded():
    meter = ScreenLatency(window=3)
    meter.painted(result(number=0, captured=0.0), 0.0)
    for number in range(1, 10):
        meter.painted(result(number=number, captured=float(number)), number + number / 1000)
    assert meter.spread.p50 == pytest.approx(8.0)
