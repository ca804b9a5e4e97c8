"""Uncaught errors: logged in full, reported briefly, and the window goes on."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from types import TracebackType

from PySide6.QtCore import QObject, Qt, Signal

_log = logging.getLogger(__name__)


class CrashWatch(QObject):
    """Catches uncaught errors on any thread, while it is installed.

    `caught` brings the traceback as text to the GUI thread.
    """

    caught = Signal(str)
    _happened = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._happened.connect(self.caught, Qt.ConnectionType.QueuedConnection)
        self._former = (sys.excepthook, threading.excepthook)

    def install(self) -> None:
        """Take over the hooks of Python."""
        self._former = (sys.excepthook, threading.excepthook)
        sys.excepthook = self._on_exception
        threading.excepthook = self._on_thread_exception

    def remove(self) -> None:
        """Restore the hooks."""
        sys.excepthook, threading.excepthook = self._former

    def _on_exception(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None, where: str = "the window"
    ) -> None:
        if issubclass(kind, (KeyboardInterrupt, SystemExit)):
            self._former[0](kind, error, trace)
            return
        _log.critical("Uncaught error in %s", where, exc_info=(kind, error, trace))
        self._happened.emit("".join(traceback.format_exception(kind, error, trace)))

    def _on_thread_exception(self, event: threading.ExceptHookArgs) -> None:
        if event.exc_value is None or issubclass(event.exc_type, SystemExit):
            return
        thread = event.thread.name if event.thread else "a thread"
        self._on_exception(event.exc_type, event.exc_value, event.exc_traceback, where=thread)
