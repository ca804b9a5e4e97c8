"""Signals of a face from its landmarks: the pose of the head, how far eyes and mouth are open, and blinks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine.core.face_signals import FaceSignals
from engine.core.faces import EyeLevels, Face, Result
from engine.core.schemes import Scheme
from engine.inference.head_pose import FACE_MODEL, RIGID_POINTS, PoseFinder
from engine.inference.people import HIDDEN_SECONDS
from engine.inference.smoothing import LONGEST_INTERVAL

# Openness, moved so that `EyeLevels.cut` lies in the middle of these two: below the first, open eyes count as closed,
# above the second closed ones as open again; noise between the two has no effect.
CLOSED, OPEN = 0.35, 0.55
# Seconds that a blink takes; anything shorter is noise, anything longer means closed eyes.
SHORTEST_BLINK, LONGEST_BLINK = 0.05, 0.5
_ROUNDING = 1e-6  # seconds that sums of frame times may be off
# In iBUG-68, each eye in the order of the aspect ratio: outer or inner corner, upper lid, other corner, lower lid back.
RIGHT_EYE = (36, 37, 38, 39, 40, 41)
LEFT_EYE = (42, 43, 44, 45, 46, 47)
INNER_LIPS = (60, 61, 62, 63, 64, 65, 66, 67)

# How open the open eyes of people are, where 0 is closed and 1 is usual.
NARROWEST_OPEN_EYE, WIDEST_OPEN_EYE = 0.5, 1.875
# Time constants in seconds of the open level for a wider and a narrower eye: blinks must not lower it.
_WIDENING, _NARROWING = 0.5, 15.0
# Aspect ratios of the inner lips: closed ones never meet exactly; that of a mouth opened wide.
CLOSED_MOUTH, OPEN_MOUTH = 0.04, 0.6
# Share of its width that an eye or mouth must show; below, it is seen from the side and its ratio means nothing.
_NARROWEST_SIGHT = 0.4
_LOWEST_SIGHT = 0.5  # the visible share of heights below which they are not corrected further


class SignalReader:
    """Measures the signals of the faces of one lane, result by result. Belongs to one thread."""

    def __init__(self) -> None:
        self._people: dict[int, _Person] = {}

    def read(self, result: Result) -> tuple[FaceSignals | None, ...]:
        """Return the signals of each of the result's faces, see `read_faces`."""
        frame = result.frame
        return self.read_faces(result.faces, frame.width, frame.height, frame.moment, result.eyes)

    def read_faces(
        self, faces: Sequence[Face], width: int, height: int, moment: float, eyes: EyeLevels
    ) -> tuple[FaceSignals | None, ...]:
        """Return the signals of each face.

        None for faces of a markup without the 68 iBUG points, and for landmarks that are no numbers. A face that is
        gone for longer than its id is kept is forgotten with its blinks. After a discontinuity (more than
        `LONGEST_INTERVAL`, or time running back) a blink that had begun does not count. The same faces may be measured
        again.

        The faces are all that were found on a picture of this size, taken at a `moment` in seconds, by a model whose
        `eyes` are these.
        """
        for face in faces:
            self._people.setdefault(face.id, _Person())
        read = tuple(self._people[face.id].read(face, width, height, moment, eyes) for face in faces)
        present = {face.id for face in faces}
        self._people = {id: its for id, its in self._people.items() if id in present or its.is_kept(moment)}
        return read


class EyeGauge:
    """Measures how far one eye of a person is open, between its closed and its usual open shape.

    Open eyes differ from person to person, so the open level begins at the usual one and follows the person's own.
    """

    def __init__(self) -> None:
        self._open = 1.0

    def read(self, openness: float, seconds: float) -> float:
        """Return the openness in [0, 1] of an eye, as seen from the front, for this person; NaN for NaN.

        It is given as for everybody, see `EyeLevels.openness`. The time since the last call is in `seconds`, 0 if there
        was none.
        """
        if math.isnan(openness):
            return math.nan
        usual = min(max(openness, NARROWEST_OPEN_EYE), WIDEST_OPEN_EYE)
        pace = _WIDENING if usual > self._open else _NARROWING
        self._open += (usual - self._open) * (1 - math.exp(-seconds / pace))
        return _share(openness, 0.0, self._open)


def aspect_ratio(outline: Sequence[Sequence[float]]) -> float:
    """Return the aspect ratio of an eye or of the inner lips: mean height over width; NaN without a width.

    Of an eye with six points this is the EAR (Soukupova and Cech, CVWW 2016).

    Args:
        outline: points (x, y): a corner, those on the upper edge, the other corner, those on the lower edge backwards.
    """
    half = len(outline) // 2
    width = math.dist(outline[0], outline[half])
    heights = [math.dist(outline[place], outline[-place]) for place in range(1, half)]
    return sum(heights) / (len(heights) * width) if width > 0 else math.nan


def frontal_factors(rotation: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the factors that correct the ratios of right eye, left eye and mouth for the rotation `[3, 3]` of a head.

    Each is the visible share of its width over that of its height; NaN where it is seen from the side.
    """
    height = max(math.hypot(rotation[0, 1], rotation[1, 1]), _LOWEST_SIGHT)
    seen = (_WIDTHS @ rotation.T)[:, :2]
    shares = (np.hypot(seen[:, 0], seen[:, 1]) / _LEVEL_WIDTHS).tolist()
    right, left, mouth = (share / height if share >= _NARROWEST_SIGHT else math.nan for share in shares)
    return right, left, mouth


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

    def read(self, face: Face, width: int, height: int, moment: float, levels: EyeLevels) -> FaceSignals | None:
        step = self._step(moment)
        wanted = _wanted_points(face.scheme)
        landmarks = face.as_68() if face.scheme.means_68 else face.landmarks
        if wanted is None or not np.isfinite(points := landmarks[wanted]).all():
            return None
        places = points.tolist()
        pose = self._pose.find(points[_RIGID], width, height)
        right, left, mouth = (1.0, 1.0, 1.0) if pose is None else frontal_factors(pose.rotation)
        eye_right = self._right.read(levels.openness(aspect_ratio(places[_RIGHT]) * right), step)
        eye_left = self._left.read(levels.openness(aspect_ratio(places[_LEFT]) * left), step)
        eyes = [eye for eye in (eye_right, eye_left) if math.isfinite(eye)]
        if eyes:
            beside = levels.openness(levels.cut) - (CLOSED + OPEN) / 2
            self._blinks.add(sum(eyes) / len(eyes) - beside, moment)
        open_mouth = _share(aspect_ratio(places[_LIPS]) * mouth, CLOSED_MOUTH, OPEN_MOUTH)
        return FaceSignals(face.id, pose, eye_right, eye_left, self._blinks.count, open_mouth)

    def is_kept(self, moment: float) -> bool:
        """Return whether a person who is not seen may still come back."""
        return self._moment is not None and 0 <= moment - self._moment <= HIDDEN_SECONDS

    def _step(self, moment: float) -> float:
        """Return the seconds since the last call; 0 after a discontinuity, which resets pose and blinks."""
        step = 0.0 if self._moment is None else moment - self._moment
        self._moment = moment
        if 0 <= step <= LONGEST_INTERVAL:
            return step
        self._pose.reset()
        self._blinks.reset()
        return 0.0


def _across(first: int, second: int) -> NDArray[np.float64]:
    """Return the vector from one rigid point to another in the face model."""
    way: NDArray[np.float64] = FACE_MODEL[RIGID_POINTS.index(second)] - FACE_MODEL[RIGID_POINTS.index(first)]
    return way


# From corner to corner of right eye, left eye and mouth (which is level, like the outer eye corners): eyes slope
# backwards, so a turning head hides the far one first.
_WIDTHS = np.stack((_across(36, 39), _across(42, 45), _across(36, 45)))
_LEVEL_WIDTHS = np.hypot(_WIDTHS[:, 0], _WIDTHS[:, 1])


def _share(value: float, nothing: float, whole: float) -> float:
    """Return where a value lies between `nothing` (0) and `whole` (1), clamped; NaN stays NaN."""
    return value if math.isnan(value) else min(max((value - nothing) / (whole - nothing), 0.0), 1.0)


# Indices of the points of each part among those that are used.
_PARTS = (RIGID_POINTS, RIGHT_EYE, LEFT_EYE, INNER_LIPS)
_ENDS = np.cumsum([0, *map(len, _PARTS)]).tolist()
_RIGID, _RIGHT, _LEFT, _LIPS = (slice(begin, end) for begin, end in pairwise(_ENDS))


@lru_cache(maxsize=8)
def _wanted_points(scheme: Scheme) -> NDArray[np.intp] | None:
    """Return the indices of the points that signals are read from; None where a scheme lacks the 68 points.

    Where a scheme has means of points in their place, these are indices of the 68.
    """
    if not scheme.has_68:
        return None
    same = scheme.as_68 or range(len(scheme.means_68))
    return np.array([same[point] for part in _PARTS for point in part], np.intp)
