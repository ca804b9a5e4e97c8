"""When each frame of a video is shown, according to its container."""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections.abc import Callable

import cv2

from engine.sources.camera import VideoCapture

# Frames are stored in decoding order: one may come this many frames after those that are shown after it.
MOST_REORDERED = 32
HALF_MILLISECOND = 0.0005  # seconds; moments that are nearer than this are the same
RAW = -1  # a picture format for which OpenCV returns packets undecoded


class FrameTimes:
    """The moments of a video's frames in presentation order, read without decoding, as far as they are needed."""

    def __init__(self, open_capture: Callable[[], VideoCapture]) -> None:
        self._capture = open_capture()
        self._times: list[float] = []
        # Without this mode every picture would be decoded, which may take minutes.
        self._ended = not self._capture.set(cv2.CAP_PROP_FORMAT, RAW)
        self._sound = not self._ended

    @property
    def count(self) -> int | None:
        """Number of frames that the file holds; None while unknown, or if the file's times are unusable."""
        return len(self._times) if self._ended and self._sound else None

    def time(self, place: int) -> float | None:
        """Return the seconds at which the frame at `place` is shown; None without one or with unusable times."""
        while not self._ended and len(self._times) <= place + MOST_REORDERED:
            self._read()
        return self._times[place] if self._sound and 0 <= place < len(self._times) else None

    def place_at(self, seconds: float) -> int | None:
        """Return the place of the frame that is shown at a moment, the last one after the end; None where unknown."""
        beyond = 0
        while not self._ended and beyond <= MOST_REORDERED:
            self._read()
            beyond = len(self._times) - bisect_right(self._times, seconds)
        if not self._sound or not self._times:
            return None
        # Times may have been rounded, so a frame counts as shown half a millisecond before its moment.
        return max(0, bisect_right(self._times, seconds + HALF_MILLISECOND) - 1)

    def close(self) -> None:
        """Release the file."""
        self._sound = self._sound and self._ended
        self._end()

    def _end(self) -> None:
        self._ended = True
        self._capture.release()

    def _read(self) -> None:
        if not self._capture.grab():
            self._end()
            return
        time = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1e3
        place = bisect_right(self._times, time)
        twin = place > 0 and time - self._times[place - 1] < HALF_MILLISECOND
        if twin or not math.isfinite(time):  # times of such a file do not identify its frames
            self._sound = False
            self._end()
            return
        insort(self._times, time)
