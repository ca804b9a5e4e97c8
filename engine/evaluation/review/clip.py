"""The clip of a logged session: finding it, whether it is the one that was logged, and reading any frame of it."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.core.errors import SourceError, UsageError
from engine.core.files import quick_checksum
from engine.core.frame import Frame
from engine.core.texts import reason
from engine.formats.session_log import SessionLog
from engine.sources.base import Seekable, Source, SourceKind
from engine.sources.opening import open_source
from engine.sources.pictures import PicturesSource
from engine.sources.sample import SampleSource

AHEAD = 12  # frames that are read before they are asked for
MOST_KEPT = 100_000_000  # bytes of pictures that are kept
TIME_TOLERANCE = 0.05  # seconds by which a frame may be elsewhere before the clip counts as another one


def find_clip(log: SessionLog, elsewhere: Iterable[Path] = ()) -> Path | None:
    """Return the clip of a log: what is named as the log says, at one of these paths or beside it; None for none."""
    if not log.source:
        return None
    folders = (log.path.parent, log.path.parent.parent, Path())
    beside = [folder / log.source for folder in folders]
    named = [path for path in elsewhere if path.name == log.source]
    return next((path for path in (*named, *beside) if path.is_file()), None)


@dataclass(frozen=True)
class Clip:
    """An open clip that can be read at any frame.

    Attributes:
        source: its frames.
        remark: sentences on how it differs from the one that was logged; "" if it does not.
    """

    source: Source
    remark: str


def open_clip(log: SessionLog, path: Path | None) -> Clip:
    """Open the clip of a log, at `path`; None for the built-in sample.

    Raises:
        SourceError: it cannot be opened.
        UsageError: it is none that can be shown beside this log.
    """
    source: Source = SampleSource() if path is None else open_source(str(path))
    try:
        if not isinstance(source, Seekable):
            why = "only files can be shown beside a log"
            raise UsageError(f"“{source.name}” cannot be shown beside this log", why, "name the video that was logged")
        first = source.read()
        if first is None:
            raise SourceError(f"{source.name} gave no picture", "it is empty", "choose another clip")
        return Clip(source, _difference(log, path, source, first))
    except BaseException:
        source.close()
        raise


def _difference(log: SessionLog, path: Path | None, source: Source, first: Frame) -> str:
    """Return in sentences how a clip differs from the one that was logged; raise where nothing of it can be shown."""
    if log.size is not None and not log.pictures and log.size != (first.width, first.height):
        raise UsageError(
            f"{source.name} is another clip than the one that was logged",
            f"its pictures have {first.width} x {first.height} pixels, those of the log {log.size[0]} x {log.size[1]}",
            "choose the clip that was logged; the log is shown without it",
        )
    if log.pictures:
        missing = (
            len(set(log.pictures) - set(source.names)) if isinstance(source, PicturesSource) else len(log.pictures)
        )
        if missing == len(log.pictures):
            why = "none of the pictures of the log is in it"
            raise UsageError(f"{source.name} is not what was logged", why, "choose the folder that was logged")
        return f"{missing} of {len(log.pictures)} logged pictures are not there." if missing else ""
    if path is None or not path.is_file() or source.kind is not SourceKind.VIDEO:
        return ""
    try:
        if log.clip and quick_checksum(path) == log.clip:
            return ""
    except OSError as error:
        raise SourceError(
            f"{source.name} cannot be read", reason(error), "look whether its disk is still there"
        ) from error
    said = []
    assert isinstance(source, Seekable)
    last, moment = int(log.numbers[-1]), float(log.times[-1])
    count = source.place_at(source.duration or 0.0) + 1
    if last >= count:
        said.append(f"The log reaches to frame {last}, but {source.name} has {count} frames, counted from 0.")
    elif not math.isnan(moment) and abs(source.place_at(moment) - last) > max(
        1.0, TIME_TOLERANCE * (source.rate or 30.0)
    ):
        said.append(f"By the log frame {last} is at {moment:.2f} s, in {source.name} it is not.")
    if log.clip:
        said.append(f"{source.name} is another file than the one that was logged: its checksum differs.")
    if said:
        said.append("So landmarks may lie beside the faces.")
    return " ".join(said)


class ClipReader:
    """Reads frames of a clip on a thread of its own: of several that are asked for in a row only the last.

    After a step, the frames that further steps that way will show are read while nothing is asked for. What was read
    is kept within `MOST_KEPT` and passed on at once, also while the thread decodes.

    Args:
        clip: what is read; closed with this reader.
        log: tells the names of pictures.
        on_frame: called with the number that was asked for, and its frame; None where there is none. On the thread, or
            where the frame was kept on that of the caller.
    """

    def __init__(self, clip: Clip, log: SessionLog, on_frame: Callable[[int, Frame | None], object]) -> None:
        self._source, self._log, self._on_frame = clip.source, log, on_frame
        self._changed = threading.Condition()
        self._wanted: int | None = None
        self._passed_on = False  # whether the frame that is wanted was kept
        self._closed = False
        self._kept: OrderedDict[int, Frame] = OrderedDict()  # by number; those used last are at the end
        self._next = 1  # number of the frame that comes without seeking: the first was read as the clip was opened
        self._place_of = self._places_of_pictures()
        self._thread = threading.Thread(target=self._work, name="clip reader", daemon=True)
        self._thread.start()

    def ask(self, number: int) -> None:
        """Ask for the frame of this number in the log; returns at once."""
        with self._changed:
            frame = self._kept.get(number)
            self._wanted, self._passed_on = number, frame is not None
            self._changed.notify()
        if frame is not None:
            self._on_frame(number, frame)

    def close(self) -> None:
        """End without waiting; nothing is passed on any more."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def join(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for the thread; return whether it ended."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def read(self, number: int) -> Frame | None:
        """Return the frame of this number; None where the clip has none or cannot be read there."""
        with self._changed:
            if number in self._kept:
                self._kept.move_to_end(number)
                return self._kept[number]
        frame = self._read(number)
        if frame is not None:
            with self._changed:
                self._kept[number] = frame
                while len(self._kept) > self._room(frame):
                    self._kept.popitem(last=False)
        return frame

    def _read(self, number: int) -> Frame | None:
        if self._log.pictures and not 0 <= number < len(self._log.pictures):
            return None
        name = self._log.pictures[number] if self._log.pictures else ""
        place: int | None = self._place_of.get(name) if name else number
        assert isinstance(self._source, Seekable)
        if place is None or place < 0:
            return None
        try:
            if place != self._next:
                self._source.seek(place)
            frame = self._source.read()
        except SourceError:
            frame = None
        self._next = -1 if frame is None else frame.number + 1
        if name and (frame is None or frame.name != name):  # it cannot be read any more, so those after it moved
            self._place_of = self._places_of_pictures()
            return None
        return frame if frame is not None and frame.number == place else None

    def _places_of_pictures(self) -> dict[str, int]:
        names = self._source.names if isinstance(self._source, PicturesSource) else ()
        return {name: place for place, name in enumerate(names)}

    @staticmethod
    def _room(frame: Frame) -> int:
        """Return how many frames of this size are kept."""
        return max(2, min(2 * AHEAD, MOST_KEPT // frame.image.nbytes))

    def _read_ahead(self, number: int, step: int, frame: Frame) -> None:
        for ahead in range(1, min(AHEAD, self._room(frame) // 2) + 1):
            if self._wanted is not None or self._closed or self.read(number + step * ahead) is None:
                return

    def _work(self) -> None:
        last = 0
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._wanted is not None)
                if self._closed:
                    break
                number, self._wanted = self._wanted, None
                is_passed_on = self._passed_on
            assert number is not None
            frame = self.read(number)
            if not (is_passed_on or self._closed):
                self._on_frame(number, frame)
            if frame is not None and abs(number - last) == 1:
                self._read_ahead(number, number - last, frame)
            last = number
        self._source.close()
