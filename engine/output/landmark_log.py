"""Writing landmarks to files live, on a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from engine.core.errors import RecordingError
from engine.core.faces import Result
from engine.core.files import free_bytes
from engine.formats.landmark_writers import Prediction, as_prediction, check_format, write_predictions
from engine.inference.signals import FaceSignals
from engine.output.video_writer import RESERVED_BYTES
from engine.output.worker import OnError, OutputWorker

# Results that may wait to be written; further ones are dropped.
MOST_WAITING = 1000
RESULTS_PER_DISK_CHECK = 50


@dataclass(frozen=True)
class Logged:
    """The outcome of a log.

    Attributes:
        paths: its files, or its folder; a CSV goes on in another file when its columns change.
        frames: frames in them.
        dropped: frames that are missing because they could not be written as fast as they came.
    """

    paths: tuple[Path, ...]
    frames: int
    dropped: int


class LandmarkLog(OutputWorker[Prediction]):
    """Logs results as they come; those that find no room are left out. A file has its name only once it is complete.

    Args:
        path: `FILE.jsonl`, `FILE.csv`, or a folder (no ending) for `.pts` files, which have their names at once.
        on_error: called with the error that ended the log, see `OutputWorker`.
        free_bytes: returns the free space of a folder.

    Raises:
        UsageError: the ending is unknown.
    """

    failure, remedy = RecordingError, "log into another place"

    def __init__(
        self, path: Path, on_error: OnError | None = None, free_bytes: Callable[[Path], int] = free_bytes
    ) -> None:
        check_format(path)
        super().__init__(f"The log {path}", MOST_WAITING, on_error)
        self.path = path
        self._free_bytes = free_bytes
        self._begin: float | None = None
        self._paths: list[Path] = []
        self._frames = self._part = 0
        self._columns: tuple[int, bool] | None = None
        self._thread.start()

    def add(self, result: Result, signals: Sequence[FaceSignals | None] = ()) -> bool:
        """Append a result, and the signals of each of its faces if they are read; returns at once.

        False means that it was dropped, because too many wait or the log has ended.
        """
        frame = result.frame
        if self._begin is None:
            self._begin = frame.captured
        # Frames of a camera have no time of their own: the time since the log began is written.
        is_live = frame.time is None and not frame.name
        time = frame.captured - self._begin if is_live else frame.time
        return self._give(as_prediction(result, signals, *((None, None) if frame.name else (time, frame.id))))

    def stop(self, timeout: float = 2.5) -> Logged:
        """Finish the files and return what they hold.

        Raises:
            RecordingError: nothing could be logged, for a reason that was not reported yet, or it takes longer than
                `timeout` seconds.
        """
        self._finish(timeout, "wait a while")
        if not self._paths and self.error is None:
            raise RecordingError(f"Nothing was logged into {self.path}", "no frame came", "log for longer")
        return Logged(tuple(self._paths), self._frames, self.dropped)

    def _write(self) -> None:
        for part, portion in groupby(self._while_there_is_space(), self._part_of):
            path = self.path.with_name(f"{self.path.stem}_{part + 1}{self.path.suffix}") if part else self.path
            self._frames += write_predictions(portion, path)
            self._paths.append(path)

    def _while_there_is_space(self) -> Iterator[Prediction]:
        """Yield what was added until the log ends, or until the disk is nearly full."""
        for count, prediction in enumerate(self._items()):
            if count % RESULTS_PER_DISK_CHECK == 0 and (free := self._free_bytes(self.path.parent)) < RESERVED_BYTES:
                self._fail(
                    RecordingError(
                        f"The disk is full: {free / 1e6:.0f} MB are left for {self.path}",
                        f"logging stops at {RESERVED_BYTES / 1e6:.0f} MB",
                        "free some space, or choose another drive; what was logged until now is kept",
                    )
                )
                return
            yield prediction

    def _part_of(self, prediction: Prediction) -> int:
        """Return the number of the file that a prediction belongs to: a CSV has the columns of its first face."""
        if prediction.faces and self.path.suffix.lower() == ".csv":
            columns = prediction.faces[0].scheme.points, prediction.image is None
            self._part += self._columns not in (None, columns)
            self._columns = columns
        return self._part
