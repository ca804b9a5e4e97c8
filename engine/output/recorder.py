"""Recording pictures with their moments, also live without ever delaying a frame."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median_low

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.errors import RecordingError
from engine.output.video_writer import FASTEST_RATE, VideoRecorder, check_target
from engine.output.worker import OnError, OutputWorker
from engine.sources.base import FALLBACK_RATE

TimedPicture = tuple[NDArray[np.uint8], float]

# Memory for pictures that wait to be written; further ones are dropped.
MOST_WAITING_BYTES = 48_000_000
# Where the rate is not known, it is measured over this many first pictures.
PICTURES_TO_MEASURE = 15
# A picture that stays for as many usual ones was there in a pause, which says nothing of the rate.
PAUSE_STEPS = 10
# A file's own rate is raised if its first pictures follow each other closer by this factor, as those of variable rates.
PICTURES_TO_CHECK, FASTER = 5, 1.2
# A picture that was shown longer, as while the view was paused, is shortened to this.
LONGEST_HOLD = 5.0  # seconds
# The same for a picture of a file; times that jump further are damaged, and would fill the disk.
LONGEST_FILE_HOLD = 600.0
# By how many periods a picture may be early or late before one is left out or repeated.
TOLERANCE = 0.75
# The program quits within 3 seconds, so the finished file cannot be read for longer.
PATIENCE = 0.7  # seconds


@dataclass(frozen=True)
class Recorded:
    """The outcome of a recording.

    Attributes:
        frames: in the file, repeated ones included; 0 if there is no file.
        seconds: how long it plays.
        dropped: pictures that are missing because they could not be written as fast as they came.
    """

    path: Path
    frames: int
    seconds: float
    dropped: int


class LiveRecorder(OutputWorker[TimedPicture]):
    """Records pictures as they come, in real time: see `TimedRecorder`.

    Pictures of another size than the first are fitted in, with black bars. Of those of one moment, as where slower
    models catch up with the first, the last one counts. The file has its name only once it was read again, see
    `VideoRecorder`. Pictures that find no room are left out.

    Args:
        path: the file, ending in .mp4 or .avi.
        rate: frames per second of the source; None measures it.
        on_error: called with the error that ended the recording, see `OutputWorker`.
        open_recorder: opens the file, as `VideoRecorder` does.

    Raises:
        RecordingError: the file cannot be written there.
    """

    failure, remedy = RecordingError, "record again"

    def __init__(
        self,
        path: Path,
        rate: float | None = None,
        on_error: OnError | None = None,
        open_recorder: Callable[..., VideoRecorder] = VideoRecorder,
    ) -> None:
        check_target(path)
        super().__init__(f"The recording {path}", MOST_WAITING_BYTES, on_error)
        self.path = path
        self._newest: TimedPicture | None = None  # held back, as another one of its moment may come
        self._recorder = TimedRecorder(path, rate, partial(open_recorder, patience=PATIENCE), live=True)
        self._thread.start()

    def add(self, picture: NDArray[np.uint8], moment: float) -> bool:
        """Append a picture; returns at once.

        False means that the picture of the moment before was dropped, because too many wait or the recording has ended.

        Args:
            picture: `[H, W, 4]` uint8 BGRA or `[H, W, 3]` uint8 RGB; it may not be changed afterwards.
            moment: seconds at which it was taken or drawn, by a monotonic clock, as that of `Frame.captured`.
        """
        former, self._newest = self._newest, (picture, moment)
        return former is None or former[1] == moment or self._give(former, former[0].nbytes)

    def end(self) -> None:
        newest, self._newest = self._newest, None
        if newest is not None:
            self._give(newest, newest[0].nbytes)
        super().end()

    def stop(self, timeout: float = 2.5) -> Recorded:
        """Finish the file and return what it holds.

        Raises:
            RecordingError: there is no whole file, for a reason that was not reported yet, or it takes longer than
                `timeout` seconds.
        """
        self._finish(timeout, "wait before you quit")
        return Recorded(self.path, self._recorder.frames, self._recorder.seconds, self.dropped)

    def _write(self) -> None:
        with self._recorder:
            for picture, moment in self._items():
                self._recorder.write(picture, moment)
        if not self._recorder.frames:
            what = f"Nothing was recorded into {self.path}"
            raise RecordingError(what, "no picture came, as in a pause", "resume, or record for longer")


class TimedRecorder:
    """Records pictures at their moments into a video of a constant rate. Used by one thread.

    Pictures are repeated, and some left out, so that the video lasts as long as what it shows.

    Args:
        path: the file, ending in .mp4 or .avi.
        rate: frames per second; None measures it over `PICTURES_TO_MEASURE` pictures, which are kept until then.
        open_recorder: opens the file, as `VideoRecorder` does.
        live: the moments are those of a clock, so they jitter, and a long pause is shortened; otherwise they are a
            file's own.
    """

    def __init__(
        self,
        path: Path,
        rate: float | None,
        open_recorder: Callable[..., VideoRecorder] = VideoRecorder,
        live: bool = False,
    ) -> None:
        self._path, self._rate, self._open_recorder = path, rate, open_recorder
        self._live = live
        self._first: list[TimedPicture] = []
        self._recorder: VideoRecorder | None = None
        self._last: TimedPicture | None = None
        self._start = 0.0  # moment at which the video begins

    @property
    def frames(self) -> int:
        """Frames in the file; 0 until, or unless, there is one under its name."""
        return self._recorder.frames if self._recorder is not None and self._recorder.is_whole else 0

    @property
    def seconds(self) -> float:
        """How long the file plays."""
        return self.frames / self._rate if self._rate else 0.0

    def __enter__(self) -> TimedRecorder:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self._first:
            self._begin()
        if self._recorder is not None:
            self._recorder.__exit__(kind, error, trace)

    def write(self, picture: NDArray[np.uint8], moment: float) -> None:
        """Write a picture taken at a `moment`, or keep it until the rate is known; see `LiveRecorder.add`."""
        if self._recorder is not None:
            self._place(self._recorder, self._rate or FALLBACK_RATE, picture, moment)
            return
        self._first.append((picture, moment))
        wanted = PICTURES_TO_MEASURE if not self._rate else 1 if self._live else PICTURES_TO_CHECK
        if len(self._first) == wanted:
            self._begin()

    def hold_until(self, moment: float) -> None:
        """Let the last picture be shown until a moment, as a file's last frame is."""
        if self._first:
            self._begin()
        if self._recorder is not None and self._last is not None and self._rate:
            until = min(moment, self._last[1] + LONGEST_FILE_HOLD)
            missing = round((until - self._start) * self._rate) - self._recorder.frames
            for _ in range(missing):
                self._recorder.write(_bgr(self._last[0]))

    def _begin(self) -> None:
        """Open the file, and write the pictures that were kept."""
        first, self._first = self._first, []
        height, width = first[0][0].shape[:2]
        self._start = first[0][1]
        steps = [later - earlier for (_, earlier), (_, later) in pairwise(first)]
        if not self._rate:
            self._rate = _rate_of(steps)
        elif not self._live:
            closest = 1 / min((step for step in steps if step > 0), default=math.inf)
            self._rate = min(closest, FASTEST_RATE) if closest > FASTER * self._rate else self._rate
        self._recorder = self._open_recorder(self._path, self._rate, (width, height))
        for picture, moment in first:
            self._place(self._recorder, self._rate, picture, moment)

    def _place(self, recorder: VideoRecorder, rate: float, picture: NDArray[np.uint8], moment: float) -> None:
        """Write a picture at its time: repeat the last one before it, or leave it out if it came too early."""
        last, self._last = self._last, (picture, moment)
        if last is not None:
            step = moment - last[1]
            # A picture shown too long, or a clock that went back, moves the start: the video continues from here.
            self._start += step - min(max(step, 0.0), LONGEST_HOLD if self._live else LONGEST_FILE_HOLD)
        late = (moment - self._start) * rate - recorder.frames
        if late <= -TOLERANCE:
            return
        if last is not None:
            repeated = _bgr(last[0])
            for _ in range(math.floor(late + 1 - TOLERANCE)):
                recorder.write(repeated)
        recorder.write(_bgr(picture))


def _rate_of(steps: Sequence[float]) -> float:
    """Return how many pictures a second come, by the seconds from each to the next."""
    longest = PAUSE_STEPS * median_low([step for step in steps if step > 0] or [0.0])
    usual = [step for step in steps if 0 <= step < longest]
    return min(len(usual) / sum(usual), FASTEST_RATE) if usual else FALLBACK_RATE


def _bgr(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture as the recorder expects it: BGRA as it is, RGB as BGR."""
    return picture if picture.shape[2] == 4 else cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
