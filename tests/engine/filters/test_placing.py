"""Anchors: where the pixels of an image come to lie on a face."""

import numpy as np
import pytest
from PIL import Image

from engine.filters.images import LayerImage, read_image
from engine.filters.placing import anchor_matrix, pinned_ink
from engine.filters.reading import parse_spec
from tests.fakes.filters import grey, portrait_points

IMAGE = LayerImage((np.full((50, 100, 4), 255, np.uint8),))


def anchor_of(tmp_path, more="", at='"nose_tip"'):
    text = (
        f'[[layer]]\nimage = "a.png"\n[layer.anchor]\nat = {at}\n'
        f'width = {{ between = ["face_right", "face_left"] }}\n{more}\n'
    )
    return parse_spec(tmp_path / "filter.toml", text).layers[0].anchor


def points_of(right=(100, 200), left=(300, 200), nose=(200, 260)):
    """Landmarks of which only the ends of the face, the eyes and the nose mean anything."""
    points = np.zeros((68, 2))
    points[0] = points[36:42] = right
    points[16] = points[42:48] = left
    points[27], points[30] = np.mean([right, left], 0), nose
    return points


def place(matrix, x, y):
    return (matrix @ (x, y, 1))[:2]


def test_the_middle_lies_on_the_place_and_the_width_is_the_distance(tmp_path):
    matrix = anchor_matrix(anchor_of(tmp_path), points_of(), IMAGE, {})
    assert np.allclose(place(matrix, 49.5, 24.5), (200, 260))
    assert np.allclose(place(matrix, 100, 0) - place(matrix, 0, 0), (200, 0))
    assert np.allclose(place(matrix, 0, 50) - place(matrix, 0, 0), (0, 100))  # the proportions of the image


def test_a_pixel_can_be_named(tmp_path):
    matrix = anchor_matrix(anchor_of(tmp_path, "pixel = [10, 40]"), points_of(), IMAGE, {})
    assert np.allclose(place(matrix, 10, 40), (200, 260))


def test_images_turn_with_the_head(tmp_path):
    lying = points_of(right=(200, 100), left=(200, 300), nose=(140, 200))
    matrix = anchor_matrix(anchor_of(tmp_path), lying, IMAGE, {})
    assert np.allclose(place(matrix, 49.5, 24.5), (140, 200))
    assert np.allclose(place(matrix, 100, 0) - place(matrix, 0, 0), (0, 200))
    upside_down = points_of(right=(300, 200), left=(100, 200), nose=(200, 140))
    matrix = anchor_matrix(anchor_of(tmp_path), upside_down, IMAGE, {})
    assert np.allclose(place(matrix, 0, 50) - place(matrix, 0, 0), (0, -100))


def test_turn_offset_and_height(tmp_path):
    more = 'turn = 90\noffset = [0.1, -0.5]\nheight = { between = ["nose_bridge", "nose_tip"], times = 2 }'
    matrix = anchor_matrix(anchor_of(tmp_path, more), points_of(), IMAGE, {})
    # Turned clockwise by 90 degrees, the image's right is the picture's down, and its down the picture's left.
    assert np.allclose(place(matrix, 49.5, 24.5), (200 + 0.5 * 200, 260 + 0.1 * 200))
    assert np.allclose(place(matrix, 100, 0) - place(matrix, 0, 0), (0, 200))
    assert np.allclose(place(matrix, 0, 50) - place(matrix, 0, 0), (-120, 0))


def test_signals_change_size_place_and_angle(tmp_path):
    driven = {"scale": 0.5, "scale_y": 2.0, "offset_x": 0.25, "turn": 180.0}
    matrix = anchor_matrix(anchor_of(tmp_path), points_of(), IMAGE, driven)
    assert np.allclose(place(matrix, 49.5, 24.5), (200 - 50, 260))
    assert np.allclose(place(matrix, 100, 0) - place(matrix, 0, 0), (-100, 0))
    assert np.allclose(place(matrix, 0, 50) - place(matrix, 0, 0), (0, -100))


@pytest.mark.parametrize("at", ['"forehead"', '"crown"'])
def test_places_above_the_brows_lie_above_them(tmp_path, at):
    points = portrait_points()
    assert (anchor_of(tmp_path, at=at).at @ points)[1] < points[17:27, 1].min() - 20


def spots_image(width=64, height=48):
    """Black with one white spot of 4 x 4 pixels whose middle lies at (21.5, 33.5)."""
    full = np.zeros((height, width, 4), np.uint8)
    full[..., 3] = 255
    full[32:36, 20:24] = 255
    return full


@pytest.mark.parametrize("scale", [3.0, 1.0, 0.6])
def test_ink_lies_where_the_matrix_says(scale):
    image = LayerImage((spots_image(),))
    matrix = np.array([[0, -scale, 200], [scale, 0, 90], [0, 0, 1]])
    ink = pinned_ink(image, matrix, grey())
    white = ink.pixels[..., 0].astype(float)
    rows, columns = np.indices(white.shape)
    middle = np.array(((columns * white).sum(), (rows * white).sum())) / white.sum() + (ink.region.x0, ink.region.y0)
    assert np.allclose(middle, place(matrix, 21.5, 33.5), atol=0.1)


def test_smaller_levels_show_the_same_place(tmp_path):
    Image.fromarray(np.kron(spots_image(), np.ones((8, 8, 1), np.uint8))).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    assert len(image.levels) > 3
    matrix = np.array([[0.2, 0, 100.0], [0, 0.2, 50], [0, 0, 1]])
    ink = pinned_ink(image, matrix, grey())
    white = ink.pixels[..., 0].astype(float)
    rows, columns = np.indices(white.shape)
    middle = np.array(((columns * white).sum(), (rows * white).sum())) / white.sum() + (ink.region.x0, ink.region.y0)
    assert np.allclose(middle, place(matrix, 21.5 * 8 + 3.5, 33.5 * 8 + 3.5), atol=0.2)


@pytest.mark.parametrize(
    "matrix",
    [
        np.diag((0.0, 1.0, 1.0)),
        np.diag((1e9, 1.0, 1.0)),
        np.full((3, 3), np.nan),
        np.array([[1, 0, 1e6], [0, 1, 0], [0, 0, 1.0]]),
        np.array([[1, 0, 0], [0, 1, -500], [0, 0, 1.0]]),
    ],
)
def test_what_cannot_be_seen_is_left_out(matrix):
    assert pinned_ink(IMAGE, matrix, grey()) is None
