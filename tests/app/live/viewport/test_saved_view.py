"""What is saved of the view: bit by bit what runs without a window draw, in the pixels of the frames."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.live.viewport.saved_view import SavedView
from engine.core.faces import Face, Result
from engine.core.frame import Frame
from engine.core.geometry import landmark_box
from engine.core.schemes import IBUG_68
from engine.live.settings import LiveSettings
from engine.live.view import LaneView, View
from engine.render import montage
from engine.render.overlay import OverlayPainter
from engine.render.scene import Layout, Look, OverlayOptions
from tests.fakes.views import STATS

OPTIONS = OverlayOptions(box=True, indices=True, numbers=False)


def lane(look, seed, width=640, height=480, other=None):
    """Return what a lane shows: a face of random landmarks on noise."""
    random = np.random.default_rng(seed)
    points = (random.random((68, 2)) * (width / 2, height / 2) + (width / 4, height / 4)).astype(np.float32)
    face = Face(1, landmark_box(points), 0.9, IBUG_68, points, random.random(68).astype(np.float32), 0.0)
    image = random.integers(0, 256, (height, width, 3), np.uint8)
    result = Result(Frame(0, 0.0, image, "test"), (face,), "", {}, False)
    picture = np.empty((height, width, 4), np.uint8)
    OverlayPainter().paint_frame(picture, result, look, STATS)
    return LaneView(result, (), STATS, picture, look, other=other)


def drawn(shown):
    """Return the picture of a lane with its overlay."""
    picture = np.empty_like(shown.picture)
    OverlayPainter().paint(picture, shown.result, shown.look, STATS, other=shown.other)
    return picture


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("layout", [Layout.SINGLE, Layout.OVERLAID, Layout.DIFFERENCE])
def test_one_picture(layout, mirrored):
    look = Look(OPTIONS, mirrored, layout)
    shown = lane(look, 0, other=lane(look, 1).result)
    before, saved = shown.picture.copy(), SavedView()
    for _ in range(2):
        composed = saved.compose(View((shown,)), LiveSettings(mirrored=mirrored, lanes=1), 0.5)
        assert np.array_equal(composed, drawn(shown))
        assert np.array_equal(shown.picture, before), "the picture on screen stays as it is"
        composed[:] = 0  # it belongs to the caller


@pytest.mark.parametrize(
    "sizes", [[(640, 480)] * 3, [(640, 480), (480, 480), (320, 240)], [(640, 480), None, (640, 480)]]
)
def test_pictures_in_rows(sizes):
    look = Look(OPTIONS, layout=Layout.SIDE_BY_SIDE)
    lanes = [None if size is None else lane(look, seed, *size) for seed, size in enumerate(sizes)]
    pictures = [None if shown is None else drawn(shown) for shown in lanes]
    composed = SavedView().compose(View(tuple(lanes)), LiveSettings(layout=Layout.SIDE_BY_SIDE, lanes=3), 0.5)
    assert np.array_equal(composed, montage.joined(pictures, (640, 480)))


@pytest.mark.parametrize("place", [0.0, 0.3, 1.0])
def test_a_split_picture(place):
    look, settings, saved = Look(OPTIONS, layout=Layout.SPLIT), LiveSettings(layout=Layout.SPLIT), SavedView()
    for seed in range(2):
        first, second = lane(look, seed), lane(look, seed + 2)
        composed = saved.compose(View((first, second)), settings, place)
        assert np.array_equal(composed, montage.split(drawn(first), drawn(second), place))


def test_without_a_picture_nothing_is_saved():
    empty = replace(lane(Look(OPTIONS), 0), picture=np.empty((0, 0, 4), np.uint8))
    assert SavedView().compose(View((empty,)), LiveSettings(lanes=1), 0.5) is None
