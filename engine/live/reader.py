"""A source on a thread of its own, which can be abandoned when a driver never returns."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from engine.core.errors import SourceError, UnderstudyError
from engine.core.frame import Epoch
from engine.core.texts import reason
from engine.sources.base import Source, SourceKind
from engine.sources.discovery import CameraAbsent

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")


class CameraReplaced(SourceError):
    """Another camera answers in place of the one that was lost; the user must decide whether to use it."""


class Reader(Protocol):
    """Reads an open source, on the source's thread: a `CameraReader` or a `FileReader`.

    Attributes:
        epoch: to which the next frame belongs; see `Epoch`.
        next_id: id of the next frame.
        frames: how many frames came.
        period: seconds from frame to frame: measured for cameras, as stated by files.
        hint: what is wrong with the pictures, "" if nothing.
        remark: the source's remark at its end, "" if none.
    """

    epoch: Epoch
    next_id: int
    frames: int
    period: float
    hint: str
    remark: str

    def run(self) -> None:
        """Read until the source ends or is abandoned."""

    def wake(self) -> None:
        """End every wait, because the source was abandoned."""


class SourceThread:
    """Opens a source and runs its reader, both on a thread of its own.

    It is used once: a source that failed or was abandoned is not opened again by this object.

    Args:
        open_source: opens the source; may block.
        make_reader: makes its reader; called on the thread. None leaves the source open for the caller to read.
        clock: returns seconds.
        expected: required name of the source; "" for any.

    Attributes:
        name: of the source, "" until it is open.
        is_camera: whether frames are live; False until it is open.
        started: when it was made.
        opened: set once the source is open, or failed to.
        reader: of the source; None until it is open.
        error: why it failed.
        abandoned: set once it was abandoned.
    """

    def __init__(
        self,
        open_source: Callable[[], Source],
        make_reader: Callable[[SourceThread, Source], Reader | None],
        clock: Callable[[], float],
        expected: str = "",
    ) -> None:
        self._open_source, self._make_reader, self._clock, self._expected = open_source, make_reader, clock, expected
        self.name, self.is_camera = "", False
        self.reader: Reader | None = None
        self.error: UnderstudyError | None = None
        self.abandoned = threading.Event()
        self.started, self.opened = clock(), threading.Event()
        self._busy_since: float | None = self.started
        self._handing_source = threading.Lock()
        self._source: Source | None = None
        self._threads = [threading.Thread(target=self._run, name="reader", daemon=True)]

    def start(self) -> None:
        """Begin to open the source."""
        self._threads[0].start()

    def silent_for(self, now: float) -> float:
        """Return the seconds that the present call of the driver has lasted at `now`; 0 between calls."""
        since = self._busy_since
        return 0.0 if since is None else now - since

    def call(self, driver: Callable[[], Answer]) -> tuple[Answer, float]:
        """Return what a call of the driver returns and the milliseconds it took; `silent_for` watches it."""
        self._busy_since, start = self._clock(), time.perf_counter()
        answer = driver()
        self._busy_since = None
        return answer, (time.perf_counter() - start) * 1e3

    def abandon(self) -> None:
        """Abandon the source without waiting; it is closed in the background, and what it still delivers is dropped."""
        self.abandoned.set()
        if self.reader is not None:
            self.reader.wake()
        with self._handing_source:
            is_open = self._source is not None
        if is_open:
            closer = threading.Thread(target=self._close, name="closing", daemon=True)
            self._threads.append(closer)
            closer.start()

    def join(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for the threads; return whether they ended."""
        deadline = self._clock() + timeout
        for thread in self._threads:
            thread.join(max(0.0, deadline - self._clock()))
        return not self.is_alive()

    def is_alive(self) -> bool:
        """Return whether a thread still runs."""
        return any(thread.is_alive() for thread in self._threads)

    def _run(self) -> None:
        try:
            self._open()
            if self.reader is not None:
                self.reader.run()
        except UnderstudyError as error:
            self.error = error
        except Exception as error:  # any error of a driver or a decoder must reach the user as a sentence
            log.exception("The source failed")
            which = f"The source {self.name or self._expected}".rstrip()
            self.error = SourceError(
                f"{which} failed ({reason(error)})", "its driver or file is faulty", "open it again"
            )
        finally:
            self._busy_since = None
            self._close()
            self.opened.set()

    def _open(self) -> None:
        source = self._open_source()
        with self._handing_source:
            self._source = source
        if self._expected and source.name != self._expected:
            raise _another(self._expected, source)
        self.name, self.is_camera = source.name, source.kind is SourceKind.CAMERA
        self.reader = self._make_reader(self, source)
        if self.reader is None and not self.abandoned.is_set():
            with self._handing_source:
                self._source = None  # the caller closes it
        self.opened.set()

    def _close(self) -> None:
        with self._handing_source:
            source, self._source = self._source, None
        if source is None:
            return
        try:
            source.close()
        except Exception:  # the source is abandoned, so this is only logged
            log.exception("Closing %s failed", source.name)


def _another(expected: str, source: Source) -> SourceError:
    if source.kind is not SourceKind.CAMERA:
        return CameraAbsent(f"The camera “{expected}” is not plugged in", "it was unplugged", "plug it in again")
    return CameraReplaced(
        f"The camera “{expected}” is gone, and “{source.name}” answers in its place",
        "it was unplugged, and the system renumbered the others",
        f"plug it in again, or choose “{source.name}”",
    )
