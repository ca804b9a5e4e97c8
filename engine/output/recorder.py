"""Recording while frames run: on a thread of its own, in real time, without ever holding a frame up."""

from __future__ import annotations

import logging
import math
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.error_sink import Tell, tell_of
from engine.core.errors import RecordingError, UnderstudyError
from engine.output.video_writer import VideoRecorder, check_target, measured_rate

log = logging.getLogger(__name__)

# Pictures that wait to be written may fill so much memory; beyond it they are dropped.
MOST_WAITING_BYTES = 48_000_000
# Where the rate is not known, it is that at which so many first pictures came.
PICTURES_TO_MEASURE = 15
# A picture that stood longer, as while the view was paused, is shortened to this.
LONGEST_HOLD = 5.0  # seconds
# By how many periods a picture may come early or late without another one being left out or repeated for it.
TOLERANCE = 0.75
# The program quits within 3 seconds, so the finished file cannot be read for longer.
PATIENCE = 0.7  # seconds


@dataclass(frozen=True)
class Recorded:
    """What a recording became.

    Attributes:
        path: the file.
        frames: frames in the file, repeated ones included; 0 if there is no file.
        seconds: how long it plays.
        dropped: pictures that are missing because they could not be written as fast as they came.
    """

    path: Path
    frames: int
    seconds: float
    dropped: int


@dataclass(frozen=True)
class _Waiting:
    """A picture `[H, W, 4]` BGRA or `[H, W, 3]` RGB uint8, and its moment in seconds."""

    picture: NDArray[np.uint8]
    moment: float


class LiveRecorder:
    """Records pictures as they come. The video has a constant rate, so a picture is repeated until the next one came.

    Pictures of another size than the first are fitted in, with black bars. The file has its name only once it was read
    again, see `VideoRecorder`.

    Args:
        path: the file, ending in .mp4 or .avi.
        rate: frames per second of the source; None measures it.
        tell: called once, on the recording's thread, with the error that ended it; must return at once.
        open_recorder: opens the file, as `VideoRecorder` does.

    Raises:
        RecordingError: the file cannot be written there.
    """

    def __init__(
        self,
        path: Path,
        rate: float | None = None,
        tell: Tell | None = None,
        open_recorder: Callable[..., VideoRecorder] = VideoRecorder,
    ) -> None:
        check_target(path)
        self.path = path
        self._tell = tell
        self._writer = _RealTimeWriter(path, rate, open_recorder)
        self._queue: deque[_Waiting] = deque()
        self._bytes = self._dropped = 0
        self._changed = threading.Condition()
        self._ending = False
        self._error: RecordingError | None = None
        self._told = False
        self._thread = threading.Thread(target=self._run, name="recording", daemon=True)
        self._thread.start()

    @property
    def error(self) -> RecordingError | None:
        """Why the recording ended by itself; None while it goes on."""
        return self._error

    def add(self, picture: NDArray[np.uint8], moment: float) -> bool:
        """Append a picture; returns at once.

        Args:
            picture: `[H, W, 4]` uint8 BGRA or `[H, W, 3]` uint8 RGB; it may not be changed afterwards.
            moment: seconds at which it was taken or drawn, by a clock that runs on, as that of `Frame.captured`.

        Returns:
            False if it was dropped, because too many wait or the recording has ended.
        """
        with self._changed:
            if self._ending or self._error is not None:
                return False
            if self._bytes + picture.nbytes > MOST_WAITING_BYTES and self._queue:
                self._dropped += 1
                return False
            self._queue.append(_Waiting(picture, moment))
            self._bytes += picture.nbytes
            self._changed.notify()
            return True

    def end(self) -> None:
        """Ask the recording to end without waiting for it, where several are to end at once."""
        with self._changed:
            self._ending = True
            self._changed.notify()

    def stop(self, timeout: float = 2.5) -> Recorded:
        """Finish the file and return what it holds.

        Raises:
            RecordingError: there is no whole file, for a reason that was not told yet, or it takes longer than
                `timeout` seconds.
        """
        self.end()
        self._thread.join(timeout)
        if self._thread.is_alive():
            raise RecordingError(
                f"The recording {self.path} is not finished yet", "the disk is very slow", "wait before you quit"
            )
        if self._error is not None and not self._told:
            raise self._error
        return Recorded(self.path, self._writer.frames, self._writer.seconds, self._dropped)

    def _run(self) -> None:
        try:
            while (waiting := self._next()) is not None:
                self._writer.write(waiting)
            self._writer.close()
        except Exception as error:  # whatever it is, frames go on
            try:
                self._writer.rescue()
            finally:
                self._fail(error)

    def _next(self) -> _Waiting | None:
        """Wait for a picture; None once the recording is to end and all are written."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._ending)
            if not self._queue:
                return None
            waiting = self._queue.popleft()
            self._bytes -= waiting.picture.nbytes
            return waiting

    def _fail(self, error: Exception) -> None:
        log.error("The recording ended: %s", error, exc_info=not isinstance(error, UnderstudyError))
        if not isinstance(error, RecordingError):
            error = RecordingError(f"The recording {self.path} failed ({error})", "unknown", "record again")
        with self._changed:
            self._error = error
            self._queue.clear()
            self._bytes = 0
            self._told = self._tell is not None and not self._ending
        if self._told:
            tell_of(error, self._tell)


class _RealTimeWriter:
    """Writes pictures so that the video lasts as long as what it shows. Used by one thread.

    Attributes:
        frames: in the file; 0 as long as, or if, there is none.
        seconds: how long they play.
    """

    def __init__(self, path: Path, rate: float | None, open_recorder: Callable[..., VideoRecorder]) -> None:
        self.frames, self.seconds = 0, 0.0
        self._path, self._rate, self._open_recorder = path, rate, open_recorder
        self._first: list[_Waiting] = []
        self._timeline: _Timeline | None = None

    def write(self, waiting: _Waiting) -> None:
        """Write a picture, or keep it until the rate is known."""
        if self._timeline is not None:
            self._timeline.place(waiting)
            return
        self._first.append(waiting)
        if self._rate or len(self._first) == PICTURES_TO_MEASURE:
            self._begin()

    def close(self) -> None:
        """Finish the file.

        Raises:
            RecordingError: no picture came, or they are not in the file.
        """
        if self._first:
            self._begin()
        if self._timeline is None:
            raise RecordingError(f"Nothing was recorded into {self._path}", "no picture came", "record for longer")
        recorder = self._timeline.recorder
        recorder.close()
        self.frames, self.seconds = recorder.frames, recorder.frames / self._timeline.rate

    def rescue(self) -> None:
        """Finish what was written before an error, if anything was."""
        self._first.clear()
        try:
            self.close()
        except RecordingError as error:  # the one that ended the recording is the one to be told
            log.info("%s", error)

    def _begin(self) -> None:
        first, self._first = self._first, []
        height, width = first[0].picture.shape[:2]
        rate = self._rate or measured_rate([waiting.moment for waiting in first])
        recorder = self._open_recorder(self._path, rate, (width, height), patience=PATIENCE)
        self._timeline = _Timeline(recorder, rate, first[0].moment)
        for waiting in first:
            self._timeline.place(waiting)


class _Timeline:
    """Places pictures in a video of a constant rate that begins at the moment `start`."""

    def __init__(self, recorder: VideoRecorder, rate: float, start: float) -> None:
        self.recorder, self.rate = recorder, rate
        self._start = start
        self._last: _Waiting | None = None

    def place(self, waiting: _Waiting) -> None:
        """Write a picture at its time: after repeating the last one, or not at all if it came too soon after that."""
        last, self._last = self._last, waiting
        if last is not None:
            step = waiting.moment - last.moment
            # What stood too long, or a clock that went back, moves the beginning: the video goes on from here.
            self._start += step - min(max(step, 0.0), LONGEST_HOLD)
        late = (waiting.moment - self._start) * self.rate - self.recorder.frames
        if late <= -TOLERANCE:
            return
        if last is not None:
            repeated = _bgr(last.picture)
            for _ in range(math.floor(late + 1 - TOLERANCE)):
                self.recorder.write(repeated)
        self.recorder.write(_bgr(waiting.picture))


def _bgr(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture as the recorder takes it: BGRA as it is, RGB as BGR."""
    return picture if picture.shape[2] == 4 else cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
