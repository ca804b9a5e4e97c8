"""Two lanes on one picture: overlaid in two colours, and their difference."""

from __future__ import annotations

import numpy as np
import pytest

from engine.core.faces import Result
from engine.core.frame import Frame
from engine.core.schemes import COFW_29, IBUG_68, WFLW_98
from engine.core.stats import Meter
from engine.render.difference import Difference
from engine.render.overlay import OverlayPainter
from engine.render.palette import HEAT, HOTTEST, LANES, heat_colour
from engine.render.scene import Layout, Look, OverlayOptions
from tests.engine.live.test_distance import face_at

OPTIONS = OverlayOptions(numbers=False)


def drawn(layout, first, second, mirrored=False, magnification=3.0, options=OPTIONS):
    image = np.full((300, 400, 3), 90, np.uint8)
    frame = Frame(1, 0.0, image, "x")
    ours, theirs = Result(frame, (first,), "a", {}, False), Result(frame, (second,), "b", {}, False)
    out = np.empty((300, 400, 4), np.uint8)
    OverlayPainter().paint(out, ours, Look(options, mirrored, layout, magnification), Meter().stats(), other=theirs)
    return out


def near(picture, colour, tolerance=60):
    """Return where the picture has nearly a colour."""
    away = np.abs(picture[..., :3].astype(int) - colour).max(-1)
    return np.argwhere(away < tolerance)


def test_overlaid_lanes_have_a_colour_each():
    picture = drawn(Layout.OVERLAID, face_at(40, 60), face_at(240, 60))
    assert near(picture, LANES[0])[:, 1].max() < 160
    assert near(picture, LANES[1])[:, 1].min() > 220


def test_a_mirror_turns_both_lanes_round():
    picture = drawn(Layout.OVERLAID, face_at(40, 60), face_at(240, 60), mirrored=True)
    assert near(picture, LANES[0])[:, 1].min() > 240
    assert near(picture, LANES[1])[:, 1].max() < 180


def test_arrows_lead_from_the_first_lanes_points_as_far_as_they_are_magnified():
    difference = Difference(face_at(100, 100), face_at(104, 100), magnification=5.0)
    starts, ends = np.split(difference.reach(), 2)
    assert np.allclose(ends - starts, (20, 0))


def test_models_that_agree_leave_a_cold_face_without_arrows():
    cold = drawn(Layout.DIFFERENCE, face_at(100, 100), face_at(100, 100))
    hot = drawn(Layout.DIFFERENCE, face_at(100, 100), face_at(106, 100))
    assert len(near(cold, HEAT[0])) > 50
    assert len(near(cold, HEAT[-1])) == 0
    assert len(near(hot, HEAT[-1])) > 50


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("scheme", [IBUG_68, WFLW_98])
def test_the_first_lanes_points_have_their_indices_in_the_difference_too(mirrored, scheme):
    faces = face_at(100, 100, scheme), face_at(106, 100)
    plain = drawn(Layout.DIFFERENCE, *faces, mirrored)
    indexed = drawn(Layout.DIFFERENCE, *faces, mirrored, options=OverlayOptions(numbers=False, indices=True))
    changed = (plain != indexed).any(2)
    assert changed.sum() > 500
    box = faces[0].box
    left = 399 - box.x1 if mirrored else box.x0
    rows, columns = np.nonzero(changed)
    assert abs(columns.min() - left) < 60  # beside the outermost points, and nowhere else
    assert abs(columns.max() - (left + box.width)) < 60
    assert abs(rows.min() - box.y0) < 60
    assert len(near(indexed, HEAT[-1])) > 50  # the heat is still there


def test_heat_runs_from_blue_to_red():
    assert heat_colour(0) == HEAT[0]
    assert heat_colour(HOTTEST / 2) == HEAT[1]
    assert heat_colour(HOTTEST) == heat_colour(10 * HOTTEST) == HEAT[2]


@pytest.mark.parametrize("layout", [Layout.OVERLAID, Layout.DIFFERENCE])
def test_a_face_that_only_one_model_sees_is_no_fault(layout):
    drawn(layout, face_at(100, 100), face_at(1000, 1000))


@pytest.mark.parametrize("layout", [Layout.OVERLAID, Layout.DIFFERENCE])
@pytest.mark.parametrize("schemes", [(COFW_29, IBUG_68), (WFLW_98, COFW_29), (COFW_29, COFW_29)])
def test_a_model_of_29_points_is_drawn_beside_any_other(layout, schemes):
    first, second = (face_at(100 + 10 * place, 100, scheme) for place, scheme in enumerate(schemes))
    picture = drawn(layout, first, second)
    common = schemes[0] is schemes[1]
    assert bool(len(near(picture, HEAT[-1]))) == (layout is Layout.DIFFERENCE and common)
    if layout is Layout.OVERLAID:
        assert len(near(picture, LANES[0])) > 20
        assert len(near(picture, LANES[1])) > 20
