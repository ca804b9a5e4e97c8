"""Head pose from landmarks: a rigid model of the face is fitted to them (perspective-n-point)."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.face_signals import HeadPose

# A general face in millimetres: x to the right of the picture (the person's left), y down from the eye line, z away
# from the camera, the root of the nose at depth 0. Widths and heights go by the means of adult women and men of Farkas,
# Anthropometry of the Head and Face (1994): outer eye corners 89 apart, base of the nose 43 below the eye line, its tip
# 17 before it. iBUG's points are not quite those of anthropometry: the root of the nose is lower, inner eye corners
# further out. Depths that such tables lack, as of the eye corners, are our estimates. Only points that neither jaw nor
# expression moves, by their index in iBUG-68.
_FACE = {
    27: (0.0, -2.0, 0.0),  # root of the nose
    28: (0.0, 9.0, -8.0),
    29: (0.0, 20.0, -17.0),
    30: (0.0, 31.0, -26.0),  # tip
    31: (-13.0, 41.0, -3.0),  # right wing
    33: (0.0, 43.0, -9.0),  # base
    35: (13.0, 41.0, -3.0),  # left wing
    36: (-44.5, 0.0, 23.0),  # corners of the right eye: outer, inner
    39: (-18.5, 0.0, 11.0),
    42: (18.5, 0.0, 11.0),  # corners of the left eye: inner, outer
    45: (44.5, 0.0, 23.0),
}
RIGID_POINTS = tuple(_FACE)  # indices in iBUG-68
FACE_MODEL = np.array(list(_FACE.values()))  # [11, 3] millimetres
_NOSE_TIP = RIGID_POINTS.index(30)

AXIS_LENGTH = 60.0  # millimetres
# Ends of the axes that are drawn, seen from the tip of the nose: to the person's left, up, and forwards.
_AXES = FACE_MODEL[_NOSE_TIP] + AXIS_LENGTH * np.array([(0, 0, 0), (1, 0, 0), (0, -1, 0), (0, 0, -1)])
# Root mean square distance of the landmarks from the model, in millimetres at the face, beyond which there is no pose.
LARGEST_MISFIT = 8.0
_SMALLEST_FACE = 1e-4  # spread of the points over the focal length, below which they count as one point
_NO_CAMERA = np.eye(3)  # places are given as rays already


class PoseFinder:
    """Finds the pose of one face from frame to frame, each search beginning at the last pose."""

    def __init__(self) -> None:
        self._last: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None

    def reset(self) -> None:
        """Start the next search from scratch."""
        self._last = None

    def find(self, points: NDArray[np.floating], width: int, height: int) -> HeadPose | None:
        """Return the pose, or None where no rigid face that is turned to the camera looks like this.

        The points are the `RIGID_POINTS` `[11, 2]`, finite, in pixels of a picture of this size. The camera is unknown:
        its focal length is taken to be the picture's larger side, a field of view of 53 degrees as webcams have it; the
        pose hardly depends on it.
        """
        camera = _Camera(width, height, points)
        found = self._search(camera.places(points))
        self._last = None if found is None else found[:2]
        if found is None:
            return None
        turn, shift, misfit = found
        rotation = cv2.Rodrigues(turn)[0]
        axes = camera.pixels(_AXES @ rotation.T + shift.T)
        axes += points[_NOSE_TIP] - axes[0]  # the axes start at the nose in the picture, not at that of the model
        return HeadPose(
            *angles(rotation), max(0.0, 1 - misfit / LARGEST_MISFIT), axes.astype(np.float32), np.asarray(rotation)
        )

    def _search(self, places: NDArray[np.float64] | None) -> _Fit | None:
        if places is None:
            return None
        try:
            found = None if self._last is None else _refined(places, *self._last)
            if found is None:
                known, turn, shift = cv2.solvePnP(FACE_MODEL, places, _NO_CAMERA, None, flags=cv2.SOLVEPNP_SQPNP)
                found = _refined(places, turn, shift) if known else None
        except cv2.error:  # such as points on one line
            return None
        return found


# Rotation vector [3, 1], shift [3, 1] in millimetres, misfit in millimetres.
_Fit = tuple[NDArray[np.float64], NDArray[np.float64], float]


def angles(rotation: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return yaw, pitch and roll of a rotation `[3, 3]` in degrees, with the signs of `HeadPose`."""
    yaw = math.atan2(-rotation[0, 2], rotation[2, 2])
    pitch = math.asin(min(max(rotation[1, 2], -1.0), 1.0))
    roll = math.atan2(rotation[1, 0], rotation[1, 1])
    return math.degrees(yaw), math.degrees(pitch), math.degrees(roll)


def _refined(places: NDArray[np.float64], turn: NDArray[np.float64], shift: NDArray[np.float64]) -> _Fit | None:
    """Return the best fit near a pose; None where it is bad, behind the camera, or turned away from it."""
    near = (turn.copy(), shift.copy(), True)  # the search works in place
    _, turn, shift = cv2.solvePnP(FACE_MODEL, places, _NO_CAMERA, None, *near, flags=cv2.SOLVEPNP_ITERATIVE)
    rotation, distance = cv2.Rodrigues(turn)[0], float(shift[2, 0])
    seen = FACE_MODEL @ rotation.T + shift.T
    if not np.isfinite(seen).all() or seen[:, 2].min() <= 0 or rotation[2, 2] <= 0:
        return None
    misfit = distance * math.sqrt(float(np.square(seen[:, :2] / seen[:, 2:] - places).sum()) / len(places))
    return (turn, shift, misfit) if misfit <= LARGEST_MISFIT else None


class _Camera:
    """A virtual camera turned to the face, so that the pose does not depend on the face's place in the picture."""

    def __init__(self, width: int, height: int, points: NDArray[np.floating]) -> None:
        self._focal = float(max(width, height))
        self._centre = np.array(((width - 1) / 2, (height - 1) / 2))
        x, y = ((points.mean(0) - self._centre) / self._focal).tolist()
        # The axes of the turned camera in those of the real one: ahead to the face, across as level as can be.
        length, level = math.sqrt(x * x + y * y + 1), math.sqrt(x * x + 1)
        ahead = (x / length, y / length, 1 / length)
        across = (1 / level, 0.0, -x / level)
        down = (-x * y / (level * length), level / length, -y / (level * length))
        self._axes = np.array((across, down, ahead))

    def places(self, points: NDArray[np.floating]) -> NDArray[np.float64] | None:
        """Return what the turned camera sees `[n, 2]` of points in pixels, over its focal length.

        None if it cannot see them all, or sees them in one place.
        """
        rays = np.ones((len(points), 3))
        rays[:, :2] = (points - self._centre) / self._focal
        seen = rays @ self._axes.T
        if not (seen[:, 2] > 0).all():
            return None
        places = np.ascontiguousarray(seen[:, :2] / seen[:, 2:])
        return places if float(np.ptp(places, axis=0).max()) > _SMALLEST_FACE else None

    def pixels(self, seen: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the pixels `[n, 2]` of places `[n, 3]` in front of the turned camera."""
        rays = seen @ self._axes
        return rays[:, :2] / rays[:, 2:] * self._focal + self._centre
