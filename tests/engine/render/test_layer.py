"""The layer: places exact to parts of a pixel, nothing outside the region, buffers kept."""

from __future__ import annotations

import numpy as np
import pytest

from engine.core.geometry import Box
from engine.render.layer import FARTHEST, Layer, Region
from engine.render.palette import PLATE_ALPHA

WHITE = (255, 255, 255)


def layer_of(x0=0, y0=0, x1=64, y1=48):
    layer = Layer()
    layer.clear(Region(x0, y0, x1, y1))
    return layer


def dot(layer, x, y, radius=1.6, alpha=1.0, colour=WHITE):
    layer.dots(np.array([[x, y]], np.float32), radius, np.array([colour], np.float32), np.array([alpha], np.float32))


def centre_of_ink(layer):
    weight = layer.pixels[..., 3].astype(float)
    rows, columns = np.indices(weight.shape)
    return (columns * weight).sum() / weight.sum(), (rows * weight).sum() / weight.sum()


@pytest.mark.parametrize(("x", "y"), [(20, 20), (20.25, 20.5), (20.5, 19.75), (19.9, 20.1)])
def test_a_dot_stands_where_it_should_to_parts_of_a_pixel(x, y):
    layer = layer_of()
    dot(layer, x, y)
    assert centre_of_ink(layer) == pytest.approx((x, y), abs=0.03)


@pytest.mark.parametrize("radius", [1.0, 1.6, 3.0, 7.5])
def test_a_dot_has_the_area_of_its_radius(radius):
    layer = layer_of()
    dot(layer, 30.3, 24.6, radius)
    assert layer.pixels[..., 3].sum() / 255 == pytest.approx(np.pi * radius**2, rel=0.1)


@pytest.mark.parametrize("radius", [2.0, 3.3, 8.0])
def test_a_ring_is_hollow_and_round(radius):
    layer = layer_of()
    layer.rings(np.array([[30, 24]], np.float32), radius, 1.0, WHITE)
    alpha = layer.pixels[..., 3]
    assert alpha[24, 30] == 0
    assert alpha.sum() / 255 == pytest.approx(2 * np.pi * radius, rel=0.1)
    assert np.array_equal(alpha[20:29, 30], alpha[24, 26:35])
    assert centre_of_ink(layer) == pytest.approx((30, 24), abs=0.01)


def test_marks_that_overlap_do_not_erase_each_other():
    apart, together = layer_of(), layer_of()
    for layer, gap in ((apart, 10), (together, 2)):
        places = np.array([[20, 20], [20 + gap, 20]], np.float32)
        layer.dots(places, 1.5, np.full((2, 3), 255, np.float32), np.ones(2, np.float32))
    for column in (20, 22):
        assert together.pixels[20, column, 3] == 255
    assert together.pixels[..., 3].sum() > 0.7 * apart.pixels[..., 3].sum()


def test_alpha_makes_ink_faint():
    picture = np.zeros((48, 64, 4), np.uint8)
    layer = layer_of()
    dot(layer, 10, 10, alpha=0.25)
    dot(layer, 30, 10)
    layer.lay(picture)
    assert picture[10, 10, 0] == pytest.approx(64, abs=1)
    assert picture[10, 30, 0] == 255


def test_places_are_those_of_the_picture():
    picture = np.zeros((48, 64, 4), np.uint8)
    layer = layer_of(20, 10, 50, 40)
    dot(layer, 33, 21)
    layer.lines(layer.fixed(np.array([[[25, 30], [45, 30]]], np.float32)), 1, WHITE, 1.0, level=True)
    layer.lay(picture)
    assert picture[21, 33, 0] == 255
    assert picture[30, 25:46, 0].min() == 255
    assert layer.local(33, 21) == (13, 11)


def test_nothing_outside_the_region_is_touched():
    picture = np.random.default_rng(0).integers(0, 256, (48, 64, 4), np.uint8)
    before = picture.copy()
    region = Region(20, 10, 40, 30)
    layer = Layer()
    layer.clear(region)
    edge = np.array([[20, 10], [39, 29], [19.4, 20], [30, 30.4], [5, 5], [-1e9, 1e9]], np.float32)
    layer.dots(edge, 3.0, np.full((6, 3), 255, np.float32), np.ones(6, np.float32))
    layer.rings(edge, 5.0, 1.0, WHITE)
    layer.lines(layer.fixed(edge[None]), 3, WHITE, 1.0)
    layer.edge(0.5, 2)
    layer.lay(picture)
    assert (picture[10:30, 20:40] != before[10:30, 20:40]).any()
    picture[10:30, 20:40] = before[10:30, 20:40]
    assert np.array_equal(picture, before)


def test_clear_parts_of_a_layer_leave_the_picture_as_it_is():
    picture = np.random.default_rng(0).integers(0, 256, (48, 64, 4), np.uint8)
    before = picture.copy()
    layer = layer_of()
    layer.edge(0.4, 1)
    layer.lay(picture)
    assert np.array_equal(picture, before)


def test_the_halo_darkens_around_ink_and_only_there():
    picture = np.full((48, 64, 4), 255, np.uint8)
    layer = layer_of()
    layer.lines(layer.fixed(np.array([[[10, 20], [50, 20]]], np.float32)), 1, WHITE, 1.0, level=True)
    layer.edge(0.4, 1)
    layer.lay(picture)
    assert picture[20, 30, 0] == 255
    assert picture[19, 30, 0] == picture[21, 30, 0] == pytest.approx(0.6 * 255, abs=1)
    assert picture[18, 30, 0] == 255
    assert (picture[..., 3] == 255).all()


def test_far_places_are_no_trouble():
    layer = layer_of()
    far = np.array([[[0, 0], [3e38, -3e38]], [[1e9, 1e9], [-1e9, -1e9]]], np.float32)
    assert np.abs(layer.fixed(far)).max() == FARTHEST * 16
    for width in (1, 3):
        layer.lines(layer.fixed(far), width, WHITE, 1.0)
    dot(layer, 3e38, 0)
    assert layer.pixels[..., 3].any()  # the line that crosses the picture is there


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        (Box(10, 12, 20, 22), (7, 9, 24, 26)),
        (Box(-50, -50, -40, -40), (0, 0, 0, 0)),
        (Box(1e9, 1e9, 2e9, 2e9), (64, 48, 64, 48)),
        (Box(-1e30, -1e30, 1e30, 1e30), (0, 0, 64, 48)),
    ],
)
def test_a_region_stays_within_the_picture(box, expected):
    region = Region.around(box, 3, 64, 48)
    assert (region.x0, region.y0, region.x1, region.y1) == expected


def test_an_empty_region_takes_any_ink():
    picture = np.full((48, 64, 4), 7, np.uint8)
    layer = layer_of(64, 48, 64, 48)
    dot(layer, 3, 3)
    layer.rings(np.zeros((2, 2), np.float32), 3.0, 1.0, WHITE)
    layer.lines(layer.fixed(np.zeros((1, 2, 2), np.float32)), 1, WHITE, 1.0)
    layer.edge(0.4, 1)
    layer.lay(picture)
    assert (picture == 7).all()


def test_buffers_are_kept_for_regions_that_fit():
    layer = layer_of()
    first = layer.pixels
    layer.clear(Region(5, 5, 30, 30))
    assert np.shares_memory(first, layer.pixels)
    assert not layer.pixels.any()


def test_a_plate_has_round_corners_and_one_colour():
    layer = layer_of()
    layer.plate(Region(0, 0, 64, 48), 8)
    alpha = layer.pixels[..., 3]
    assert alpha[0, 0] == alpha[0, -1] == alpha[-1, 0] == alpha[-1, -1] == 0
    assert (alpha[8:-8] == round(255 * PLATE_ALPHA)).all()
    assert np.array_equal(alpha, alpha[::-1])
    assert np.array_equal(alpha, alpha[:, ::-1])


@pytest.mark.parametrize("plate", [Region(-10, -10, 5, 5), Region(60, 40, 90, 90), Region(-9, -9, -2, -2)])
def test_a_plate_may_reach_beyond_the_region(plate):
    layer = layer_of()
    layer.plate(plate, 4)
    rows, columns = np.nonzero(layer.pixels[..., 3])
    assert all(plate.x0 <= x < plate.x1 and plate.y0 <= y < plate.y1 for x, y in zip(columns, rows, strict=True))
