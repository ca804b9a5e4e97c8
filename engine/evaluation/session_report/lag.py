"""How far landmarks trail behind a moving face, in milliseconds."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

MOVING = 0.3  # eye distances a second above which a face counts as moving
FEWEST = 10  # pairs of frames below which a lag would be chance
LONGEST_STEP = 0.5  # seconds between two frames beyond which they do not continue one another


class LagMeter:
    """Measures how late a lane's landmarks are, beside a reference, over the pairs of frames in which it moves.

    Late landmarks lie behind the reference by its velocity times their lag. So the lag is the slope, by least squares,
    of how far the lane's centre lies behind, over the velocity of the reference's centre. A constant distance between
    both, as of labels beside their pictures, does not count.

    Attributes:
        pairs: of successive frames in which the reference moved.
    """

    def __init__(self) -> None:
        self.pairs = 0
        self._last: tuple[float, NDArray[np.float64], NDArray[np.float64]] | None = None
        self._velocities, self._behind = np.zeros(2), np.zeros(2)
        self._squares = self._products = 0.0

    def add(self, moment: float, reference: NDArray[np.floating], points: NDArray[np.floating], eyes: float) -> None:
        """Count a frame.

        Args:
            moment: in seconds.
            reference: `[K, 2]` in pixels.
            points: of the lane, the same places of the same face.
            eyes: the distance of the outer eye corners in pixels.
        """
        last, self._last = self._last, (moment, np.nanmean(reference, axis=0), np.nanmean(reference - points, axis=0))
        if last is None or not 0 < moment - last[0] <= LONGEST_STEP:
            return
        velocity = (self._last[1] - last[1]) / (moment - last[0])
        if not math.hypot(*velocity) >= MOVING * eyes > 0:
            return
        behind = (self._last[2] + last[2]) / 2  # at the middle of the step, to which the velocity belongs
        self.pairs += 1
        self._velocities += velocity
        self._behind += behind
        self._squares += float(velocity @ velocity)
        self._products += float(velocity @ behind)

    def interrupt(self) -> None:
        """Count a frame without the face, or with another one: the next does not continue it."""
        self._last = None

    @property
    def milliseconds(self) -> float | None:
        """The lag; below 0 where the lane is ahead. None if the reference hardly moved, or at one velocity only."""
        if self.pairs < FEWEST:
            return None
        spread = self._squares - float(self._velocities @ self._velocities) / self.pairs
        if spread <= 1e-9 * self._squares:
            return None
        return 1e3 * (self._products - float(self._velocities @ self._behind) / self.pairs) / spread
