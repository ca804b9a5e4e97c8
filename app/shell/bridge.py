"""From the engine's threads to the GUI thread: one signal, never more than one of it under way."""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject, Qt, Signal


class Bridge(QObject):
    """Turns calls of `notify` from any thread into `changed` on the GUI thread.

    Calls that come before `changed` was delivered are folded into it, so a busy window never gathers a queue.
    """

    changed = Signal()
    _posted = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pending = threading.Lock()  # held while a signal is under way
        self.closed = False
        self._posted.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def notify(self) -> None:
        """Say that something changed. Cheap, and safe from any thread until `close`."""
        if not self.closed and self._pending.acquire(blocking=False):
            self._posted.emit()

    def close(self) -> None:
        """Ignore every call from now on, for threads that outlive the window."""
        self.closed = True

    def _deliver(self) -> None:
        # Released first: what changes while `changed` is handled must be told again.
        self._pending.release()
        if not self.closed:
            self.changed.emit()
