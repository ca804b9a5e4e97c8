"""The One-Euro filter: strong while the face is still, light when it moves (Casiez et al., CHI 2012)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

# A longer interval between two results is a discontinuity: the face may be anywhere, and the filter is reset.
LONGEST_INTERVAL = 0.5  # seconds
SPEED_CUTOFF = 1.0  # hertz, of the filter on the speed, as the authors advise
LIGHTEST_CUTOFF, HEAVIEST_CUTOFF = 12.0, 0.35  # hertz, of the still face at strength 0+ and 1
SPEED_GAIN = 4.0  # hertz per eye distance a second


class OneEuroFilter:
    """Smooths the landmarks of one face.

    Speeds are measured in eye distances a second, so near and far faces are smoothed alike.

    Args:
        strength: 0 leaves the landmarks alone, 1 smooths most.
    """

    def __init__(self, strength: float) -> None:
        self.strength = strength
        self._points: NDArray[np.float64] | None = None
        self._speed: NDArray[np.float64] | None = None
        self._time = 0.0

    def __call__(self, points: NDArray[np.float32], time: float, eye_distance: float) -> NDArray[np.float32]:
        """Return finite points `[K, 2]` smoothed; they and the eye distance are in pixels, the time in seconds."""
        step = time - self._time
        self._time = time
        if self._points is None or self._speed is None or not 0 < step <= LONGEST_INTERVAL or self.strength <= 0:
            self._points, self._speed = points.astype(np.float64), np.zeros(points.shape)
            return points
        move = points - self._points
        speed = move / (step * max(eye_distance, 1.0))
        self._speed += _low_pass_weight(SPEED_CUTOFF, step) * (speed - self._speed)
        pace = np.hypot(self._speed[:, :1], self._speed[:, 1:])
        still = LIGHTEST_CUTOFF * (HEAVIEST_CUTOFF / LIGHTEST_CUTOFF) ** min(self.strength, 1.0)  # in even ratios
        cutoff = still + SPEED_GAIN * pace
        self._points = self._points + _low_pass_weight(cutoff, step) * move
        return self._points.astype(np.float32)


def _low_pass_weight(cutoff: Any, step: float) -> Any:
    """Return the weight of a new value in a low-pass filter with this cut-off in hertz after `step` seconds."""
    angle = 2 * math.pi * cutoff * step
    return angle / (angle + 1)
