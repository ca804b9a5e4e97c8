"""A number over the last half minute, kept as means of quarters of a second."""

from __future__ import annotations

import math
from collections import deque

SPAN = 30.0  # seconds that are kept
BIN = 0.25  # seconds of which the mean is kept: finer cannot be seen on a chart
LONGEST_STEP = 1.0  # seconds without a value over which no line is drawn


class Trace:
    """The line of one number."""

    def __init__(self) -> None:
        self._means: deque[tuple[float, float]] = deque(
            maxlen=round(SPAN / BIN) + 2
        )  # moments and means, NaN where there was none
        self._index, self._count, self._total = -1, 0, 0.0  # of the quarter of a second that has begun last

    def add(self, moment: float, value: float | None) -> None:
        """Count a value at a moment in seconds, or that there was none; moments never run back."""
        index = int(moment // BIN)
        if index == self._index and self._means:
            self._means.pop()
        else:
            self._index, self._count, self._total = index, 0, 0.0
        if value is not None:
            self._count, self._total = self._count + 1, self._total + value
        self._means.append(((index + 0.5) * BIN, self._total / self._count if self._count else math.nan))

    def forget(self) -> None:
        """Begin anew."""
        self._means.clear()

    def stretches(self, now: float) -> list[list[tuple[float, float]]]:
        """Return the moments and means of the last `SPAN` seconds.

        They are parted where there was no value, and where nothing came for `LONGEST_STEP`.
        """
        parts: list[list[tuple[float, float]]] = []
        last, oldest = -LONGEST_STEP, now - SPAN
        for mean in self._means:
            if math.isnan(mean[1]):
                last = -math.inf
            if mean[0] < oldest or math.isnan(mean[1]):
                continue
            if not parts or mean[0] - last > LONGEST_STEP:
                parts.append([])
            parts[-1].append(mean)
            last = mean[0]
        return parts

    def value(self, moment: float) -> float | None:
        """Return the mean nearest before or at a moment; None if there was none, or none for `LONGEST_STEP`."""
        for middle, mean in reversed(self._means):
            if middle - BIN / 2 <= moment:
                return mean if moment - middle <= LONGEST_STEP and not math.isnan(mean) else None
        return None

    def largest(self, now: float) -> float:
        """Return the largest mean of the last `SPAN` seconds; 0 without any."""
        oldest = now - SPAN
        return max((mean for moment, mean in self._means if moment >= oldest and mean >= 0), default=0.0)
