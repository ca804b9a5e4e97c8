"""A number over the last half minute, kept as means of quarters of a second."""

from __future__ import annotations

from collections import deque

SPAN = 30.0  # seconds that are kept
BIN = 0.25  # seconds of which the mean is kept: finer cannot be seen on a chart
LONGEST_STEP = 1.0  # seconds without a value over which no line is drawn


class Trace:
    """The line of one number."""

    def __init__(self) -> None:
        self._means: deque[tuple[float, float]] = deque(maxlen=round(SPAN / BIN) + 2)  # moments and means
        self._index, self._count, self._total = -1, 0, 0.0  # of the quarter of a second that has begun last

    def add(self, moment: float, value: float) -> None:
        """Count a value at a moment in seconds; moments never run back."""
        index = int(moment // BIN)
        if index == self._index and self._means:
            self._means.pop()
            self._count, self._total = self._count + 1, self._total + value
        else:
            self._index, self._count, self._total = index, 1, value
        self._means.append(((index + 0.5) * BIN, self._total / self._count))

    def forget(self) -> None:
        """Begin anew."""
        self._means.clear()

    def stretches(self, now: float) -> list[list[tuple[float, float]]]:
        """Return the moments and means of the last `SPAN` seconds, parted where nothing came for `LONGEST_STEP`."""
        parts: list[list[tuple[float, float]]] = []
        last, oldest = -LONGEST_STEP, now - SPAN
        for mean in self._means:
            if mean[0] < oldest:
                continue
            if not parts or mean[0] - last > LONGEST_STEP:
                parts.append([])
            parts[-1].append(mean)
            last = mean[0]
        return parts

    def value(self, moment: float) -> float | None:
        """Return the mean nearest before or at a moment; None if nothing came for `LONGEST_STEP` until then."""
        for middle, mean in reversed(self._means):
            if middle - BIN / 2 <= moment:
                return mean if moment - middle <= LONGEST_STEP else None
        return None

    def largest(self, now: float) -> float:
        """Return the largest mean of the last `SPAN` seconds; 0 without any."""
        oldest = now - SPAN
        return max((mean for moment, mean in self._means if moment >= oldest), default=0.0)
