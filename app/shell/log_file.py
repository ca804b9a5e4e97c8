"""The log on disk, for bug reports. Where it cannot be written, messages go to the terminal alone."""

from __future__ import annotations

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

from platformdirs import user_log_path

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
LARGEST = 1_000_000  # bytes of a file, of which there are two

_log = logging.getLogger(__name__)


class _QuietHandler(RotatingFileHandler):
    """Gives up at the first line that cannot be written, instead of reporting each."""

    def handleError(self, record: logging.LogRecord) -> None:
        logging.getLogger().removeHandler(self)
        _log.warning("The log %s cannot be written any more; messages go only to the terminal", self.baseFilename)


def log_path() -> Path:
    """Return where the log is kept: in the user's folder of logs."""
    return user_log_path("understudy", appauthor=False) / "understudy.log"


def start_log(path: Path) -> logging.Handler | None:
    """Write what the program logs into a file too.

    Args:
        path: of the file; missing folders are made. At its largest it becomes `PATH.1`.

    Returns:
        What writes the file; None where it cannot be written, which is logged.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = _QuietHandler(path, maxBytes=LARGEST, backupCount=1, encoding="utf-8")
    except OSError as error:
        _log.warning("There is no log file: %s cannot be written (%s)", path, error.strerror)
        return None
    handler.setLevel(logging.INFO)
    handler.setFormatter(logging.Formatter(FORMAT))
    logging.getLogger().addHandler(handler)
    return handler
