"""When each frame of a video is shown, read from the packets of its container without decoding."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable

import cv2

from engine.formats.container_header import LONGEST_SECONDS
from engine.sources.base import HALF_MILLISECOND
from engine.sources.camera import VideoCapture

# Frames are stored in decoding order: one may come this many frames after those that are shown after it.
MOST_REORDERED = 32
RAW = -1  # a picture format for which OpenCV returns packets undecoded


def said_seconds(capture: VideoCapture) -> float:
    """Return the seconds that a decoder says of the picture or packet that it read last."""
    return float(capture.get(cv2.CAP_PROP_POS_MSEC) / 1e3)


class FrameTimes:
    """The moments of a video's frames in presentation order, read without decoding, as far as they are needed.

    They count from the first frame that can be decoded: packets before it, as where a recording begins in the middle of
    a stream, are no frames. Where the container has the times of packets only `as_stored`, the decoder says later ones,
    as it holds back frames that are shown after others which are stored behind them.

    Args:
        open_capture: opens the file.
        first: the seconds that the decoder said of the first frame.
        as_stored: see above.
        period: seconds from one frame to the next.
    """

    def __init__(
        self,
        open_capture: Callable[[], VideoCapture],
        first: float = 0.0,
        as_stored: bool = False,
        period: float = 0.04,
    ) -> None:
        self._capture = open_capture()
        self._times: list[float] = []  # of all packets
        # Without this mode every picture would be decoded, which may take minutes.
        self._ended = not self._capture.set(cv2.CAP_PROP_FORMAT, RAW)
        self._sound = not self._ended
        self._first, self._period = 0.0 if as_stored else first, period
        self._read_packets = 0
        self._skipped = self._delay = 0  # packets
        before = self._place(first) or 0
        self._skipped, self._delay = (0, before) if as_stored else (before, 0)

    @property
    def count(self) -> int | None:
        """Number of frames that the file holds; None while unknown, or if the file's times are unusable."""
        return len(self._times) - self._skipped if self._ended and self._sound else None

    @property
    def packets(self) -> int:
        """Number of frames that were read so far, whatever their times."""
        return self._read_packets - self._skipped

    def time(self, place: int) -> float | None:
        """Return the seconds at which the frame at `place` is shown; None without one or with unusable times."""
        packet = place + self._skipped
        while self._sound and not self._ended and len(self._times) <= packet + MOST_REORDERED:
            self._read()
        known = self._sound and 0 <= self._skipped <= packet < len(self._times)
        return self._times[packet] - self._first if known else None

    def reaches(self, place: int) -> bool:
        """Return whether there is a frame at `place`, whatever its time."""
        while not self._ended and self.packets <= place:
            self._read()
        return place < self.packets

    def place_at(self, seconds: float) -> int | None:
        """Return the place of the frame that is shown at a moment, the last one after the end; None where unknown."""
        return self._place(seconds + self._first)

    def place_of(self, said: float) -> int | None:
        """Return the place of the frame of which the decoder says these seconds; None where unknown."""
        place = self._place(said)
        if place is None or not self._delay:
            return place
        # The frames that it held back until the end come after the last packet.
        return max(0, place - self._delay + round(max(0.0, said - self._times[-1]) / self._period))

    def _place(self, said: float) -> int | None:
        beyond = 0
        while self._sound and not self._ended and beyond <= MOST_REORDERED:
            self._read()
            beyond = len(self._times) - bisect_right(self._times, said)
        if not self._sound or not self._times:
            return None
        # Times may have been rounded, so a frame counts as shown half a millisecond before its moment.
        return max(0, bisect_right(self._times, said + HALF_MILLISECOND) - 1 - self._skipped)

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
        self._read_packets += 1
        moment = said_seconds(self._capture)
        place = bisect_right(self._times, moment)
        twin = place > 0 and moment - self._times[place - 1] < HALF_MILLISECOND
        if twin or not abs(moment) <= LONGEST_SECONDS:  # NaN fails too; times of such a file do not identify its frames
            self._sound = False
        if self._sound:
            insort(self._times, moment)
