"""Where the pictures come from, the format that a camera is asked for, and how its pictures are turned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import Enum
from pathlib import Path

from PySide6.QtCore import Signal

from app.settings.store import SettingsStore
from app.widgets.controls import Picker, named
from app.widgets.fold import Fold
from engine.core.addresses import is_address, redacted
from engine.sources.base import TURNS, CameraFormat
from engine.sources.camera import DEFAULT_FORMAT, FORMATS
from engine.sources.discovery import Camera
from engine.sources.opening import SAMPLE

TIMES = "\u00d7"  # between width and height


class SourceAction(Enum):
    """Entries of the source list that are not sources."""

    OPEN_FILE = "open file"
    OPEN_FOLDER = "open folder"
    OPEN_ADDRESS = "open address"
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

    def remember(self, path: str) -> None:
        """List a file, a folder or an address as the recent one."""
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
            shown = redacted(self._file)
            self.add(shown if is_address(shown) else Path(shown).name or shown, self._file, shown)
        self.insertSeparator(self.count())
        self.addItem(self.tr("Open file …"), SourceAction.OPEN_FILE)
        self.addItem(self.tr("Open folder …"), SourceAction.OPEN_FOLDER)
        self.addItem(self.tr("Open camera in the network …"), SourceAction.OPEN_ADDRESS)
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


class SourceSection(Fold):
    """The source list and, while a camera plays, what it is asked for and how it is turned."""

    format_wanted = Signal(object)  # CameraFormat that the user chose for the camera on screen

    def __init__(self, store: SettingsStore) -> None:
        super().__init__(store, "folded.source")
        self.set_title(self.tr("Source"))
        self._shown = DEFAULT_FORMAT
        self.sources = SourcePicker()
        hint = self.tr("What the camera is asked for. It may send something else; the status line shows what came.")
        self.formats = Picker(self.tr("Resolution and rate"), hint)
        for wanted in FORMATS:
            words = self.tr("{0}, {1} fps").format(f"{wanted.width}{TIMES}{wanted.height}", wanted.rate)
            self.formats.addItem(words, wanted)
        hint = self.tr("Turn the pictures of a camera that is mounted on its side; remembered for this camera.")
        self.turns = Picker(self.tr("Turned"), hint)
        for turn in TURNS:
            words = self.tr("Turned by {0}°, clockwise").format(turn) if turn else self.tr("Not turned")
            self.turns.addItem(words, turn)
        for picker in (self.sources, self.formats, self.turns):
            self.rows.addWidget(picker)
        self.formats.activated.connect(lambda row: self._choose(self.formats.itemData(row), self._shown.turn))
        self.turns.activated.connect(lambda row: self._choose(self._shown, self.turns.itemData(row)))
        self.show_format(None)

    def show_format(self, wanted: CameraFormat | None, in_network: bool = False) -> None:
        """Show what the camera on screen is asked for, None while none plays; one in the network can only be turned."""
        self.formats.setVisible(wanted is not None and not in_network)
        self.turns.setVisible(wanted is not None)
        if wanted is not None:
            self._shown = wanted
            self.formats.setCurrentIndex(_SIZES.index(_size(wanted)) if _size(wanted) in _SIZES else -1)
            self.turns.setCurrentIndex(TURNS.index(wanted.turn))

    def _choose(self, size: CameraFormat, turn: int) -> None:
        width, height, rate = _size(size)
        self._shown = replace(self._shown, width=width, height=height, rate=rate, turn=turn)
        self.format_wanted.emit(self._shown)


def _size(wanted: CameraFormat) -> tuple[int, int, int]:
    return wanted.width, wanted.height, wanted.rate


_SIZES = [_size(wanted) for wanted in FORMATS]
