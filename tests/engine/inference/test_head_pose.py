"""The pose of a head: the angles of a face that was turned by known ones, whatever the picture around it."""

import itertools

import numpy as np
import pytest

from engine.core.schemes import IBUG_68
from engine.inference.head_pose import FACE_MODEL, RIGID_POINTS, PoseFinder, angles
from tests.fakes.turned_face import DISTANCE, EYE_DISTANCE, HEIGHT, WIDTH, rotation_of, seen

TURNS = [*itertools.product((-60, -20, 0, 45), (-30, 0, 20), (-90, 0, 35)), (75, 0, 0), (0, 0, 170)]


def pose_of(points, width=WIDTH, height=HEIGHT):
    return PoseFinder().find(points.astype(np.float32), width, height)


def angles_of(pose):
    return np.array((pose.yaw, pose.pitch, pose.roll))


@pytest.mark.parametrize("turn", TURNS)
def test_known_angles_are_found_to_a_degree(turn):
    pose = pose_of(seen(FACE_MODEL, rotation_of(*turn)))
    assert np.abs(angles_of(pose) - turn).max() < 1
    assert pose.confidence > 0.99


@pytest.mark.parametrize("turn", [(0, 0, 0), (30, -10, 15), (-50, 20, 0)])
def test_noise_of_one_percent_of_the_eye_distance_costs_few_degrees(turn):
    points, noise = seen(FACE_MODEL, rotation_of(*turn)), np.random.default_rng(0)
    errors = [angles_of(pose_of(points + noise.normal(0, EYE_DISTANCE / 100, points.shape))) - turn for _ in range(100)]
    assert np.abs(errors).max() < 6
    assert np.sqrt(np.square(errors).mean(0)).max() < 2


def test_signs_are_those_of_the_picture():
    right = pose_of(seen(FACE_MODEL, rotation_of(yaw=20))).axes
    up = pose_of(seen(FACE_MODEL, rotation_of(pitch=20))).axes
    clockwise = pose_of(seen(FACE_MODEL, rotation_of(roll=20))).axes
    assert right[3, 0] > right[0, 0] + 5  # the face looks to the right of the picture
    assert up[3, 1] < up[0, 1] - 5  # and up
    assert clockwise[1, 1] > clockwise[0, 1] + 5  # the person's left has come down


def test_axes_grow_out_of_the_nose_that_is_seen():
    points = seen(FACE_MODEL, rotation_of(10, 5, 20))
    axes = pose_of(points).axes
    assert axes.shape == (4, 2)
    assert axes[0] == pytest.approx(points[RIGID_POINTS.index(30)], abs=1e-3)
    straight = pose_of(seen(FACE_MODEL, np.eye(3))).axes
    across, up = straight[1] - straight[0], straight[2] - straight[0]
    assert across[0] > 40
    assert up[1] < -40
    assert max(abs(across[1]), abs(up[0])) < 1


@pytest.mark.parametrize("turn", [(0, 0, 0), (25, 10, -20)])
def test_a_mirror_turns_yaw_and_roll_about_and_leaves_pitch(turn):
    points = seen(FACE_MODEL, rotation_of(*turn))
    order = [RIGID_POINTS.index(IBUG_68.mirror[point]) for point in RIGID_POINTS]
    mirrored = points[order] * (-1, 1) + (WIDTH - 1, 0)
    assert angles_of(pose_of(mirrored)) == pytest.approx(angles_of(pose_of(points)) * (-1, 1, -1), abs=0.05)


@pytest.mark.parametrize("aim", [{"yaw": 20}, {"yaw": -20}, {"pitch": 15}, {"pitch": -15}])
def test_a_face_at_the_edge_that_looks_into_the_camera_is_not_turned(aim):
    points = seen(FACE_MODEL, np.eye(3), aim=rotation_of(**aim))
    assert np.abs(points.mean(0) - (WIDTH / 2, HEIGHT / 2)).max() > 100
    assert np.abs(angles_of(pose_of(points))).max() < 1


@pytest.mark.parametrize("distance", [350.0, 3000.0])
def test_near_and_far_faces_have_the_same_pose(distance):
    pose = pose_of(seen(FACE_MODEL, rotation_of(20, 10, 5), distance=distance))
    assert np.abs(angles_of(pose) - (20, 10, 5)).max() < 1


@pytest.mark.parametrize("size", [(WIDTH // 2, WIDTH // 2), (2 * WIDTH, 2 * WIDTH)])
def test_another_lens_than_thought_changes_little(size):
    points = seen(FACE_MODEL, rotation_of(25, -10, 10)) - ((WIDTH - 1) / 2, (HEIGHT - 1) / 2)
    pose = pose_of(points + (np.array(size) - 1) / 2, *size)
    assert np.abs(angles_of(pose) - (25, -10, 10)).max() < 7


def test_a_followed_face_has_the_pose_that_it_would_have_alone():
    finder = PoseFinder()
    for yaw in range(-80, 81, 4):
        points = seen(FACE_MODEL, rotation_of(yaw, 10, yaw / 4))
        assert np.abs(angles_of(finder.find(points, WIDTH, HEIGHT)) - (yaw, 10, yaw / 4)).max() < 1


def test_a_face_that_jumps_is_found_again():
    finder = PoseFinder()
    finder.find(seen(FACE_MODEL, rotation_of(-60, 20, 0)), WIDTH, HEIGHT)
    pose = finder.find(seen(FACE_MODEL, rotation_of(60, -20, 160)), WIDTH, HEIGHT)
    assert np.abs(angles_of(pose) - (60, -20, 160)).max() < 1


def with_one(value):
    points = seen(FACE_MODEL, np.eye(3))
    points[3] = value
    return points


NO_FACES = {
    "huge": with_one(1e30),
    "one far off": with_one(5000.0),
    "one place": np.full((11, 2), 100.0),
    "one line": np.stack([np.arange(11.0)] * 2, axis=1) * 20,
    "anything": np.random.default_rng(1).uniform(0, WIDTH, (11, 2)),
    "upside down inside out": seen(FACE_MODEL, np.eye(3))[::-1],
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", list(NO_FACES))
def test_what_is_no_face_has_no_pose(name):
    finder = PoseFinder()
    assert finder.find(NO_FACES[name], WIDTH, HEIGHT) is None
    assert finder.find(seen(FACE_MODEL, np.eye(3)), WIDTH, HEIGHT) is not None


def test_a_face_of_another_shape_lowers_the_confidence():
    long_face = seen(FACE_MODEL * (1, 1.25, 1), np.eye(3))
    assert 0.3 < pose_of(long_face).confidence < 0.9


def test_angles_of_a_rotation_are_those_that_made_it():
    for turn in TURNS:
        assert angles(rotation_of(*turn)) == pytest.approx(turn, abs=1e-6)


def test_the_eye_distance_of_the_model_is_that_of_the_tests():
    corners = seen(FACE_MODEL, np.eye(3))[[RIGID_POINTS.index(36), RIGID_POINTS.index(45)]]
    assert np.ptp(corners[:, 0]) == pytest.approx(EYE_DISTANCE, rel=30 / DISTANCE)
