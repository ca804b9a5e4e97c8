"""The moving portrait: what is drawn and where the landmarks are said to be agree."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from engine.core.paths import asset_path
from engine.formats.images import read_picture
from engine.sources.sample import HEIGHT, WIDTH, _read_landmarks
from engine.sources.sample_portrait import LOOP_SECONDS, HeadTurn, MovingPortrait, Pose, eyelid_warp, jaw_warp, pose_at

SIZE = (532, 512)
REST = Pose(pan_x=0, pan_y=0, zoom=2, roll=0, yaw=0, nod=0, tilt=0, blink=0, mouth=0, brightness=1, warmth=0)
POSES = [
    REST,
    replace(REST, pan_x=-43.3, pan_y=21.7, zoom=2.6, roll=20),
    replace(REST, yaw=13, nod=8, tilt=-5, roll=-20, zoom=1.5),
    replace(REST, yaw=-13, nod=-7, tilt=5, mouth=0.7, blink=0.3),
]
GREY = 140
# An opening mouth tears a dot on the lower lip's inner edge in two: half of it stays on the teeth.
TEARING = (65, 66, 67)


@pytest.fixture(scope="module")
def landmarks():
    return _read_landmarks()


def plain(grey):
    return np.full((*SIZE, 3), grey, np.uint8)


def with_dot(x, y):
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    dot = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 0.7**2))
    return (GREY + (255 - GREY) * dot[..., None] * np.ones(3)).round().astype(np.uint8)


@pytest.mark.parametrize("pose", POSES, ids=["rest", "camera", "head", "face"])
def test_dots_drawn_on_the_landmarks_are_found_at_the_truth(pose, landmarks):
    without, truth = MovingPortrait(plain(GREY), landmarks, WIDTH, HEIGHT).render(pose)
    for index, (x, y) in enumerate(landmarks):
        if pose.mouth and index in TEARING:
            continue
        image, _ = MovingPortrait(with_dot(x, y), landmarks, WIDTH, HEIGHT).render(pose)
        weight = cv2.absdiff(image, without).sum(-1, dtype=float)
        rows, columns = np.nonzero(weight)
        found = np.average(np.stack([columns, rows], 1), axis=0, weights=weight[rows, columns])
        assert np.linalg.norm(found - truth[index]) < 0.5, index


def warps(landmarks):
    return [
        eyelid_warp(landmarks, (36, 37, 38, 39), (36, 41, 40, 39)),
        eyelid_warp(landmarks, (42, 43, 44, 45), (42, 47, 46, 45)),
        jaw_warp(landmarks),
    ]


@pytest.mark.parametrize("amount", [0.0, 0.3, 1.0])
def test_columns_show_what_was_moved_there(amount, landmarks):
    for warp in warps(landmarks):
        rows, columns = warp.window
        shown = warp.backward(amount)
        y, x = np.mgrid[rows, columns]
        moved = warp.forward(np.stack([x.ravel(), shown.ravel()], 1).astype(float), amount)
        np.testing.assert_allclose(moved, np.stack([x.ravel(), y.ravel()], 1), atol=0.02)


def test_columns_never_fold_over(landmarks):
    for warp in warps(landmarks):
        assert (np.diff(warp.rest + warp.move, axis=0) >= -1e-4).all()
        assert (np.diff(warp.backward(1.0), axis=0) >= -1e-3).all()
        np.testing.assert_array_equal(warp.move[[0, -1]], 0)


def test_columns_leave_everything_else_alone(landmarks):
    beyond = np.array([[10.0, 20.0], [500.0, 300.0], [224.0, 120.0]])
    for warp in warps(landmarks):
        np.testing.assert_allclose(warp.forward(beyond, 1.0), beyond, atol=1e-4)
        np.testing.assert_allclose(np.abs(warp.move[:, [0, -1]]).max(), 0, atol=0.6)


def test_lower_lip_begins_at_its_landmarks_when_the_mouth_opens(landmarks):
    portrait = MovingPortrait(read_picture(asset_path("sample", "portrait.png")), landmarks, WIDTH, HEIGHT)
    image, truth = portrait.render(replace(REST, mouth=1))
    brightness = image.sum(-1, dtype=float) / 3
    for x, y in truth[list(TEARING)].round().astype(int):
        edge = np.diff(brightness[y - 6 : y + 7, x])
        assert abs(np.argmax(edge) - 5.5) <= 2
        assert brightness[y + 4, x] > brightness[y - 4, x] + 60


def test_eyelids_meet_and_the_jaw_drops(landmarks):
    right, left, jaw = warps(landmarks)
    closed = left.forward(right.forward(landmarks, 1.0), 1.0)
    for upper, lower in ((37, 41), (38, 40), (43, 47), (44, 46)):
        assert 0 <= closed[lower, 1] - closed[upper, 1] < 0.5
    np.testing.assert_allclose(closed[[17, 21, 36, 39, 42, 45, 30]], landmarks[[17, 21, 36, 39, 42, 45, 30]], atol=0.2)
    dropped = jaw.forward(landmarks, 1.0) - landmarks
    assert dropped[[57, 66, 8], 1].min() > 7
    np.testing.assert_allclose(dropped[[*range(51), 62]][:3], 0, atol=1e-6)
    np.testing.assert_allclose(dropped[[31, 33, 36, 48, 51, 54]], 0, atol=1e-3)


def test_turn_of_the_head_is_the_inverse_of_what_is_drawn(landmarks):
    turn = HeadTurn((225.0, 209.0), 65.0)
    for pose in (*POSES, *(pose_at(second) for second in np.arange(0, LOOP_SECONDS, 0.5))):
        back = turn.backward(turn.forward(landmarks, pose).T, pose).T
        np.testing.assert_allclose(back, landmarks, atol=1e-3)


def test_yaw_turns_the_face_and_leaves_the_background(landmarks):
    turn = HeadTurn((225.0, 209.0), 65.0)
    turned = turn.forward(landmarks, replace(REST, yaw=13))
    moved = turned[:, 0] - landmarks[:, 0]
    assert moved[30] > 10
    assert moved[[0, 16]].max() < moved[30] / 2
    corners = np.array([[5.0, 5.0], [500.0, 5.0], [5.0, 500.0], [500.0, 500.0]])
    np.testing.assert_allclose(turn.forward(corners, POSES[3]), corners, atol=0.01)


def test_roll_and_pan_go_the_way_they_say(landmarks):
    portrait = MovingPortrait(plain(GREY), landmarks, WIDTH, HEIGHT)
    _, level = portrait.render(REST)
    _, rolled = portrait.render(replace(REST, roll=20))
    _, panned = portrait.render(replace(REST, pan_x=30, pan_y=-12))
    across_level, across_rolled = level[45] - level[36], rolled[45] - rolled[36]
    turned = np.degrees(np.arctan2(*across_rolled[::-1]) - np.arctan2(*across_level[::-1]))
    assert turned == pytest.approx(20, abs=0.01)
    np.testing.assert_allclose(panned - level, np.tile([30, -12], (68, 1)), atol=1e-3)


def test_no_border_ever_shows(landmarks):
    portrait = MovingPortrait(plain(255), landmarks, WIDTH, HEIGHT)
    script = [pose_at(second) for second in np.arange(0, LOOP_SECONDS, 0.5)]
    far_off = [replace(REST, pan_x=side * 250, zoom=1.3, roll=20) for side in (-1, 1)]
    for pose in (*script, *far_off):
        image, _ = portrait.render(replace(pose, blink=0, mouth=0))
        assert image.min() >= 254


def test_face_returns_to_rest_after_every_expression(landmarks):
    picture = np.random.default_rng(1).integers(0, 256, (*SIZE, 3), np.uint8)
    portrait = MovingPortrait(picture, landmarks, WIDTH, HEIGHT)
    before, _ = portrait.render(REST)
    during, _ = portrait.render(replace(REST, blink=1, mouth=1))
    after, _ = portrait.render(REST)
    assert (during != before).any()
    np.testing.assert_array_equal(after, before)
