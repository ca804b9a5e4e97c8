from __future__ import annotations

import numpy as np
import pytest

from engine.core.errors import SourceError
from engine.sources.base import place_shown, to_rgb

BGR = np.zeros((4, 6, 3), np.uint8)
BGR[:] = (10, 20, 30)


def test_bgr_becomes_rgb_and_the_original_stays():
    rgb = to_rgb(BGR, "Cam")
    assert rgb[0, 0].tolist() == [30, 20, 10]
    assert BGR[0, 0].tolist() == [10, 20, 30]
    assert rgb.flags.c_contiguous


@pytest.mark.parametrize(
    ("picture", "colour"),
    [
        (np.full((4, 6), 7, np.uint8), [7, 7, 7]),
        (np.full((4, 6, 1), 7, np.uint8), [7, 7, 7]),
        (np.dstack([BGR, np.full((4, 6), 255, np.uint8)]), [30, 20, 10]),
        (BGR.astype(np.uint16) * 256 + 255, [30, 20, 10]),
        (np.full((4, 6), 65535, np.uint16), [255, 255, 255]),
        (np.repeat(BGR, 2, axis=1)[:, ::2], [30, 20, 10]),
        (BGR[:, ::-1], [30, 20, 10]),
    ],
    ids=["grey", "grey with an axis", "BGRA", "16 bits", "16 bit grey", "every other column", "reversed"],
)
def test_fault_31_other_kinds_of_pictures_are_converted(picture, colour):
    rgb = to_rgb(picture, "Cam")
    assert rgb.shape == (4, 6, 3)
    assert rgb.dtype == np.uint8
    assert (rgb == colour).all()


def test_fault_31_a_read_only_picture_is_converted():
    picture = BGR.copy()
    picture.flags.writeable = False
    assert to_rgb(picture, "Cam")[0, 0].tolist() == [30, 20, 10]


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((4, 6, 2), np.uint8),
        np.zeros((4, 6, 3), np.float32),
        np.zeros((4, 6, 3), np.int16),
        np.zeros(9, np.uint8),
    ],
    ids=["two channels", "floats", "signed", "one row of bytes"],
)
def test_fault_31_what_could_only_be_guessed_at_is_refused(picture):
    with pytest.raises(SourceError, match="Cam delivers pictures of the kind"):
        to_rgb(picture, "Cam")


def test_a_frame_is_shown_until_the_next_one():
    moments = (-1, 0, 0.032, 0.0334, 0.066, 0.0667, 500)
    assert [place_shown(seconds, 30.0, count=9) for seconds in moments] == [0, 0, 0, 1, 1, 2, 8]
    assert place_shown(500, 30.0) == 15_000
    assert [place_shown(round(place / 30, 3), 30.0) for place in range(1000)] == list(range(1000)), "rounded times too"
