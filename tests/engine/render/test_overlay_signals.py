"""The axes of a head: each in its colour from the nose to its end, and nothing elsewhere."""

import numpy as np
import pytest

from engine.core.geometry import landmark_box
from engine.inference.signals import SignalReader
from engine.render.ink import AXIS_COLOURS, draw_pose
from engine.render.layer import Layer, Region
from tests.fakes.turned_face import HEIGHT, WIDTH, result_of, turned_face

GREY = 90


def axes_of(*turn):
    (signals,) = SignalReader().read(result_of(turned_face(*turn)))
    return signals.pose.axes


def drawn(axes, width=1):
    picture = np.full((HEIGHT, WIDTH, 4), (GREY, GREY, GREY, 255), np.uint8)
    layer = Layer()
    layer.clear(Region.around(landmark_box(axes), 4 * width + 4, WIDTH, HEIGHT))
    draw_pose(layer, axes, width)
    layer.lay(picture)
    return picture


@pytest.mark.parametrize("width", [1, 3])
def test_each_axis_has_its_colour(width):
    axes = axes_of(30, 20, 10)
    picture = drawn(axes, width).astype(int)
    for end, colour in zip(axes[1:], AXIS_COLOURS, strict=True):
        x, y = (axes[0] + (end - axes[0]) * 0.6).round().astype(int)
        near = picture[y - 1 : y + 2, x - 1 : x + 2, :3].reshape(-1, 3)
        assert np.abs(near - colour).sum(1).min() < 100


def test_a_face_that_looks_into_the_camera_shows_the_dot_of_the_axis_that_leads_forwards():
    axes = axes_of()
    x, y = axes[3].round().astype(int)
    assert drawn(axes)[y, x, :3].min() > 200


def test_the_picture_is_as_it_was_away_from_the_axes():
    axes = axes_of(30, 20, 10)
    changed = np.argwhere((drawn(axes)[..., :3] != GREY).any(2))[:, ::-1]
    along = axes[0] + (axes[1:, None] - axes[0]) * np.linspace(0, 1, 200)[:, None]
    apart = np.linalg.norm(changed[:, None] - along.reshape(-1, 2), axis=2).min(1)
    assert apart.max() < 5


def test_axes_that_leave_the_picture_are_cut_off():
    axes = axes_of() + np.float32((WIDTH / 2 - 10, 0))
    assert axes[1, 0] > WIDTH
    picture = drawn(axes)
    y = round(float(axes[0, 1]))
    assert (picture[y - 1 : y + 2, -1, :3] != GREY).any()
