"""From other threads to the GUI thread: results of slow work, and notifications of the engine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakSet

from PySide6.QtCore import QObject, Qt, Signal

from engine.core.errors import UnderstudyError

T = TypeVar("T")
WRITING_S = 2.0  # that a window waits when it is closed while a file is being written


class Background(QObject):
    """Runs functions on daemon threads; their outcome comes back through the event loop."""

    _finished = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._closed = False
        self._threads: WeakSet[threading.Thread] = WeakSet()
        self._finished.connect(self._hand_back, Qt.ConnectionType.QueuedConnection)

    def run(
        self,
        work: Callable[[], T],
        done: Callable[[T], object] | None = None,
        failed: Callable[[UnderstudyError], object] | None = None,
    ) -> None:
        """Call `work` on a thread, and one of the others on the GUI thread.

        Args:
            work: may take long.
            done: gets the result.
            failed: gets the error where `work` raises one of ours. Without it, and for all other exceptions,
                `threading.excepthook` is called instead.
        """

        def call() -> None:
            hand_back: tuple[Callable[[Any], object] | None, Any]
            try:
                hand_back = done, work()
            except UnderstudyError as error:
                if failed is None:
                    raise
                hand_back = failed, error
            if hand_back[0] is not None and not self._closed:
                self._finished.emit(*hand_back)

        thread = threading.Thread(target=call, name="background", daemon=True)
        self._threads.add(thread)
        thread.start()

    def close(self, seconds: float = 0) -> None:
        """Wait at most so long for work that still runs, which may be writing a file; its results are ignored."""
        self._closed = True
        end = time.monotonic() + seconds
        for thread in list(self._threads):
            thread.join(max(0, end - time.monotonic()))

    def _hand_back(self, done: Callable[[Any], object], result: Any) -> None:
        if not self._closed:
            done(result)


class Bridge(QObject):
    """Turns calls of `notify` from any thread into `changed` on the GUI thread.

    Calls that come before `changed` was delivered are folded into it, so a busy window never accumulates a queue.
    """

    changed = Signal()
    _posted = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pending = threading.Lock()  # held while a signal is pending
        self.closed = False
        self._posted.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def notify(self) -> None:
        """Report that something changed. Cheap, and safe from any thread."""
        if not self.closed and self._pending.acquire(blocking=False):
            self._posted.emit()

    def close(self) -> None:
        """Ignore every call from now on, as of threads that outlive the window."""
        self.closed = True

    def _deliver(self) -> None:
        # Released first: what changes while `changed` is handled must be reported again.
        self._pending.release()
        if not self.closed:
            self.changed.emit()
