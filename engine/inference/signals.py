"""Signals of a face from its landmarks: the pose of the head, how far eyes and mouth are open, and blinks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine.core.faces import Face, Result
from engine.core.schemes import Scheme
from engine.inference.head_pose import RIGID_POINTS, HeadPose, PoseFinder
from engine.inference.openness import (
    INNER_LIPS,
    LEFT_EYE,
    RIGHT_EYE,
    EyeGauge,
    aspect_ratio,
    frontal_factors,
    mouth_openness,
)
from engine.inference.smoothing import LONGEST_INTERVAL

# The names of the signals that are numbers.
SIGNALS = ("yaw", "pitch", "roll", "eye_left", "eye_right", "blinks", "mouth")
# Openness below which open eyes count as closed, and above which closed ones count as open again; noise between the
# # two has no effect.
CLOSED, OPEN = 0.35, 0.55
# Seconds that a blink takes; anything shorter is noise, anything longer means closed eyes.
SHORTEST_BLINK, LONGEST_BLINK = 0.05, 0.5
_ROUNDING = 1e-6  # seconds that sums of frame times may be off


@dataclass(frozen=True)
class FaceSignals:
    """The signals of one face. Left and right are the person's own; NaN stands for an unknown value.

    Attributes:
        id: the face's.
        pose: how the head is turned; None where no rigid face looks like its landmarks.
        eye_right, eye_left: openness in [0, 1], 0 closed, 1 as open as this person's eyes usually are; NaN where the
            eye is seen from the side. Looking down lowers the lids, and so this value.
        blinks: since tracking of this face began.
        mouth: openness in [0, 1], 0 closed, 1 wide open; NaN where the mouth is seen from the side.
    """

    id: int
    pose: HeadPose | None
    eye_right: float
    eye_left: float
    blinks: int
    mouth: float

    @property
    def yaw(self) -> float:
        """The head's yaw in degrees, see `HeadPose`; NaN without a pose, as the following."""
        return math.nan if self.pose is None else self.pose.yaw

    @property
    def pitch(self) -> float:
        """The head's pitch in degrees."""
        return math.nan if self.pose is None else self.pose.pitch

    @property
    def roll(self) -> float:
        """The head's roll in degrees."""
        return math.nan if self.pose is None else self.pose.roll

    def numbers(self) -> dict[str, float]:
        """Return the signals by their names, NaN where they are unknown."""
        return {name: getattr(self, name) for name in SIGNALS}

    def as_record(self) -> dict[str, float | None]:
        """Return the signals as plain values for JSON, rounded to a thousandth; None where they are unknown."""
        return {name: round(value, 3) if math.isfinite(value) else None for name, value in self.numbers().items()}


class SignalReader:
    """Measures the signals of the faces of one lane, result by result. Belongs to one thread."""

    def __init__(self) -> None:
        self._people: dict[int, _Person] = {}

    def read(self, result: Result) -> tuple[FaceSignals | None, ...]:
        """Return the signals of each of the result's faces, see `read_faces`."""
        frame = result.frame
        return self.read_faces(result.faces, frame.width, frame.height, frame.moment)

    def read_faces(
        self, faces: Sequence[Face], width: int, height: int, moment: float
    ) -> tuple[FaceSignals | None, ...]:
        """Return the signals of each face.

        None for faces of a markup without the 68 iBUG points, and for landmarks that are no numbers. A face that is
        gone is forgotten with its blinks. After a discontinuity (more than `LONGEST_INTERVAL`, or time running back) a
        blink that had begun does not count. The same faces may be measured again.

        The faces are all that were found on a picture of this size, taken at a `moment` in seconds.
        """
        self._people = {face.id: self._people.get(face.id) or _Person() for face in faces}
        return tuple(self._people[face.id].read(face, width, height, moment) for face in faces)


class BlinkCounter:
    """Counts the blinks of one face by how long its eyes stay closed.

    Attributes:
        count: blinks so far; one counts when the eyes are open again.
    """

    def __init__(self) -> None:
        self.count = 0
        # When the eyes closed; None while they are open. Unknown for eyes that are closed from the start.
        self._closed_at: float | None = -math.inf

    def reset(self) -> None:
        """Start again after a discontinuity: when closed eyes closed is unknown. The count stays."""
        self._closed_at = -math.inf

    def add(self, openness: float, moment: float) -> None:
        """Count the eyes' `openness` in [0, 1] at a `moment` in seconds, later than the last one."""
        if self._closed_at is None:
            if openness < CLOSED:
                self._closed_at = moment
        elif openness > OPEN:
            closed_for = moment - self._closed_at
            if SHORTEST_BLINK - _ROUNDING <= closed_for <= LONGEST_BLINK + _ROUNDING:
                self.count += 1
            self._closed_at = None


class _Person:
    def __init__(self) -> None:
        self._pose = PoseFinder()
        self._right, self._left = EyeGauge(), EyeGauge()
        self._blinks = BlinkCounter()
        self._moment: float | None = None

    def read(self, face: Face, width: int, height: int, moment: float) -> FaceSignals | None:
        step = self._step(moment)
        wanted = _wanted_points(face.scheme)
        if wanted is None or not np.isfinite(points := face.landmarks[wanted]).all():
            return None
        places = points.tolist()
        pose = self._pose.find(points[_RIGID], width, height)
        right, left, mouth = (1.0, 1.0, 1.0) if pose is None else frontal_factors(pose.rotation)
        eye_right = self._right.read(aspect_ratio(places[_RIGHT]) * right, step)
        eye_left = self._left.read(aspect_ratio(places[_LEFT]) * left, step)
        eyes = [eye for eye in (eye_right, eye_left) if math.isfinite(eye)]
        if eyes:
            self._blinks.add(sum(eyes) / len(eyes), moment)
        open_mouth = mouth_openness(aspect_ratio(places[_LIPS]) * mouth)
        return FaceSignals(face.id, pose, eye_right, eye_left, self._blinks.count, open_mouth)

    def _step(self, moment: float) -> float:
        """Return the seconds since the last call; 0 after a discontinuity, which resets pose and blinks."""
        step = 0.0 if self._moment is None else moment - self._moment
        self._moment = moment
        if 0 <= step <= LONGEST_INTERVAL:
            return step
        self._pose.reset()
        self._blinks.reset()
        return 0.0


# Indices of the points of each part among those that are used.
_PARTS = (RIGID_POINTS, RIGHT_EYE, LEFT_EYE, INNER_LIPS)
_ENDS = np.cumsum([0, *map(len, _PARTS)]).tolist()
_RIGID, _RIGHT, _LEFT, _LIPS = (slice(begin, end) for begin, end in pairwise(_ENDS))


@lru_cache(maxsize=8)
def _wanted_points(scheme: Scheme) -> NDArray[np.intp] | None:
    """Return the indices of the points that signals are read from; None where a scheme lacks the 68 points."""
    if not scheme.as_68:
        return None
    return np.array([scheme.as_68[point] for part in _PARTS for point in part], np.intp)
