"""The markups hold together."""

import numpy as np
import pytest

from engine.core.schemes import COFW_29, IBUG_68, SCHEMES, WFLW_98, eye_centres
from engine.render.ink import drawing_plan


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=str)
def test_fault_67_mirroring_twice_is_nothing(scheme):
    order = np.array(scheme.mirror)
    assert (order[order] == np.arange(scheme.points)).all()


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=str)
def test_mirroring_exchanges_the_eyes_and_keeps_each_part(scheme):
    assert {scheme.mirror[index] for index in scheme.right_eye} == set(scheme.left_eye)
    assert [scheme.parts[index] for index in scheme.mirror] == list(scheme.parts)
    right, left = scheme.outer_eye_corners
    assert scheme.mirror[right] == left


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=str)
def test_contours_hold_every_point_but_the_pupils(scheme):
    pupils = {29: {16, 17}, 68: set(), 98: {96, 97}}[scheme.points]
    drawn = [point for contour in scheme.contours for point in contour.points]
    assert set(drawn) == set(range(scheme.points)) - pupils
    twice = {point for point in drawn if drawn.count(point) > 1}
    assert twice == ({22, 23} if scheme is COFW_29 else set())  # both lips end in the corners of the mouth


def test_each_contour_is_mirrored_onto_one_of_the_same_part():
    for contour in COFW_29.contours:
        mirrored = {COFW_29.mirror[point] for point in contour.points}
        assert mirrored in [set(other.points) for other in COFW_29.contours if other.part == contour.part]


def test_every_markup_can_be_drawn():
    for scheme in SCHEMES.values():
        plan = drawing_plan(scheme)
        assert plan.dots.shape == (scheme.points, 3)
        assert all(ends.ndim == 2 and ends.shape[1] == 2 for _, ends in plan.lines)


def test_the_68_points_are_found_among_the_98_part_by_part():
    assert len(set(WFLW_98.as_68)) == 68
    assert [WFLW_98.parts[index] for index in WFLW_98.as_68] == list(IBUG_68.parts)


def test_mirroring_commutes_with_the_way_from_98_to_68():
    mirrored_then_picked = [WFLW_98.mirror[index] for index in WFLW_98.as_68]
    picked_then_mirrored = [WFLW_98.as_68[index] for index in IBUG_68.mirror]
    # The brows differ: WFLW's upper brow points do not mirror onto one another in 300-W's picks.
    same = [a == b for a, b in zip(mirrored_then_picked, picked_then_mirrored, strict=True)]
    parts = np.array(IBUG_68.parts)
    assert np.array(same)[parts != "brow"].all()


def test_eye_centres_leave_out_what_has_no_label():
    points = np.zeros((68, 2), np.float32)
    points[36:42] = np.nan
    points[40] = (7, 8)
    points[42:48] = np.nan
    right, left = eye_centres(IBUG_68, points)
    assert right.tolist() == [7, 8]
    assert np.isnan(left).all()
