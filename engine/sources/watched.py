"""A camera that cannot keep its reader waiting: it is opened and read on a thread that can be left behind."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from queue import SimpleQueue
from typing import Any, TypeVar

from engine.core.errors import SourceError
from engine.core.frame import Frame
from engine.sources.base import Source, SourceKind

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

# Seconds. Some drivers take many seconds to open, and none that works takes as long for one picture.
OPEN_LIMIT, READ_LIMIT, CLOSE_LIMIT = 60.0, 5.0, 1.0


class WatchedCamera:
    """An opened camera whose `read` fails instead of blocking for ever.

    Args:
        source: the camera.
        thread: the thread on which it was opened; some drivers want to be read there too.
    """

    kind = SourceKind.CAMERA

    def __init__(self, source: Source, thread: DriverThread) -> None:
        self.name, self.rate, self.frame_count = source.name, source.rate, source.frame_count
        self._source, self._thread = source, thread

    @property
    def remark(self) -> str:
        """That of the camera."""
        return self._source.remark

    def read(self) -> Frame | None:
        """Return the next frame; None once the camera was closed.

        Raises:
            SourceError: the camera failed, or gave no answer in time.
        """
        try:
            return self._thread.call(self._source.read, READ_LIMIT)
        except Unanswered:
            raise SourceError(
                f"The camera “{self.name}” stopped answering",
                "it was unplugged, or its driver hangs",
                "plug it in again",
            ) from None

    def close(self) -> None:
        """Release the device; a driver that does not let go of it is left behind."""
        try:
            self._thread.call(self._source.close, CLOSE_LIMIT)
        except Unanswered:
            log.info("The camera %s is left behind: its driver hangs", self.name)
        self._thread.end()


def open_watched(open_source: Callable[[], Source]) -> Source:
    """Open a source; cameras come back watched, everything else as it is.

    Args:
        open_source: opens the source; may block.

    Raises:
        SourceError: opening failed, or took too long.
    """
    thread = DriverThread()
    try:
        source = thread.call(open_source, OPEN_LIMIT)
    except BaseException as error:
        thread.end()
        if not isinstance(error, Unanswered):
            raise
        raise SourceError(
            "The source did not open in time",
            "a camera's driver hangs, or a drive does not answer",
            "unplug the camera and plug it in again",
        ) from None
    if source.kind is SourceKind.CAMERA:
        return WatchedCamera(source, thread)
    thread.end()
    return source


class Unanswered(Exception):
    """A call did not return in time."""


class DriverThread:
    """Makes calls one after the other on one thread, which does not keep the program from ending."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = SimpleQueue()
        threading.Thread(target=self._run, name="driver", daemon=True).start()

    def call(self, function: Callable[[], Answer], limit: float) -> Answer:
        """Return what `function` returns.

        Raises:
            Unanswered: it took longer than `limit` seconds.
            Exception: whatever it raises.
        """
        future: Future[Answer] = Future()
        self._calls.put((function, future))
        if not wait([future], limit).done:
            raise Unanswered
        return future.result()

    def end(self) -> None:
        """Let the thread end after its calls."""
        self._calls.put(None)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            function, future = call
            try:
                future.set_result(function())
            except BaseException as error:  # it belongs to whoever made the call
                future.set_exception(error)
