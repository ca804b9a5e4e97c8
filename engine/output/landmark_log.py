"""Writing landmarks to files live, on a thread of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from engine.core.errors import RecordingError
from engine.core.face_signals import FaceSignals
from engine.core.faces import Result
from engine.core.files import free_bytes, quick_checksum
from engine.formats.landmark_writers import LoggedFacts, Prediction, as_prediction, check_format, write_predictions
from engine.output.video_writer import RESERVED_BYTES
from engine.output.worker import OnError, OutputWorker

# Results that may wait to be written; further ones are dropped.
MOST_WAITING = 1000
RESULTS_PER_DISK_CHECK = 50


@dataclass(frozen=True)
class Logged:
    """The outcome of a log.

    Attributes:
        paths: its files, or its folder; rows of a CSV that need other columns are in another file.
        frames: frames in them, of the lane that has most.
        dropped: results that are missing because they could not be written as fast as they came.
    """

    paths: tuple[Path, ...]
    frames: int
    dropped: int


class LandmarkLog(OutputWorker[tuple[Prediction, Path | None]]):
    """Logs the results of all lanes as they come; those that find no room are left out.

    A file has its name only once it is complete.

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
        self._results: Counter[int] = Counter()  # of each lane
        self._thread.start()

    def add(self, result: Result, signals: Sequence[FaceSignals | None] = (), lane: int = 0) -> bool:
        """Append a result of a lane, and the signals of each of its faces if they are read; returns at once.

        False means that it was dropped, because too many wait or the log has ended, or because a camera's frame was
        captured before the first of the log, as a slow lane may still have one.
        """
        frame = result.frame
        if self._begin is None:
            self._begin = frame.captured
        # Frames of a camera have no time of their own: the time since the log began is written.
        is_live = frame.time is None and not frame.name
        if is_live and frame.captured < self._begin:
            return False
        time = frame.captured - self._begin if is_live else frame.time
        time = None if frame.name else time
        prediction = as_prediction(result, signals, time, frame.id, LoggedFacts(lane, result.latency, result.nme))
        return self._give((prediction, frame.file))

    def stop(self, timeout: float = 2.5) -> Logged:
        """Finish the files and return what they hold.

        Raises:
            RecordingError: nothing could be logged, for a reason that was not reported yet, or it takes longer than
                `timeout` seconds.
        """
        self._finish(timeout, "wait a while")
        if not self._paths and self.error is None:
            raise RecordingError(f"Nothing was logged into {self.path}", "no frame came", "log for longer")
        return Logged(tuple(self._paths), max(self._results.values(), default=0), self.dropped)

    def _write(self) -> None:
        written = write_predictions(self._while_there_is_space(), self.path)
        if written.count:
            self._paths += written.paths

    def _while_there_is_space(self) -> Iterator[Prediction]:
        """Yield what was added until the log ends, or until the disk is nearly full."""
        checksum = cache(_checksum)  # of this log alone: before the next one, another clip may get the name of this
        for count, (prediction, clip) in enumerate(self._items()):
            if count % RESULTS_PER_DISK_CHECK == 0 and (free := self._free_bytes(self.path.parent)) < RESERVED_BYTES:
                self._fail(
                    RecordingError(
                        f"The disk is full: {free / 1e6:.0f} MB are left for {self.path}",
                        f"logging stops at {RESERVED_BYTES / 1e6:.0f} MB",
                        "free some space, or choose another drive; what was logged until now is kept",
                    )
                )
                return
            assert prediction.facts is not None  # `add` gives every result its own
            self._results[prediction.facts.lane] += 1
            yield replace(prediction, facts=replace(prediction.facts, clip=checksum(clip)))


def _checksum(clip: Path | None) -> str:
    """Return by what a video is known again; "" for none, and where it is gone meanwhile."""
    try:
        return "" if clip is None else quick_checksum(clip)
    except OSError:
        return ""
