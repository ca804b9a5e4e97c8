"""Which face is meant: that of another model, and that of the truth."""

import numpy as np
import pytest

from engine.core.faces import Face
from engine.core.frame import Truth
from engine.core.geometry import landmark_box
from engine.core.pairing import beside_truth, shared_points, true_face
from engine.core.schemes import COFW_29, IBUG_68, WFLW_98, Scheme
from tests.fakes.models import face_points

TRUTH = Truth(IBUG_68, face_points(200, 200, 100))


def face(x: float, y: float, size: float = 100) -> Face:
    points = face_points(x, y, size)
    return Face(1, landmark_box(points), 0.9, IBUG_68, points, np.ones(68, np.float32), 0.0)


def test_the_true_face_is_the_one_that_overlaps_most():
    near, on_it = face(240, 200), face(205, 200)
    assert true_face([near, on_it], TRUTH) is on_it


def test_a_small_face_within_the_true_one_does_not_win_by_its_centre():
    small, on_it = face(200, 200, 12), face(220, 200)
    assert true_face([small, on_it], TRUTH) is on_it


def test_a_face_elsewhere_is_not_the_true_one():
    assert true_face([face(500, 200)], TRUTH) is None
    assert true_face([], TRUTH) is None


def in_markup(scheme: Scheme) -> Face:
    points = np.linspace(150, 250, 2 * scheme.points, dtype=np.float32).reshape(-1, 2)
    return Face(1, landmark_box(points), 0.9, scheme, points, np.ones(scheme.points, np.float32), 0.0)


def test_the_truth_and_a_face_of_another_markup_meet_on_the_68_points():
    points = face_points(203, 204, 100)
    found = beside_truth(TRUTH, [Face(1, landmark_box(points), 0.9, IBUG_68, points, np.ones(68, np.float32), 0.0)])
    assert found.nme == pytest.approx(5 / found.eye_distance * 100, rel=1e-4)
    assert beside_truth(TRUTH, [in_markup(WFLW_98)]).scheme is IBUG_68


def test_nothing_stands_beside_the_truth_where_it_was_missed_or_the_markup_shares_no_points():
    assert beside_truth(TRUTH, [face(500, 200)]) is None
    assert beside_truth(TRUTH, [in_markup(COFW_29)]) is None
    with pytest.raises(ValueError, match="68 and 29 points share none"):
        shared_points(TRUTH, in_markup(COFW_29))
