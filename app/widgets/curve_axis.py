"""Where the marks of an axis stand, and where values lie on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

ROUND = (1.0, 2.0, 5.0)
MARGIN_SHARE = 0.05  # of the axis, left free above and below the values


@dataclass(frozen=True)
class Axis:
    """A stretch of values.

    Attributes:
        low, high: its ends, low < high; above 0 if logarithmic.
        logarithmic: whether equal lengths are equal ratios.
    """

    low: float
    high: float
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Return where a value lies: 0 at `low`, 1 at `high`."""
        if self.logarithmic:
            return math.log(max(value, 1e-300) / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self, most: int) -> list[float]:
        """Return round values inside, at most `most`; by ratio where there are three, else by equal distances."""
        if self.logarithmic:
            first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
            decades = [10.0**power for power in range(first, last + 1)]
            for digits in (ROUND, (1.0, 3.0), (1.0,)):
                found = [d * decade for decade in decades for d in digits if self.low <= d * decade <= self.high]
                if 3 <= len(found) <= most:
                    return found
        return _even_ticks(self.low, self.high, most)


def axis_of(values: Sequence[float]) -> Axis:
    """Return an axis for positive values that fall over orders of magnitude, with some room at both ends."""
    low, high = min(values), max(values)
    if low <= 0:  # no place on a logarithmic axis
        room = max(high - low, 1e-9) * MARGIN_SHARE
        return Axis(low - room, high + room)
    ratio = max(high / low, 1.05) ** MARGIN_SHARE
    return Axis(low / ratio, max(high, low * 1.05) * ratio, logarithmic=True)


def _even_ticks(low: float, high: float, most: int) -> list[float]:
    rough = (high - low) / max(1, most)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(digit * power for digit in (*ROUND, 10.0) if digit * power >= rough)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [number * step for number in range(first, last + 1)]
