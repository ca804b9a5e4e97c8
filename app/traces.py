"""A number over the last half minute, kept as means of quarters of a second."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

SPAN = 30.0  # seconds that are kept
BIN = 0.25  # seconds of which the mean is kept: finer cannot be seen on a chart
LONGEST_STEP = 1.0  # seconds without a value over which no line is drawn


@dataclass
class _Bin:
    """The values of a quarter of a second: its number since the clock's zero, their count and their sum."""

    index: int
    count: int
    total: float

    @property
    def moment(self) -> float:
        return (self.index + 0.5) * BIN

    @property
    def mean(self) -> float:
        return self.total / self.count


class Trace:
    """The line of one number."""

    def __init__(self) -> None:
        self._bins: deque[_Bin] = deque(maxlen=round(SPAN / BIN) + 2)

    def add(self, moment: float, value: float) -> None:
        """Count a value at a moment in seconds; moments never run back."""
        index = int(moment // BIN)
        if not self._bins or self._bins[-1].index != index:
            self._bins.append(_Bin(index, 0, 0.0))
        self._bins[-1].count += 1
        self._bins[-1].total += value

    def forget(self) -> None:
        """Begin anew."""
        self._bins.clear()

    def stretches(self, now: float) -> list[list[tuple[float, float]]]:
        """Return the moments and means of the last `SPAN` seconds, parted where nothing came for `LONGEST_STEP`."""
        parts: list[list[tuple[float, float]]] = []
        for kept in self._bins:
            moment = min(kept.moment, now)
            if now - moment > SPAN:
                continue
            if not parts or moment - parts[-1][-1][0] > LONGEST_STEP:
                parts.append([])
            parts[-1].append((moment, kept.mean))
        return parts

    def value(self, moment: float) -> float | None:
        """Return the mean nearest before or at a moment; None if nothing came for `LONGEST_STEP` until then."""
        for kept in reversed(self._bins):
            if kept.index * BIN <= moment:
                return kept.mean if moment - kept.moment <= LONGEST_STEP else None
        return None

    def largest(self, now: float) -> float:
        """Return the largest mean of the last `SPAN` seconds; 0 without any."""
        return max((mean for stretch in self.stretches(now) for _, mean in stretch), default=0.0)
