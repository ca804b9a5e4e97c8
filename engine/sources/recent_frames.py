"""The frames of a video that were decoded last."""

from __future__ import annotations

from collections import deque
from typing import Any

from numpy.typing import NDArray

# Decoded pictures that are kept for steps back, and bytes for all of them together.
MOST_RECENT, MOST_RECENT_BYTES = 16, 64_000_000


class RecentFrames:
    """The frames that were decoded last: a step back into them needs no decoding.

    Keeps a run of frames that follow each other; one that does not follow begins a new run.
    """

    def __init__(self) -> None:
        self._first = 0  # place of the oldest one
        self._frames: deque[tuple[float, NDArray[Any]]] = deque()

    def add(self, place: int, moment: float, picture: NDArray[Any]) -> None:
        """Keep a decoded picture, the frame at `place`, shown at `moment` seconds."""
        if place != self._first + len(self._frames):
            self._frames.clear()
            self._first = place
        self._frames.append((moment, picture))
        while len(self._frames) > max(1, min(MOST_RECENT, MOST_RECENT_BYTES // picture.nbytes)):
            self._frames.popleft()
            self._first += 1

    def get(self, place: int) -> tuple[float, NDArray[Any]] | None:
        """Return moment and picture of the frame at `place`; None if it is not kept."""
        number = place - self._first
        return self._frames[number] if 0 <= number < len(self._frames) else None
