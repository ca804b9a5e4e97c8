"""Crops: mapped there and back, level, and in the right place to a fraction of a pixel."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.geometry import Box, Crop, crop_of_box, crop_of_landmarks, in_picture, landmark_box, roll_of_landmarks
from engine.core.schemes import IBUG_68

finite = st.floats(-2000, 2000)


@given(x=finite, y=finite, side=st.floats(5, 3000), roll=st.floats(-math.pi, math.pi), px=finite, py=finite)
def test_there_and_back(x, y, side, roll, px, py):
    crop = Crop(x, y, side, roll)
    point = np.array([[px, py]])
    assert np.abs(crop.to_picture(crop.from_picture(point)) - point).max() < 0.05


def test_a_dot_is_sampled_where_from_picture_says():
    picture = np.zeros((200, 300, 3), np.uint8)
    picture[80:83, 150:153] = 255
    for roll in (0.0, 0.6, -2.0):
        crop = Crop(140, 90, 120, roll)
        sampled = crop.sample(picture, 240)[..., 0].astype(float)
        rows, columns = np.nonzero(sampled > 100)
        expected = crop.from_picture(np.array([151.0, 81.0]))
        found = (np.array([columns.mean(), rows.mean()]) + 0.5) / 240
        assert np.abs(found - expected).max() < 0.5 / 240


def test_outside_the_picture_it_is_black():
    picture = np.full((50, 50, 3), 200, np.uint8)
    sampled = Crop(0, 0, 40).sample(picture, 32)
    assert sampled[:14, :14].max() == 0
    assert sampled[20:, 20:].min() == 200


def test_large_crops_are_averaged_not_skipped():
    picture = np.zeros((1000, 1000, 3), np.uint8)
    picture[:, ::2] = 255
    sampled = Crop(500, 500, 900).sample(picture, 64)
    assert abs(float(sampled.mean()) - 127.5) < 3
    assert sampled.std() < 25


@pytest.mark.parametrize("shape", [(480, 640), (481, 643), (97, 1203)])
@pytest.mark.parametrize("side", [250.0, 300.0, 530.0, 1400.0])
@pytest.mark.parametrize("roll", [0.0, 0.7, -2.5])
def test_a_crop_shows_the_mean_of_what_each_of_its_pixels_covers(shape, side, roll):
    picture = cv2.GaussianBlur(np.random.default_rng(3).integers(0, 256, (*shape, 3), np.uint8), (0, 0), 6)
    crop = Crop(shape[1] * 0.45, shape[0] * 0.6, side, roll)
    dense = crop.matrix(64 * 24)
    fine = cv2.warpAffine(picture, dense, (64 * 24, 64 * 24), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    expected = cv2.resize(fine, (64, 64), interpolation=cv2.INTER_AREA).astype(float)
    found = crop.sample(picture, 64).astype(float)
    inside = cv2.erode((expected.min(2) > 0).astype(np.uint8), np.ones((5, 5), np.uint8), borderValue=1) > 0
    assert inside.any()
    assert np.abs(found - expected)[inside].max() < 8
    assert (found[cv2.dilate(expected.max(2), np.ones((5, 5))) == 0] == 0).all(), "beside the picture it is black"


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (3, 2), (40, 40)])
@pytest.mark.parametrize("centre", [(0.0, 0.0), (-900.0, 20.0), (2e9, -1e12)])
def test_crops_beside_a_picture_and_of_the_smallest_are_black_where_nothing_is(shape, centre):
    sampled = Crop(*centre, 700, 0.4, 1.7).sample(np.full((*shape, 3), 255, np.uint8), 32)
    assert sampled.shape == (32, 32, 3)
    assert sampled[0, 0].max() == 0


def test_landmark_box_ignores_points_without_label_and_refuses_none():
    points = np.array([[1, 5], [np.nan, 0], [4, 2]], np.float32)
    assert landmark_box(points) == Box(1, 2, 4, 5)
    with pytest.raises(ValueError, match="finite"):
        landmark_box(np.full((3, 2), np.nan))


def test_crop_of_box_is_a_square_of_the_larger_side_moved_down():
    crop = crop_of_box(Box(0, 0, 100, 40), 1.5, 0.1)
    assert (crop.centre_x, crop.centre_y, crop.side) == (50, 30, 150)


def test_crop_of_a_lying_head_is_as_tight_as_that_of_an_upright_one():
    points = np.random.default_rng(1).uniform(0, 60, (68, 2))
    upright = crop_of_landmarks(points, 0.0, 1.3)
    turned = points @ np.array([[0, 1], [-1, 0]])  # 90 degrees clockwise on screen
    lying = crop_of_landmarks(turned, math.pi / 2, 1.3)
    assert lying.side == pytest.approx(upright.side, rel=1e-5)
    assert np.allclose(lying.from_picture(turned), upright.from_picture(points), atol=1e-4)


@pytest.mark.parametrize("degrees", [0, 30, 90, 170, -90])
def test_roll_is_the_angle_of_the_eye_line(degrees):
    angle = math.radians(degrees)
    points = np.zeros((68, 2))
    points[list(IBUG_68.left_eye)] = (math.cos(angle), math.sin(angle))
    assert roll_of_landmarks(IBUG_68, points) == pytest.approx(angle)


def test_roll_is_zero_when_an_eye_is_hidden():
    points = np.ones((68, 2))
    points[list(IBUG_68.left_eye)] = np.nan
    assert roll_of_landmarks(IBUG_68, points) == 0


def test_overlap():
    assert Box(0, 0, 2, 2).overlap(Box(1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert Box(0, 0, 2, 2).overlap(Box(5, 5, 6, 6)) == 0


def test_a_picture_reaches_half_a_pixel_beyond_the_centres_of_its_outer_pixels():
    points = np.array([(-0.5, -0.4), (69.5, 59.5), (-0.6, 30), (69.6, 30), (30, 59.6), (30, math.nan)])
    assert in_picture(points, 70, 60).tolist() == [True, True, False, False, False, False]
