"""Writing landmarks into files while frames run, on a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from queue import SimpleQueue

from engine.core.error_sink import Tell, tell_of
from engine.core.errors import RecordingError, UnderstudyError
from engine.core.faces import Result
from engine.core.files import free_bytes
from engine.formats.landmark_writers import check_format, write_predictions
from engine.formats.prediction import Prediction
from engine.inference.signals import FaceSignals
from engine.output.video_writer import RESERVED_BYTES

log = logging.getLogger(__name__)

# Results that wait to be written; beyond it they are dropped.
MOST_WAITING = 1000
RESULTS_PER_DISK_CHECK = 50


@dataclass(frozen=True)
class Logged:
    """What a log became.

    Attributes:
        paths: its files, or its folder; a CSV goes on in another file when the markup changes.
        frames: frames in them.
        dropped: frames that are missing because they could not be written as fast as they came.
    """

    paths: tuple[Path, ...]
    frames: int
    dropped: int


class LandmarkLog:
    """Logs results as they come. A file has its name only once it is whole.

    Args:
        path: `FILE.jsonl`, `FILE.csv`, or a folder (no ending) for `.pts` files, which have their names at once.
        tell: called once, on the log's thread, with the error that ended it; must return at once.
        free_bytes: tells the free space of a folder.

    Raises:
        UsageError: the ending is unknown.
    """

    def __init__(
        self,
        path: Path,
        tell: Tell | None = None,
        free_bytes: Callable[[Path], int] = free_bytes,
    ) -> None:
        check_format(path)
        self.path = path
        self._tell, self._free_bytes = tell, free_bytes
        self._queue: SimpleQueue[Prediction | None] = SimpleQueue()
        self._begin: float | None = None
        self._dropped = self._frames = 0
        self._paths: list[Path] = []
        self._points = self._part = 0
        self._ending = self._told = False
        self._error: UnderstudyError | None = None
        self._thread = threading.Thread(target=self._run, name="landmark log", daemon=True)
        self._thread.start()

    @property
    def error(self) -> UnderstudyError | None:
        """Why the log ended by itself; None while it goes on."""
        return self._error

    def add(self, result: Result, signals: Sequence[FaceSignals | None] = ()) -> bool:
        """Append a result, and the signals of each of its faces if they are read; returns at once.

        Returns:
            False if it was dropped, because too many wait or the log has ended.
        """
        if self._ending or self._error is not None:
            return False
        if self._queue.qsize() >= MOST_WAITING:
            self._dropped += 1
            return False
        if self._begin is None:
            self._begin = result.frame.captured
        self._queue.put(_as_prediction(result, signals, self._begin))
        return True

    def stop(self, timeout: float = 2.5) -> Logged:
        """Finish the files and return what they hold.

        Raises:
            RecordingError: nothing could be logged, for a reason that was not told yet, or it takes longer than
                `timeout` seconds.
        """
        self._ending = True
        self._queue.put(None)
        self._thread.join(timeout)
        if self._thread.is_alive():
            raise RecordingError(f"The log {self.path} is not finished yet", "the disk is very slow", "wait a while")
        if self._error is not None and not self._told:
            raise self._error
        if not self._paths and self._error is None:
            raise RecordingError(f"Nothing was logged into {self.path}", "no frame came", "log for longer")
        return Logged(tuple(self._paths), self._frames, self._dropped)

    def _run(self) -> None:
        try:
            for part, portion in groupby(self._taken(), self._part_of):
                path = self.path.with_name(f"{self.path.stem}_{part + 1}{self.path.suffix}") if part else self.path
                self._frames += write_predictions(portion, path)
                self._paths.append(path)
        except Exception as error:  # whatever it is, frames go on
            self._fail(error)

    def _taken(self) -> Iterator[Prediction]:
        """Yield what was added until the log is to end, or until files could hardly be finished any more."""
        count = 0
        while (prediction := self._queue.get()) is not None:
            if count % RESULTS_PER_DISK_CHECK == 0 and (free := self._free_bytes(self.path.parent)) < RESERVED_BYTES:
                self._fail(
                    RecordingError(
                        f"The disk is full: {free / 1e6:.0f} MB are left for {self.path}",
                        f"logging stops at {RESERVED_BYTES / 1e6:.0f} MB",
                        "free some space, or choose another drive; what was logged until now is kept",
                    )
                )
                return
            count += 1
            yield prediction

    def _part_of(self, prediction: Prediction) -> int:
        """Return the number of the file that a prediction belongs to: a CSV has the columns of one markup."""
        if prediction.faces and self.path.suffix.lower() == ".csv":
            points = prediction.faces[0].scheme.points
            self._part += self._points not in (0, points)
            self._points = points
        return self._part

    def _fail(self, error: Exception) -> None:
        if not isinstance(error, UnderstudyError):
            error = RecordingError(f"The log {self.path} failed ({error})", "unknown", "log into another place")
        log.error("The log ended: %s", error)
        self._told = self._tell is not None and not self._ending
        self._error = error
        if self._told:
            tell_of(error, self._tell)


def _as_prediction(result: Result, signals: Sequence[FaceSignals | None], begin: float) -> Prediction:
    """Return a result without its picture, at its time in the file, or else in seconds since the log began."""
    frame = result.frame
    still = bool(frame.name)
    return Prediction(
        image=frame.name if still else None,
        source=None if still else frame.source,
        frame=None if still else frame.id,
        width=frame.width,
        height=frame.height,
        faces=result.faces,
        model=result.model,
        time=frame.time if still or frame.time is not None else frame.captured - begin,
        signals=tuple(signals[: len(result.faces)]),
    )
