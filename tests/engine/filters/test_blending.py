"""The blend modes, by values worked out by hand."""

import numpy as np
import pytest

from engine.filters.painter import blend

# mode, picture, colour of the ink, its alpha, what comes out; all in 0..255
CASES = [
    ("normal", 100, 200, 255, 200),
    ("normal", 100, 200, 51, 120),  # 100 + 0.2 (200 - 100)
    ("multiply", 100, 51, 255, 20),  # 100 * 0.2
    ("multiply", 100, 51, 51, 84),  # 0.8 * 100 + 0.2 * 20
    ("screen", 100, 51, 255, 131),  # 100 + 51 - 20
    ("screen", 100, 51, 51, 106),
    ("add", 100, 51, 255, 151),
    ("add", 100, 51, 51, 110),
    ("add", 230, 200, 255, 255),
    ("overlay", 100, 51, 255, 40),  # 2 * 100 * 0.2
    ("overlay", 200, 51, 255, 167),  # 255 (1 - 2 * 0.2157 * 0.8)
    ("overlay", 200, 51, 51, 193),
    ("overlay", 100, 255, 255, 200),
]


@pytest.mark.parametrize(("mode", "below", "colour", "alpha", "expected"), CASES)
@pytest.mark.parametrize("channels", [3, 4])
def test_modes(mode, below, colour, alpha, expected, channels):
    picture = np.full((3, 5, channels), below, np.uint8)
    picture[..., 3:] = 255
    ink = np.full((3, 5, 4), round(colour * alpha / 255), np.uint8)
    ink[..., 3] = alpha
    blend(picture, ink, mode)
    assert np.abs(picture[..., :3].astype(int) - expected).max() <= 1
    assert (picture[..., 3:] == 255).all()


@pytest.mark.parametrize("mode", ["normal", "multiply", "screen", "add", "overlay"])
def test_no_ink_changes_nothing(mode):
    picture = np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8)
    before = picture.copy()
    blend(picture, np.zeros((4, 6, 4), np.uint8), mode)
    assert np.array_equal(picture, before)


def test_colours_keep_their_order():
    ink = np.zeros((1, 1, 4), np.uint8)
    ink[..., 2:] = 255  # red, BGRA
    bgra, rgb = np.zeros((1, 1, 4), np.uint8), np.zeros((1, 1, 3), np.uint8)
    blend(bgra, ink, "normal")
    blend(rgb, ink, "normal")
    assert bgra[0, 0].tolist() == [0, 0, 255, 255]
    assert rgb[0, 0].tolist() == [255, 0, 0]
