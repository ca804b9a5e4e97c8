"""The thread of an output: no output ever delays a frame, and an error of one does not affect another."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Generic, TypeVar

from engine.core.errors import OutputError, RecordingError, UnderstudyError
from engine.core.texts import reason

log = logging.getLogger(__name__)

Item = TypeVar("Item")
OnError = Callable[["OutputWorker[Any]", UnderstudyError], None]

TICK = 0.1  # seconds


class OutputWorker(ABC, Generic[Item]):
    """Writes items on a thread of its own. A subclass implements `_write`, and starts `_thread` when it is constructed.

    Args:
        title: how its errors begin, such as “The recording a.mp4”.
        room: how much may wait: an item that would exceed it is dropped, and what waits is still written after `end`.
            None for the newest item only: it replaces an older one that was not taken, and `end` discards it.
        on_error: called with this object and each new error, once however often it comes, on a thread of the output;
            must return at once.

    Attributes:
        error: what is wrong; None while nothing is.
        has_ended: whether `error` ended it. Items are refused from then on.
    """

    failure: ClassVar[type[UnderstudyError]] = OutputError  # the class that an unexpected exception is reported as
    remedy: ClassVar[str] = "switch it off and on"
    late: ClassVar[str] = "its host does not answer"  # why it has not opened in time

    def __init__(self, title: str, room: int | None, on_error: OnError | None) -> None:
        self.error: UnderstudyError | None = None
        self.has_ended = False
        self._title, self._room, self._on_error = title, room, on_error
        self._queue: deque[tuple[Item, int]] = deque()
        self._waiting = self._dropped = 0
        self._changed = threading.Condition()
        self._opened = threading.Event()  # set once it is open, and when it has ended or is to end
        self._ending = self._is_reported = False
        self._last = ""  # the error that came last
        self._thread = threading.Thread(target=self._run, name=title, daemon=True)

    @property
    def dropped(self) -> int:
        """Items that are missing because they came faster than they could be written."""
        return self._dropped

    def ready(self, timeout: float = 5.0) -> None:
        """Wait until a stream or a virtual camera is open.

        Raises:
            UnderstudyError: it cannot be opened, or that takes longer than `timeout` seconds.
        """
        opened = self._opened.wait(timeout)
        if self.error is not None:
            raise self.error
        if not opened:
            raise OutputError(f"{self._title} did not open in time", self.late, "wait")

    def end(self) -> None:
        """Ask it to end without waiting, so that several can end at the same time."""
        with self._changed:
            self._ending = True
            if self._room is None:
                self._queue.clear()
            self._changed.notify_all()
            self._opened.set()

    def stop(self, timeout: float = 1.0) -> object:
        """End within `timeout` seconds; return whether it did, or what was written."""
        return self._join(timeout)

    @abstractmethod
    def _write(self) -> None:
        """Open, write all `_items()` and close. What it raises ends the output and is reported."""

    def _give(self, item: Item, size: int = 1) -> bool:
        """Queue an item for writing; returns at once, False if the item was dropped or refused."""
        with self._changed:
            if self._ending or self.has_ended:
                return False
            if self._room is None:
                self._dropped += len(self._queue)
                self._queue.clear()
                self._waiting = 0
            elif self._queue and self._waiting + size > self._room:
                self._dropped += 1
                return False
            self._queue.append((item, size))
            self._waiting += size
            self._changed.notify_all()
            return True

    @property
    def _goes_on(self) -> bool:
        """Whether there is, or may still come, an item to write."""
        return not self.has_ended and (not self._ending or bool(self._queue))

    def _take(self, timeout: float) -> Item | None:
        """Return the next item; None if there was none within `timeout` seconds, or there will be no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or not self._goes_on, timeout)
            if not self._queue:
                return None
            item, size = self._queue.popleft()
            self._waiting -= size
            return item

    def _items(self) -> Iterator[Item]:
        """Yield items as they come, until the end."""
        while self._goes_on:
            item = self._take(TICK)
            if item is not None:
                yield item

    def _fail(self, error: Exception, ends: bool = True) -> None:
        """Store and report an error; after one that ends the output, others are ignored."""
        failure = error
        if not isinstance(failure, UnderstudyError):
            failure = self.failure(f"{self._title} failed ({reason(error)})", "unknown", self.remedy)
            failure.__cause__ = error
        with self._changed:
            if self.has_ended:
                return
            is_new, self._last = str(failure) != self._last, str(failure)
            self.error, self.has_ended = failure, ends
            self._is_reported = self._on_error is not None and not self._ending
            if ends:
                self._queue.clear()
                self._changed.notify_all()
        if is_new:
            log.warning("%s", failure, exc_info=None if failure is error else error)
        if is_new and self._is_reported and self._on_error is not None:
            try:
                self._on_error(self, failure)
            except Exception:  # a window that is being destroyed must not end the thread
                log.exception("The listener failed")
        if ends:
            self._opened.set()

    def _finish(self, timeout: float, advice: str) -> None:
        """End, and wait until the files are finished.

        Raises:
            UnderstudyError: it ended by an error that was not reported, or takes longer than `timeout` seconds.
        """
        if not self._join(timeout):
            raise RecordingError(f"{self._title} is not finished yet", "the disk or the machine is very slow", advice)
        if self.error is not None and not self._is_reported:
            raise self.error

    def _join(self, timeout: float) -> bool:
        """End, and return whether the thread did within `timeout` seconds."""
        self.end()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._write()
        except Exception as error:  # noqa: BLE001  whatever it is, frames go on
            self._fail(error)
