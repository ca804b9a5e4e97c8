"""Work that may take a while, done on a thread of its own and handed back to the GUI thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, Signal

T = TypeVar("T")


class Background(QObject):
    """Runs functions on daemon threads; their outcome comes back through the event loop."""

    _finished = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._closed = False
        self._finished.connect(self._hand_back, Qt.ConnectionType.QueuedConnection)

    def run(self, work: Callable[[], T], done: Callable[[T], None]) -> None:
        """Call `work` on a thread and `done(its result)` on the GUI thread.

        An exception of `work` goes to `threading.excepthook`, and `done` is not called.
        """

        def call() -> None:
            result = work()
            if not self._closed:
                self._finished.emit(done, result)

        threading.Thread(target=call, name="background", daemon=True).start()

    def close(self) -> None:
        """Let running work end unheard."""
        self._closed = True

    def _hand_back(self, done: Callable[[Any], None], result: Any) -> None:
        if not self._closed:
            done(result)
