"""Holds the settings while the window runs: changes are written to the file soon, on another thread."""

from __future__ import annotations

import threading
from enum import Enum
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from app.settings.file import SettingsError, read_settings, settings_text, write_settings
from app.settings.schema import LaneSettings, Settings, paths_by_key, value_at, with_value
from app.shell.background import Background
from engine.render.scene import Layout
from engine.sources.opening import SAMPLE

SOON_MS = 800  # a slider that is dragged changes a hundred times
PATIENCE = 1.0  # seconds to wait for a disk that does not answer
# In a start after a crash: no camera, no model but a shipped one, no filter.
SAFE = {"source": SAMPLE, "lanes": LaneSettings(), "live.layout": Layout.SINGLE, "filter": None}


class SettingsStore(QObject):
    """The only holder of the settings. Reads the file when it is made; lives on the GUI thread.

    Controls are bound to it, see `app.settings.binding`; everything else reads it, or connects to `changed`.

    Args:
        path: the file; it need not be there.

    Attributes:
        settings: the current settings. May be read on any thread; only `update` and `toggle` change them.
        is_first_start: whether there was no file.
        problem: what was wrong with the file at the start, for the window to report.
    """

    changed = Signal(str)  # path of the setting that has changed
    failed = Signal(object)  # SettingsError: the file cannot be written; emitted once

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self.is_first_start = not path.exists()
        stored = read_settings(path)
        self.problem = stored.problem
        self.settings, self._unknown = stored.settings, stored.unknown
        self._replaceable = stored.replaceable
        self._held_back: dict[str, object] = {}
        # A file with mistakes is repaired at the latest when the window closes, so that they are reported only once.
        self._is_wrong = stored.problem is not None
        self._saved = stored.settings
        self._writing = threading.Lock()
        self._reported = self._closed = False
        self._background = Background(self)
        self._timer = QTimer(self, singleShot=True, interval=SOON_MS)
        self._timer.timeout.connect(lambda: self._background.run(self._write, self._report))

    def update(self, path: str, value: object) -> None:
        """Change the setting at a path, and write the file once nothing has changed for a moment.

        Args:
            path: of a single setting or of a record of them, such as `live.overlay.points` or `window`.
            value: of the setting's type.

        Raises:
            AttributeError: there is no such setting.
        """
        if value == value_at(self.settings, path):
            return
        self.settings = with_value(self.settings, path, value)
        if not self._closed:
            self._timer.start()
        self.changed.emit(path)

    def toggle(self, path: str) -> None:
        """Toggle a switch, or go on to the next value of an enum, and after the last one to the first."""
        value = value_at(self.settings, path)
        if isinstance(value, Enum):
            every = list(type(value))
            self.update(path, every[(every.index(value) + 1) % len(every)])
        else:
            self.update(path, not value)

    def start_safely(self) -> None:
        """Use the settings of `SAFE`; the file keeps the user's, except where another choice is made from now on."""
        for path, value in SAFE.items():
            self._held_back[path] = value_at(self.settings, path)
            self.settings = with_value(self.settings, path, value)

    def close(self) -> None:
        """Write what was not written yet; the program ends."""
        self._closed = True
        self._timer.stop()
        self._background.close()
        self._write()

    def _write(self) -> SettingsError | None:
        if not self._replaceable or not self._writing.acquire(timeout=PATIENCE):
            return None
        try:
            settings = self.settings
            for path, value in self._held_back.items():
                if value_at(settings, path) == SAFE[path]:
                    settings = with_value(settings, path, value)
            if self._is_wrong or settings != self._saved:
                write_settings(self._path, self._text(settings))
                self._is_wrong, self._saved = False, settings
        except SettingsError as error:
            return error
        finally:
            self._writing.release()
        return None

    def _text(self, settings: Settings) -> str:
        """Return what to write: the file as another window left it, with what was changed in this one."""
        stored = read_settings(self._path)
        if self._is_wrong or stored.problem is not None or not self._path.exists():
            return settings_text(settings, self._unknown)
        merged = stored.settings
        for path in paths_by_key().values():
            value = value_at(settings, path)
            if value != value_at(self._saved, path):
                merged = with_value(merged, path, value)
        return settings_text(merged, stored.unknown)

    def _report(self, error: SettingsError | None) -> None:
        if error is not None and not self._reported:
            self._reported = True
            self.failed.emit(error)
