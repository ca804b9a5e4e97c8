"""Signals of a face from its landmarks: the pose of the head, how far eyes and mouth are open, and blinks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.landmarks.blinking import BlinkCounter
from engine.landmarks.head_pose import RIGID_POINTS, HeadPose, PoseFinder
from engine.landmarks.openness import (
    INNER_LIPS,
    LEFT_EYE,
    RIGHT_EYE,
    EyeGauge,
    eye_ratio,
    frontal_factors,
    mouth_openness,
    mouth_ratio,
)
from engine.landmarks.schemes import Scheme
from engine.landmarks.smoothing import LONGEST_GAP
from engine.result import Face, Result


@dataclass(frozen=True)
class FaceSignals:
    """The signals of one face. Left and right are the person's own.

    Attributes:
        id: the face's.
        pose: how the head is turned; None where no rigid face looks like its landmarks.
        eye_right, eye_left: openness in [0, 1], 0 closed, 1 as open as this person's eyes usually are; None where the
            eye is seen from the side. A lowered glance lowers the lids, and so this.
        blinks: since this face is followed.
        mouth: openness in [0, 1], 0 closed, 1 wide open; None where the mouth is seen from the side.
    """

    id: int
    pose: HeadPose | None
    eye_right: float | None
    eye_left: float | None
    blinks: int
    mouth: float | None

    def as_record(self) -> dict[str, Any]:
        """Return the signals as plain values for JSON: degrees to a hundredth, openness to a thousandth, or None."""
        pose = self.pose
        return {
            "yaw": None if pose is None else round(pose.yaw, 2),
            "pitch": None if pose is None else round(pose.pitch, 2),
            "roll": None if pose is None else round(pose.roll, 2),
            "eye_left": _rounded(self.eye_left),
            "eye_right": _rounded(self.eye_right),
            "blinks": self.blinks,
            "mouth": _rounded(self.mouth),
        }


class SignalReader:
    """Reads the signals of the faces of one lane, result by result. Belongs to one thread."""

    def __init__(self) -> None:
        self._people: dict[int, _Person] = {}

    def read(self, result: Result) -> tuple[FaceSignals | None, ...]:
        """Return the signals of each of the result's faces.

        None for faces of a markup without the 68 iBUG points, and for landmarks that are no numbers. A face that is
        gone is forgotten with its blinks. After a gap of more than `LONGEST_GAP`, or when time runs back, a blink that
        had begun does not count. The same result may be read again.
        """
        frame = result.frame
        self._people = {face.id: self._people.get(face.id) or _Person() for face in result.faces}
        return tuple(self._people[face.id].read(face, frame.width, frame.height, frame.moment) for face in result.faces)


class _Person:
    """What is remembered of a face that is followed."""

    def __init__(self) -> None:
        self._pose = PoseFinder()
        self._right, self._left = EyeGauge(), EyeGauge()
        self._blinks = BlinkCounter()
        self._moment: float | None = None

    def read(self, face: Face, width: int, height: int, moment: float) -> FaceSignals | None:
        step = self._step(moment)
        wanted = _wanted_points(face.scheme)
        points = face.landmarks[wanted] if len(wanted) else face.landmarks
        if not len(wanted) or not np.isfinite(points).all():
            return None
        places = points.tolist()
        pose = self._pose.find(points[_RIGID], width, height)
        right, left, mouth = (1.0, 1.0, 1.0) if pose is None else frontal_factors(pose.rotation)
        eye_right = _eye(self._right, eye_ratio(places[_RIGHT]), right, step)
        eye_left = _eye(self._left, eye_ratio(places[_LEFT]), left, step)
        eyes = [eye for eye in (eye_right, eye_left) if eye is not None]
        if eyes:
            self._blinks.add(sum(eyes) / len(eyes), moment)
        ratio = mouth_ratio(places[_LIPS])
        open_mouth = None if ratio is None or mouth is None else mouth_openness(ratio * mouth)
        return FaceSignals(face.id, pose, eye_right, eye_left, self._blinks.count, open_mouth)

    def _step(self, moment: float) -> float:
        """Return the seconds since the last reading; 0, and what was going on is over, after a gap."""
        step = 0.0 if self._moment is None else moment - self._moment
        self._moment = moment
        if 0 <= step <= LONGEST_GAP:
            return step
        self._pose.forget()
        self._blinks.forget()
        return 0.0


# Where the points of each part stand among those that are wanted.
_PARTS = (RIGID_POINTS, RIGHT_EYE, LEFT_EYE, INNER_LIPS)
_ENDS = np.cumsum([0, *map(len, _PARTS)]).tolist()
_RIGID, _RIGHT, _LEFT, _LIPS = (slice(begin, end) for begin, end in pairwise(_ENDS))


@lru_cache(maxsize=8)
def _wanted_points(scheme: Scheme) -> NDArray[np.intp]:
    """Return the indices of the points that signals are read from; empty where a scheme lacks the 68 points."""
    wanted = [scheme.as_68[point] for part in _PARTS for point in part] if scheme.as_68 else []
    return np.array(wanted, np.intp)


def _eye(gauge: EyeGauge, ratio: float | None, factor: float | None, seconds: float) -> float | None:
    return None if ratio is None or factor is None else gauge.read(ratio * factor, seconds)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
