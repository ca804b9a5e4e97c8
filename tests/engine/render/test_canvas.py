"""The canvas: where places of a frame are on the screen, and how large ink is there."""

from __future__ import annotations

import numpy as np
import pytest

from engine.core.frame import Frame
from engine.core.geometry import Box
from engine.render.canvas import SCREEN_INK, SMALLEST_INK, Canvas, Pane
from engine.render.text import EM_PER_CAPITAL


def frame_of(width, height):
    return Frame(0, 0.0, np.zeros((height, width, 3), np.uint8), "test")


def face_of(side):
    return Box(10, 10, 10 + side, 10 + side)


def test_the_frames_own_pixels_stay_where_they_are():
    canvas, points = Canvas.of(frame_of(64, 48)), np.random.default_rng(0).random((68, 2)).astype(np.float32)
    assert (canvas.width, canvas.height) == (64, 48)
    assert canvas.places(points) is points
    assert canvas.box(Box(1.5, 2, 30, 40)) == Box(1.5, 2, 30, 40)
    assert canvas.box(Box(1.5, 2, 30, 40), mirrored=True) == Box(33, 2, 61.5, 40)


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_corners_of_the_picture_are_those_of_the_pane(mirrored):
    """Pixel centres are at whole numbers, so the corners are half a pixel outside the first and last."""
    canvas = Canvas.on_screen(frame_of(112, 56), Pane(1000, 501, 2.0))
    first, last = canvas.places(np.array(((-0.5, -0.5), (111.5, 55.5))), mirrored)
    if mirrored:
        first[0], last[0] = last[0], first[0]
    assert first == pytest.approx((-0.5, -0.5), abs=1e-3)
    assert last == pytest.approx((999.5, 500.5), abs=1e-3)
    assert canvas.places(np.array((55.5, 27.5)), mirrored) == pytest.approx((499.5, 250), abs=1e-3)


def test_ink_on_the_screen_depends_on_its_scale_alone_but_for_small_faces():
    scales = {
        (size, ratio): Canvas.on_screen(frame_of(*size), Pane(900, 700, ratio)).ink_scale(face_of(500))
        for size in ((112, 112), (640, 480), (3840, 2160))
        for ratio in (1.0, 1.5, 2.0)
    }
    assert all(scale == pytest.approx(SCREEN_INK * ratio) for (_, ratio), scale in scales.items())
    canvas = Canvas.on_screen(frame_of(640, 480), Pane(900, 700, 2.0))
    assert canvas.ink_scale(face_of(20)) == 2 * SMALLEST_INK < canvas.ink_scale(face_of(150)) < 2 * SCREEN_INK


@pytest.mark.parametrize("ratio", [1.0, 1.25, 1.5, 2.0, 3.0])
def test_letters_on_the_screen_have_whole_pixels_and_grow_with_its_scale(ratio):
    canvas = Canvas.on_screen(frame_of(3840, 2160), Pane(900, 500, ratio))
    for size, capital in ((canvas.index_size, 8), (canvas.label_size, 9)):
        assert size / EM_PER_CAPITAL == pytest.approx(round(capital * ratio))


def test_letters_of_saved_pictures_grow_with_them():
    assert Canvas(640, 480).index_size < Canvas(3840, 2160).index_size
    assert Canvas(640, 480).label_size < Canvas(3840, 2160).label_size
