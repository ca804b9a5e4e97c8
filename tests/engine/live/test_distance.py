"""How near two models are to each other."""

from __future__ import annotations

import numpy as np
import pytest

from engine.core.faces import Face, Result
from engine.core.frame import Frame
from engine.core.geometry import landmark_box
from engine.core.pairing import face_distance, paired, shared_points
from engine.core.schemes import COFW_29, IBUG_68, WFLW_98
from engine.live.distance import DistanceMeter


def face_at(x, y, scheme=IBUG_68, size=100.0, number=1):
    """Return a face whose landmarks spread over `size` pixels from (x, y); the outer eye corners 0.5 sizes apart."""
    rng = np.random.default_rng(7)
    base = rng.random((98, 2))
    right, left = WFLW_98.outer_eye_corners
    base[right], base[left] = (0.25, 0.4), (0.75, 0.4)
    base[0], base[1] = (0, 0), (1, 1)
    if scheme is COFW_29:
        corners = base[[right, left]]
        base = base[:29]
        base[list(COFW_29.outer_eye_corners)] = corners
    points = base[list(WFLW_98.as_68)] if scheme is IBUG_68 else base
    points = (points * size + (x, y)).astype(np.float32)
    return Face(number, landmark_box(points), 1.0, scheme, points, np.ones(len(points), np.float32), 0.0)


def result(frame_id, *faces, model="a"):
    return Result(Frame(frame_id, 0.0, np.zeros((4, 4, 3), np.uint8), "x"), faces, model, {}, False)


def test_the_distance_counts_in_percent_of_the_eye_distance():
    assert face_distance(face_at(10, 10), face_at(13, 14)) == pytest.approx(5 / 50 * 100, rel=1e-4)
    assert face_distance(face_at(10, 10), face_at(10, 10)) == 0


def test_68_and_98_points_meet_on_the_68_they_share():
    shared = shared_points(face_at(0, 0), face_at(0, 0, WFLW_98))
    assert shared.scheme is IBUG_68
    assert shared.reference.shape == shared.points.shape == (68, 2)
    assert np.allclose(shared.reference, shared.points)
    assert face_distance(face_at(0, 0), face_at(3, 4, WFLW_98)) == pytest.approx(10, rel=1e-4)


def test_29_points_are_compared_with_29_and_with_no_others():
    assert face_distance(face_at(0, 0, COFW_29), face_at(3, 4, COFW_29)) == pytest.approx(10, rel=1e-4)
    assert len(paired([face_at(0, 0, COFW_29)], [face_at(3, 4, COFW_29)])) == 1
    for others in (IBUG_68, WFLW_98):
        for first, second in ((COFW_29, others), (others, COFW_29)):
            assert paired([face_at(0, 0, first)], [face_at(3, 4, second)]) == []
            meter = DistanceMeter()
            meter.add(0, result(1, face_at(0, 0, first)))
            meter.add(1, result(1, face_at(3, 4, second), model="b"))
            assert meter.value is None


def test_each_face_meets_the_nearest_one_and_strangers_nobody():
    near, far, stranger = face_at(0, 0), face_at(300, 0), face_at(600, 300)
    pairs = paired([near, stranger, far], [face_at(302, 0), face_at(3, 0)])
    assert [(first.box.x0, second.box.x0) for first, second in pairs] == [(0, 3), (300, 302)]


def test_results_meet_whichever_lane_is_first():
    meter = DistanceMeter()
    meter.add(0, result(1, face_at(0, 0)))
    assert meter.value is None
    meter.add(1, result(1, face_at(3, 4), model="b"))
    meter.add(1, result(2, face_at(0, 0), model="b"))
    meter.add(0, result(2, face_at(0, 0)))
    assert meter.value == pytest.approx(5, rel=1e-4), "10 % and 0 %"


def test_frames_that_one_lane_left_out_do_not_count_and_do_not_pile_up():
    meter = DistanceMeter()
    for number in range(1000):
        meter.add(0, result(number, face_at(0, 0)))
    meter.add(1, result(5, face_at(0, 0), model="b"))
    assert meter.value is None
    meter.add(1, result(999, face_at(0, 0), model="b"))
    assert meter.value == 0


def test_another_model_starts_an_empty_window():
    meter = DistanceMeter()
    for lane in (0, 1):
        meter.add(lane, result(1, face_at(3 * lane, 0)))
    assert meter.value
    meter.add(1, result(2, face_at(0, 0), model="other"))
    assert meter.value is None


def test_it_starts_again_on_request():
    meter = DistanceMeter()
    for lane in (0, 1):
        meter.add(lane, result(1, face_at(3 * lane, 0)))
    meter.add(0, result(2, face_at(0, 0)))
    meter.forget()
    assert meter.value is meter.newest is None
    meter.add(1, result(2, face_at(0, 0)))
    assert meter.value is None, "what waited is forgotten too"


def test_frames_without_a_common_face_push_the_old_value_out():
    meter = DistanceMeter(window=3)
    for lane in (0, 1):
        meter.add(lane, result(1, face_at(0, 0), model=str(lane)))
    assert meter.value == meter.newest == 0
    for number in range(2, 5):
        for lane in (0, 1):
            meter.add(lane, result(number, model=str(lane)))
        assert meter.newest is None
    assert meter.value is None
