"""The two lists of the side panel: sources and models."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from app.widgets.controls import Picker
from engine.inference.library import ModelEntry
from engine.sources.discovery import Camera
from engine.sources.opening import SAMPLE


class SourceAction(Enum):
    """Entries of the source list that are no sources."""

    OPEN_FILE = "open file"
    OPEN_FOLDER = "open folder"
    LOOK_AGAIN = "look again"


class SourcePicker(Picker):
    """Cameras by name, the sample, the file opened last, and ways to open another."""

    chosen = Signal(str)  # a source as `open_source` takes it
    action_wanted = Signal(SourceAction)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Source"))
        self.setToolTip(self.tr("Where the pictures come from. Files can also be dropped onto the window."))
        self.setPlaceholderText(self.tr("Opening …"))
        self._cameras: list[Camera] | None = None  # None until they were looked for
        self._file: str | None = None
        self._current: str | None = None
        self.activated.connect(self._on_activated)
        self._fill()

    def set_cameras(self, cameras: Sequence[Camera]) -> None:
        """List these cameras."""
        self._cameras = list(cameras)
        self._fill()

    def remember_file(self, path: str) -> None:
        """List a file or folder as the recent one."""
        self._file = path
        self._fill()

    def select(self, source: str | None) -> None:
        """Mark a source; nothing is marked where it is not listed."""
        self._current = source
        self._mark_current()

    def _fill(self) -> None:
        self.clear()
        for camera in self._cameras or ():
            self.addItem(camera.name, camera.name)
            self.setItemData(self.count() - 1, camera.name, Qt.ItemDataRole.ToolTipRole)  # long ones are shortened
        if not self._cameras:
            self.addItem(self.tr("Looking for cameras …") if self._cameras is None else self.tr("No camera found"))
            self.disable(0, self.tr("Plug one in, then choose “Look for cameras again”."))
        self.addItem(self.tr("Sample"), SAMPLE)
        if self._file is not None:
            self.addItem(Path(self._file).name or self._file, self._file)
            self.setItemData(self.count() - 1, self._file, Qt.ItemDataRole.ToolTipRole)
        self.insertSeparator(self.count())
        self.addItem(self.tr("Open file …"), SourceAction.OPEN_FILE)
        self.addItem(self.tr("Open folder …"), SourceAction.OPEN_FOLDER)
        self.addItem(self.tr("Look for cameras again"), SourceAction.LOOK_AGAIN)
        self._mark_current()

    def _mark_current(self) -> None:
        self.setCurrentIndex(-1 if self._current is None else self.findData(self._current))

    def _on_activated(self, row: int) -> None:
        choice = self.itemData(row)
        if isinstance(choice, SourceAction):
            self._mark_current()
            self.action_wanted.emit(choice)
        elif choice is not None:
            self.chosen.emit(choice)


class ModelPicker(Picker):
    """The models of the library; broken ones are listed, but cannot be chosen and say why."""

    chosen = Signal(str)  # name of a model

    def __init__(self, name: str, hint: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setToolTip(hint)
        self._entries: list[ModelEntry] = []
        self._current = ""
        self.activated.connect(self._on_activated)

    def set_entries(self, entries: Sequence[ModelEntry]) -> None:
        """List these models."""
        self._entries = list(entries)
        self._fill()

    def select(self, name: str) -> None:
        """Mark the model at work; one from outside the library is added to the list."""
        self._current = name
        self._fill()

    def _fill(self) -> None:
        self.clear()
        for entry in self._entries:
            self.addItem(entry.name, entry.name)
            if entry.error is not None:
                self.disable(self.count() - 1, str(entry.error))
        if self._current and self.findData(self._current) < 0:
            self.addItem(Path(self._current).stem, self._current)
        self._mark_current()

    def _mark_current(self) -> None:
        self.setCurrentIndex(self.findData(self._current) if self._current else -1)

    def _on_activated(self, row: int) -> None:
        choice = self.itemData(row)
        if choice is not None:
            self.chosen.emit(choice)
