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

# Aspect ratios of an eye: closed, as models place the points, since lashes have some height; open, where people differ
# # between the two bounds.
CLOSED_EYE, OPEN_EYE = 0.12, 0.28
NARROWEST_OPEN_EYE, WIDEST_OPEN_EYE = 0.2, 0.42
# Time constants in seconds of the open level for a wider and a narrower eye: blinks must not lower it.
_WIDENING, _NARROWING = 0.5, 15.0
# Aspect ratios of the inner lips: closed ones never meet exactly; that of a mouth opened wide.
CLOSED_MOUTH, OPEN_MOUTH = 0.04, 0.6
# Share of its width that an eye or mouth must show; below, it is seen from the side and its ratio means nothing.
_NARROWEST_SIGHT = 0.4
_LOWEST_SIGHT = 0.5  # the visible share of heights below which they are not corrected further


class EyeGauge:
    """Measures how far one eye of a person is open, between its closed and its usual open shape.

    Open eyes differ from person to person, so the open level begins at the usual one and follows the person's own.
    """

    def __init__(self) -> None:
        self._open = OPEN_EYE

    def read(self, ratio: float, seconds: float) -> float:
        """Return the openness in [0, 1] of an eye by its aspect ratio as seen from the front; NaN for NaN.

        The time since the last call is in `seconds`, 0 if there was none.
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


def _across(first: int, second: int) -> NDArray[np.float64]:
    """Return the vector from one rigid point to another in the face model."""
    way: NDArray[np.float64] = FACE_MODEL[RIGID_POINTS.index(second)] - FACE_MODEL[RIGID_POINTS.index(first)]
    return way


# From corner to corner of right eye, left eye and mouth (which is level, like the outer eye corners): eyes slope
# backwards, so a turning head hides the far one first.
_WIDTHS = np.stack((_across(36, 39), _across(42, 45), _across(36, 45)))
_LEVEL_WIDTHS = np.hypot(_WIDTHS[:, 0], _WIDTHS[:, 1])


def _share(value: float, nothing: float, whole: float) -> float:
    """Clamp a value to [0, 1]; NaN stays NaN."""
    return value if math.isnan(value) else min(max((value - nothing) / (whole - nothing), 0.0), 1.0)
