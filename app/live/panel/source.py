"""Where the pictures come from, and the format that a camera is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from pathlib import Path

from PySide6.QtCore import Signal

from app.widgets.controls import Picker, named
from app.widgets.page_parts import Section
from engine.sources.base import CameraFormat
from engine.sources.camera import FORMATS
from engine.sources.discovery import Camera
from engine.sources.opening import SAMPLE

TIMES = "\u00d7"  # between width and height


class SourceAction(Enum):
    """Entries of the source list that are not sources."""

    OPEN_FILE = "open file"
    OPEN_FOLDER = "open folder"
    LOOK_AGAIN = "look again"


class SourcePicker(Picker):
    """Cameras by name, the sample, the file opened last, and ways to open another."""

    chosen = Signal(str)  # a source as `open_source` takes it
    action_wanted = Signal(SourceAction)

    def __init__(self) -> None:
        super().__init__()
        hint = self.tr("Where the pictures come from. Files can also be dropped onto the window.")
        named(self, self.tr("Source"), hint)
        self.setPlaceholderText(self.tr("Opening …"))
        self._cameras: list[Camera] | None = None  # None until they were listed
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
            self.add(camera.name, camera.name, camera.name)  # long ones are shortened
        if not self._cameras:
            words = self.tr("Looking for cameras …") if self._cameras is None else self.tr("No camera found")
            self.add(words, None, self.tr("Plug one in, then choose “Look for cameras again”."), usable=False)
        self.addItem(self.tr("Sample"), SAMPLE)
        if self._file is not None:
            self.add(Path(self._file).name or self._file, self._file, self._file)
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


class SourceSection(Section):
    """The source list and, while a camera plays, the format that it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.heading.setText(self.tr("Source"))
        self.sources = SourcePicker()
        hint = self.tr("What the camera is asked for. It may send something else; the status line shows what came.")
        self.formats = Picker(self.tr("Resolution and rate"), hint)
        for wanted in FORMATS:
            words = self.tr("{0} at {1} a second").format(f"{wanted.width}{TIMES}{wanted.height}", wanted.rate)
            self.formats.addItem(words, wanted)
        self.rows.addWidget(self.sources)
        self.rows.addWidget(self.formats)
        self.show_format(None)

    def show_format(self, wanted: CameraFormat | None) -> None:
        """Show what the camera on screen is asked for; None while no camera plays."""
        self.formats.setVisible(wanted is not None)
        if wanted is not None:
            self.formats.setCurrentIndex(FORMATS.index(wanted))
