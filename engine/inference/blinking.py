"""Counting blinks by how long the eyes stay closed."""

from __future__ import annotations

import math

# Openness below which open eyes count as closed, and above which closed ones count as open again: noise between the
# two counts for nothing.
CLOSED, OPEN = 0.35, 0.55
# Seconds that a blink takes; what is shorter is noise, what is longer are closed eyes.
SHORTEST_BLINK, LONGEST_BLINK = 0.05, 0.5
_ROUNDING = 1e-6  # seconds that sums of frame times may be off


class BlinkCounter:
    """Counts the blinks of one face.

    Attributes:
        count: blinks so far; one counts when the eyes are open again.
    """

    def __init__(self) -> None:
        self.count = 0
        # When the eyes closed; None while they are open. Nobody knows when eyes closed that are closed from the start.
        self._closed_at: float | None = -math.inf

    def forget(self) -> None:
        """Begin anew after a gap: eyes that are closed now may have been so for any time. The count stays."""
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
