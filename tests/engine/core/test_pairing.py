"""Which face is meant: that of another model, and that of the truth."""

import numpy as np

from engine.core.faces import Face
from engine.core.frame import Truth
from engine.core.geometry import landmark_box
from engine.core.pairing import true_face
from engine.core.schemes import IBUG_68
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
