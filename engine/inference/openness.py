"""How far eyes and mouth are open, from their landmarks."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.inference.head_pose import FACE_MODEL, RIGID_POINTS

# In iBUG-68, each eye in the order of the aspect ratio: outer or inner corner, upper lid, other corner, lower lid back.
RIGHT_EYE = (36, 37, 38, 39, 40, 41)
LEFT_EYE = (42, 43, 44, 45, 46, 47)
INNER_LIPS = (60, 61, 62, 63, 64, 65, 66, 67)

# Aspect ratios of an eye: closed, as models mark it, for the lashes still have some height; open, where people differ
# between the two bounds.
CLOSED_EYE, OPEN_EYE = 0.12, 0.28
NARROWEST_OPEN_EYE, WIDEST_OPEN_EYE = 0.2, 0.42
# Time constants in seconds of the open level for a wider and a narrower eye: blinks must not lower it.
_WIDENING, _NARROWING = 0.5, 15.0
# Aspect ratios of the inner lips: closed ones never meet exactly; that of a mouth opened wide.
CLOSED_MOUTH, OPEN_MOUTH = 0.04, 0.6
# Share of its width that an eye or mouth must show; below, it is seen from the side and its ratio means nothing.
_NARROWEST_SIGHT = 0.4
_LOWEST_SIGHT = 0.5  # the share of heights below which they are not stretched further


class EyeGauge:
    """Measures how far one eye of a person is open, between its closed and its usual open shape.

    Open eyes differ from person to person, so the open level begins at the usual one and follows the person's own.
    """

    def __init__(self) -> None:
        self._open = OPEN_EYE

    def read(self, ratio: float, seconds: float) -> float:
        """Return the openness in [0, 1]; NaN for a ratio of NaN.

        Args:
            ratio: aspect ratio of the eye as seen from the front.
            seconds: since the last call; 0 if there was none.
        """
        if math.isnan(ratio):
            return math.nan
        usual = min(max(ratio, NARROWEST_OPEN_EYE), WIDEST_OPEN_EYE)
        pace = _WIDENING if usual > self._open else _NARROWING
        self._open += (usual - self._open) * (1 - math.exp(-seconds / pace))
        return _share(ratio, CLOSED_EYE, self._open)


def mouth_openness(ratio: float) -> float:
    """Return the openness in [0, 1] of a mouth whose inner lips have this ratio as seen from the front; NaN for NaN."""
    return _share(ratio, CLOSED_MOUTH, OPEN_MOUTH)


def eye_ratio(eye: Sequence[Sequence[float]]) -> float:
    """Return the eye aspect ratio: mean height over width (Soukupova and Cech, CVWW 2016); NaN without a width.

    Args:
        eye: six points (x, y): a corner, two on the upper lid, the other corner, two on the lower lid backwards.
    """
    width = math.dist(eye[0], eye[3])
    return (math.dist(eye[1], eye[5]) + math.dist(eye[2], eye[4])) / (2 * width) if width > 0 else math.nan


def mouth_ratio(lips: Sequence[Sequence[float]]) -> float:
    """Return the aspect ratio of the inner lips: mean height over width; NaN without a width.

    Args:
        lips: eight points (x, y): a corner, three on the upper lip, the other corner, three on the lower lip backwards.
    """
    width = math.dist(lips[0], lips[4])
    height = (math.dist(lips[1], lips[7]) + math.dist(lips[2], lips[6]) + math.dist(lips[3], lips[5])) / 3
    return height / width if width > 0 else math.nan


def frontal_factors(rotation: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the factors that correct the ratios of right eye, left eye and mouth for the rotation of the head.

    Each is the visible share of its width over that of its height; NaN where it is seen from the side.

    Args:
        rotation: `[3, 3]`, see `HeadPose.rotation`.
    """
    height = max(math.hypot(rotation[0, 1], rotation[1, 1]), _LOWEST_SIGHT)
    seen = (_WIDTHS @ rotation.T)[:, :2]
    shares = (np.hypot(seen[:, 0], seen[:, 1]) / _LEVEL_WIDTHS).tolist()
    right, left, mouth = (share / height if share >= _NARROWEST_SIGHT else math.nan for share in shares)
    return right, left, mouth


def _across(first: int, second: int) -> NDArray[np.float64]:
    """Return the vector from one rigid point to another in the face model."""
    way: NDArray[np.float64] = FACE_MODEL[RIGID_POINTS.index(second)] - FACE_MODEL[RIGID_POINTS.index(first)]
    return way


# From corner to corner of right eye, left eye and mouth (which lies level, as the outer eye corners do): eyes slope
# backwards, so a turning head hides the far one first.
_WIDTHS = np.stack((_across(36, 39), _across(42, 45), _across(36, 45)))
_LEVEL_WIDTHS = np.hypot(_WIDTHS[:, 0], _WIDTHS[:, 1])


def _share(value: float, nothing: float, whole: float) -> float:
    """Clamp a value to [0, 1]; NaN stays NaN."""
    return value if math.isnan(value) else min(max((value - nothing) / (whole - nothing), 0.0), 1.0)
