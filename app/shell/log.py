"""For bug reports: the log on disk, and uncaught errors in it, which do not end the window.

Where the log cannot be written, messages go to the terminal alone.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QObject, Qt, Signal

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
LARGEST = 1_000_000  # bytes of a file, of which there are two

_log = logging.getLogger(__name__)


class _QuietHandler(RotatingFileHandler):
    """Gives up at the first line that cannot be written, instead of reporting each."""

    def handleError(self, record: logging.LogRecord) -> None:
        logging.getLogger().removeHandler(self)
        _log.warning("The log %s cannot be written any more; messages go only to the terminal", self.baseFilename)


def start_log(path: Path) -> logging.Handler | None:
    """Write what the program logs into a file too.

    Args:
        path: of the file; missing folders are made. At its largest it becomes `PATH.1`.

    Returns:
        What writes the file; None where it cannot be written, which is logged.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = _QuietHandler(path, maxBytes=LARGEST, backupCount=1, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        _log.warning("There is no log file: %s cannot be written (%s)", path, error.strerror)
        return None
    handler.setLevel(logging.INFO)
    handler.setFormatter(logging.Formatter(FORMAT))
    logging.getLogger().addHandler(handler)
    return handler


class CrashWatch(QObject):
    """Catches uncaught errors on any thread, while it is installed.

    `caught` brings the traceback as text to the GUI thread.
    """

    caught = Signal(str)
    _happened = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._happened.connect(self.caught, Qt.ConnectionType.QueuedConnection)

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
