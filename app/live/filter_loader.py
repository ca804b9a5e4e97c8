"""Loads the chosen AR filter off the GUI thread, and reports mistakes in its folder."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.shell.background import Background, Bridge
from engine.filters.library import is_own
from engine.filters.painter import Filter
from engine.filters.stage import FilterStage


class FilterLoader(QObject):
    """Owns one filter at a time. Lives on the GUI thread."""

    changed = Signal(object)  # Filter: another version of the filter; None for no filter
    failed = Signal(object)  # FilterError: the newest version cannot be used
    recovered = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._wanted: Path | None = None
        self._stage: FilterStage | None = None
        self._version: Filter | None = None
        self._reported = ""
        self._background = Background(self)
        self._bridge = Bridge(self)
        self._bridge.changed.connect(self._report_changes)

    def use(self, folder: Path | None) -> None:
        """Load the filter of a folder, or none."""
        if folder == self._wanted:
            return
        self._wanted = folder
        self._drop()
        if folder is None:
            self._version = None
            self.changed.emit(None)
            return
        # A hook is a program: only one that the user put into the folder of filters may run.
        hooks = is_own(folder)
        notify = self._bridge.notify
        self._background.run(lambda: FilterStage(folder, hooks=hooks, notify=notify), self._take)

    def close(self) -> None:
        """Unload the filter and stop watching its folder."""
        self._bridge.close()
        self._wanted = None
        self._drop()

    def _take(self, stage: FilterStage) -> None:
        if stage.folder != self._wanted or self._stage is not None:  # another one was chosen meanwhile
            self._background.run(stage.close)
            return
        self._stage = stage
        self._report_changes()

    def _report_changes(self) -> None:
        """Report a new version, and each mistake once, and when it is fixed."""
        if self._stage is not None and self._stage.version is not self._version:
            self._version = self._stage.version
            self.changed.emit(self._version)
        error = None if self._stage is None else self._stage.error
        words = "" if error is None else str(error)
        if words == self._reported:
            return
        self._reported = words
        if error is None:
            self.recovered.emit()
        else:
            self.failed.emit(error)

    def _drop(self) -> None:
        stage, self._stage, self._reported = self._stage, None, ""
        if stage is not None:
            self._background.run(stage.close)
