"""Keeps the settings while the window runs: changes reach the file soon, on another thread, and never stop anything."""

from __future__ import annotations

import threading
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.settings.file import SettingsError, read_settings, settings_text, write_settings
from app.settings.schema import Settings
from app.shell.background import Background

SOON_MS = 800  # a slider that is drawn across changes a hundred times
PATIENCE = 1.0  # seconds to wait for a disk that does not answer


class SettingsStore(QObject):
    """Reads the settings when it is made.

    Args:
        path: the file; it need not be there.
        parent: owner in Qt's sense.
    """

    troubled = Signal(object)  # SettingsError: the file cannot be written; told once

    def __init__(self, path: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._path = path
        self.is_first_start = not path.exists()
        stored = read_settings(path)
        self.problem = stored.problem  # what was wrong with the file at the start, for the window to tell
        self._settings, self._unknown = stored.settings, stored.unknown
        self._replaceable = stored.replaceable
        # A file with mistakes is mended at the latest when the window closes, so that they are told only once.
        self._written = "" if stored.problem else settings_text(stored.settings, stored.unknown)
        self._writing = threading.Lock()
        self._told = False
        self._background = Background(self)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SOON_MS)
        self._timer.timeout.connect(lambda: self._background.run(self._write, self._tell))

    @property
    def settings(self) -> Settings:
        """What is to be remembered."""
        return self._settings

    def keep(self, settings: Settings) -> None:
        """Remember these from now on, and write them once nothing has changed for a moment."""
        if settings != self._settings:
            self._settings = settings
            self._timer.start()

    def close(self) -> None:
        """Write what was not written yet; the program ends."""
        self._timer.stop()
        self._background.close()
        self._write()

    def _write(self) -> SettingsError | None:
        if not self._replaceable or not self._writing.acquire(timeout=PATIENCE):
            return None
        try:
            text = settings_text(self._settings, self._unknown)
            if text != self._written:
                write_settings(self._path, text)
                self._written = text
        except SettingsError as error:
            return error
        finally:
            self._writing.release()
        return None

    def _tell(self, error: SettingsError | None) -> None:
        if error is not None and not self._told:
            self._told = True
            self.troubled.emit(error)
