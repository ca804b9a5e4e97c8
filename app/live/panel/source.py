"""Where the pictures come from, and what a camera is asked for."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.live.panel.pickers import SourcePicker
from app.live.panel.section import Section
from app.widgets.controls import Picker
from engine.sources.base import CameraFormat
from engine.sources.camera import FORMATS

TIMES = "\u00d7"  # between width and height


class SourceSection(Section):
    """The source list and, while a camera plays, what is asked of it."""

    format_chosen = Signal(object)  # CameraFormat

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.heading.setText(self.tr("Source"))
        self.sources = SourcePicker()
        self.formats = Picker()
        self.formats.setAccessibleName(self.tr("Resolution and rate"))
        self.formats.setToolTip(
            self.tr("What the camera is asked for. It may send something else; the status line tells what came.")
        )
        for wanted in FORMATS:
            words = self.tr("{0} at {1} a second").format(f"{wanted.width}{TIMES}{wanted.height}", wanted.rate)
            self.formats.addItem(words, wanted)
        self.rows.addWidget(self.sources)
        self.rows.addWidget(self.formats)
        self.formats.activated.connect(lambda row: self.format_chosen.emit(FORMATS[row]))
        self.show_format(None)

    def show_format(self, wanted: CameraFormat | None) -> None:
        """Show what the camera on screen is asked for; None while no camera plays."""
        self.formats.setVisible(wanted is not None)
        if wanted is not None:
            self.formats.setCurrentIndex(FORMATS.index(wanted))

    def focus_chain(self) -> tuple[QWidget, ...]:
        """Return the controls in the order in which Tab visits them."""
        return (self.sources, self.formats)
