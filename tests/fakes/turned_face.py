"""A face in space, seen by a camera at known angles."""

from __future__ import annotations

import numpy as np

from engine.core.faces import Face, Result
from engine.core.frame import Frame
from engine.core.geometry import landmark_box
from engine.core.schemes import IBUG_68, SCHEMES
from engine.inference.head_pose import FACE_MODEL, RIGID_POINTS
from engine.inference.signals import INNER_LIPS, LEFT_EYE, RIGHT_EYE

WIDTH, HEIGHT = 640, 480
DISTANCE = 700.0  # millimetres
OPEN_EYE = 0.3  # aspect ratio
MOUTH_WIDTH = 50.0
EYE_DISTANCE = 89.0 / DISTANCE * WIDTH  # pixels, outer corners of the face that looks into the camera


def rotation_of(yaw=0.0, pitch=0.0, roll=0.0):
    """Turn to the right of the picture, then upwards, then clockwise about where the face looks; degrees."""
    about_y, about_x, about_z = (np.radians(angle) for angle in (-yaw, -pitch, roll))
    cosine, sine = np.cos(about_y), np.sin(about_y)
    sideways = np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]])
    cosine, sine = np.cos(about_x), np.sin(about_x)
    upwards = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
    cosine, sine = np.cos(about_z), np.sin(about_z)
    return sideways @ upwards @ np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])


def face_in_space(eyes=(1.0, 1.0), mouth=0.0):
    """Return 68 points `[68, 3]` in millimetres; right and left eye open by a share, the mouth by a ratio."""
    points = np.tile(FACE_MODEL.mean(0), (68, 1))
    points[list(RIGID_POINTS)] = FACE_MODEL
    for corners, share in zip((RIGHT_EYE, LEFT_EYE), eyes, strict=True):
        first, last = points[corners[0]].copy(), points[corners[3]].copy()
        half = np.array((0, abs(last - first)[0] * OPEN_EYE * share / 2, 0))
        for upper, lower, along in ((1, 5, 1 / 3), (2, 4, 2 / 3)):
            points[corners[upper]] = first + (last - first) * along - half
            points[corners[lower]] = first + (last - first) * along + half
    across, down = np.array((MOUTH_WIDTH, 0, 0)), np.array((0, MOUTH_WIDTH * mouth / 2, 0))
    middle = np.array((0.0, 64.0, -2.0))
    for index, along, side in zip(INNER_LIPS, (-2, -1, 0, 1, 2, 1, 0, -1), (0, -1, -1, -1, 0, 1, 1, 1), strict=True):
        points[index] = middle + across * along / 4 + down * side
    return points


def seen(points, rotation, aim=None, distance=DISTANCE):
    """Return where a camera sees points `[n, 3]` that are turned by `rotation` and lie along `aim` `[3, 3]`."""
    placed = (points - FACE_MODEL.mean(0)) @ rotation.T + (0, 0, distance)
    placed = placed if aim is None else placed @ aim.T
    return placed[:, :2] / placed[:, 2:] * WIDTH + ((WIDTH - 1) / 2, (HEIGHT - 1) / 2)


def face_of(points, scheme=IBUG_68, number=1):
    """Return the face with these 68 points, in any scheme that has them."""
    landmarks = np.tile(points.mean(0), (scheme.points, 1)).astype(np.float32)
    landmarks[list(scheme.as_68)] = points
    finite = landmarks if np.isfinite(landmarks).all() else np.zeros((2, 2))
    return Face(number, landmark_box(finite), 0.9, scheme, landmarks, np.ones(scheme.points, np.float32), 0.0)


def result_of(*faces, moment=0.0, number=0):
    """Return the result of a frame of a file at this moment."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    return Result(Frame(number, 0.0, image, "test", time=moment), faces, "model", {}, False)


def turned_face(yaw=0.0, pitch=0.0, roll=0.0, *, eyes=(1.0, 1.0), mouth=0.0, points=68, number=1):
    """Return the face as the camera sees it, in iBUG-68 or WFLW-98."""
    return face_of(seen(face_in_space(eyes, mouth), rotation_of(yaw, pitch, roll)), SCHEMES[points], number)
