"""Live numbers: bounded in memory, correct, and readable."""

import weakref
from dataclasses import replace

import numpy as np
import pytest

from engine.core.faces import Face, Result
from engine.core.frame import Frame, Truth
from engine.core.geometry import landmark_box
from engine.core.schemes import IBUG_68
from engine.core.stats import KEPT, JitterMeter, Meter
from tests.fakes.models import face_points

IMAGE = np.zeros((10, 10, 3), np.uint8)


def result(number, points=None, nme=None, truth=None, face_id=1, landmark_ms=2.0):
    faces = ()
    if points is not None:
        faces = (Face(face_id, landmark_box(points), 0.9, IBUG_68, points, np.ones(68, np.float32), 0.0),)
    frame = Frame(number, 0.0, IMAGE, "test", truth=truth)
    stages = {"capture": 7.0, "detect": 1.0, "landmark": landmark_ms, "smooth": 0.5}
    return Result(frame, faces, "model", stages, False, nme)


def test_rate_latency_error_and_share_of_faces():
    meter = Meter(refresh=0)
    for number in range(11):
        points = face_points(5, 5, 4) if number % 2 else None
        meter.add(result(number, points, nme=float(number), landmark_ms=number), now=number * 0.1, draw_ms=0.25)
    stats = meter.stats()
    assert stats.fps == pytest.approx(10)
    assert stats.latency_ms["landmark"].p50 == 5
    assert stats.latency_ms["landmark"].p95 == pytest.approx(9.5)
    assert stats.latency_ms["total"].p50 == pytest.approx(1 + 5 + 0.5 + 0.25), "the wait for the source is left out"
    assert stats.nme == 5
    assert stats.found == pytest.approx(5 / 11)
    assert (stats.frames, stats.dropped) == (11, 0)


def test_the_detector_s_time_is_that_of_the_frames_on_which_it_ran():
    meter = Meter(refresh=0)
    for number in range(10):
        given = result(number)
        meter.add(replace(given, detected=number == 0, stages={**given.stages, "detect": 8.0 * (number == 0)}), number)
    assert meter.stats().latency_ms["detect"].p50 == 8


def test_frames_that_nobody_processed_are_counted_as_dropped():
    meter = Meter(refresh=0)
    for number in (5, 6, 9, 14):
        meter.add(result(number), now=number)
    assert meter.stats().dropped == 10 - 4


def test_only_the_window_counts():
    meter = Meter(window=5, refresh=0)
    for number in range(100):
        meter.add(result(number, nme=100.0 if number < 95 else 1.0), now=float(number))
    assert meter.stats().nme == 1


def test_numbers_change_only_so_often_that_they_can_be_read():
    meter = Meter(refresh=0.25)
    seen = []
    for number in range(30):
        meter.add(result(number, nme=float(number)), now=number / 30)
        seen.append(meter.stats().nme)
    assert len(set(seen)) <= 5


def test_what_is_forgotten_leaves_the_counters():
    meter = Meter(refresh=0.25)
    for number in (0, 1, 4):
        meter.add(result(number, nme=8.0, landmark_ms=20.0), now=number * 0.1)
    meter.forget()
    assert (meter.stats().frames, meter.stats().dropped, meter.stats().nme) == (3, 2, None)
    meter.add(result(4, nme=2.0, landmark_ms=4.0), now=0.5)
    meter.add(result(5, nme=2.0, landmark_ms=4.0), now=1.0)
    stats = meter.stats()
    assert (stats.nme, stats.latency_ms["landmark"].p95) == (2.0, 4.0)
    assert stats.fps == pytest.approx(2)
    assert (stats.frames, stats.dropped) == (4, 2), "the same frame counts once"


def test_the_first_results_of_a_model_which_come_in_a_burst_are_no_rate_yet():
    meter = Meter(refresh=0.25)
    for number, now in enumerate((0.0, 0.005, 0.01)):
        meter.add(result(number), now)
    assert (meter.stats().fps, meter.stats().cpu) == (None, None)
    for number in range(3, 40):
        meter.add(result(number), number / 30)
    assert meter.stats().fps == pytest.approx(30, rel=0.1)


def test_a_step_in_a_pause_is_no_result_of_no_time():
    meter = Meter(refresh=0)
    for number in range(11):
        meter.add(result(number), now=number * 0.1, cpu_ms=50.0)
    for number in range(20, 40):  # each step is a pause of its own
        meter.resume(number)
        meter.add(result(number), now=float(number), cpu_ms=50.0)
    stats = meter.stats()
    assert (stats.fps, stats.cpu) == (pytest.approx(10), pytest.approx(0.5))
    assert stats.dropped == 0


def test_before_the_first_result_there_is_nothing_to_show():
    stats = Meter().stats()
    assert (stats.fps, stats.nme, stats.frames) == (None, None, 0)


def test_jitter_is_measured_only_while_the_truth_is_still():
    still = Truth(IBUG_68, face_points(100, 100, 60))
    meter = JitterMeter()
    meter.add(result(0, face_points(100, 100, 60), truth=still))
    assert meter.value is None
    meter.add(result(1, face_points(100.36, 100, 60), truth=still))
    assert meter.value == pytest.approx(1.0, rel=0.01), "0.36 px of an eye distance of 36 px"
    moving = Truth(IBUG_68, face_points(120, 100, 60))
    meter.add(result(2, face_points(120, 100, 60), truth=moving))
    assert meter.value == pytest.approx(1.0, rel=0.01)


def test_a_truth_that_lacks_a_point_is_still_by_the_others():
    points = face_points(100, 100, 60)
    points[5] = np.nan
    still, meter = Truth(IBUG_68, points), JitterMeter()
    meter.add(result(0, face_points(100, 100, 60), truth=still))
    meter.add(result(1, face_points(100.36, 100, 60), truth=still))
    assert meter.value == pytest.approx(1.0, rel=0.01)


def test_jitter_of_different_faces_is_not_compared():
    meter = JitterMeter()
    meter.add(result(0, face_points(100, 100, 60), face_id=1))
    meter.add(result(1, face_points(100.1, 100, 60), face_id=2))
    assert meter.value is None


def test_frames_of_a_standstill_are_not_dropped():
    meter = Meter(refresh=0)
    meter.add(result(0), 0.0)
    meter.add(result(3), 0.1)
    meter.resume(10)
    meter.add(result(10), 0.2)
    meter.add(result(12), 0.3)
    assert meter.stats().dropped == 3


def test_fault_71_a_run_of_any_length_keeps_its_numbers_in_bounded_memory():
    meter, frames = Meter(window=None, refresh=0), 5 * KEPT
    for number in range(frames):
        meter.add(result(number, nme=float(number % 2), landmark_ms=number), now=number * 0.1)
    stats = meter.stats()
    kept = [*meter._stages.values(), meter._errors, meter._found, meter._gaps, meter._cpu_ms, meter._jitter._moves]
    assert max(len(numbers) for numbers in kept) <= KEPT
    assert (stats.nme, stats.frames) == (0.5, frames), "the mean is that of all"
    assert stats.latency_ms["landmark"].p50 == pytest.approx(frames / 2, rel=0.001)
    assert stats.latency_ms["landmark"].p95 == pytest.approx(frames * 0.95, rel=0.001)
    assert stats.fps == pytest.approx(10)


def test_a_meter_keeps_no_picture_in_memory():
    meter, given = Meter(window=None), result(0, face_points(100, 100, 60))
    frame = weakref.ref(given.frame)
    meter.add(given, 0.0)
    del given
    assert frame() is None
