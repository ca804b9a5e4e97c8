"""What is written and sent live."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.live.outputs import Outputs, Recording
from app.shortcuts.shortcuts import Act
from app.theme.theme import GAP
from app.widgets.controls import CheckBox, Picker, make_check, make_tool_button
from engine.output.streaming.address import EXAMPLES
from engine.sources.discovery import Camera

FORMATS = (".jsonl", ".csv", "")  # the last one is a folder of .pts files


class OutputSection(QWidget):
    """Switches for recording, log and stream, each with its options; folded away until the heading is pressed."""

    def __init__(self, address: str | None = None) -> None:
        super().__init__()
        self.head = make_tool_button(
            self.tr("Record and send"),
            self.tr("Record and send"),
            self.tr("Record the picture, log landmarks, send them to other programs"),
        )
        self.head.setObjectName("fold")
        self.head.setCheckable(True)
        self.head.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.body = QWidget()
        self.rows = QVBoxLayout(self.body)
        layout = QVBoxLayout(self)
        for rows in (self.rows, layout):
            rows.setContentsMargins(0, 0, 0, 0)
            rows.setSpacing(GAP)
        layout.addWidget(self.head)
        layout.addWidget(self.body)
        self.record, self.recordings = self._make_pair(
            make_check(self.tr("Record"), self.tr("Record a video"), Act.RECORD), self.tr("What is recorded")
        )
        for what, text in (
            (Recording.VIEW, self.tr("with overlays")),
            (Recording.FRAMES, self.tr("clean frames")),
            (Recording.BOTH, self.tr("both")),
        ):
            self.recordings.addItem(text, what)
        self.log, self.formats = self._make_pair(
            make_check(self.tr("Log"), self.tr("Write the first model's landmarks of every frame into a file")),
            self.tr("Format of the log"),
        )
        for ending in FORMATS:
            self.formats.addItem(ending.removeprefix(".").upper() or ".pts", ending)
        self.stream = make_check(
            self.tr("Send"), self.tr("Send the first model's landmarks of every frame to another program")
        )
        self.address = QLineEdit(address or EXAMPLES["udp"])
        self.address.setAccessibleName(self.tr("Address of the stream"))
        self.address.setToolTip(self.tr("Where to: {0}").format(", ".join(EXAMPLES.values())))
        self._add_row(self.stream, self.address)
        self.virtual = make_check(
            self.tr("Virtual camera"), self.tr("Show the view as a camera that other programs can choose")
        )
        self.rows.addWidget(self.virtual)
        self.address.returnPressed.connect(lambda: self.stream.setChecked(True))
        self.head.toggled.connect(self._fold)
        self._fold(False)

    def show_state(self, box: CheckBox, is_on: bool) -> None:
        """Set a switch to the actual state, without requesting anything."""
        box.blockSignals(True)
        box.setChecked(is_on)
        box.blockSignals(False)
        partners = {self.record: self.recordings, self.log: self.formats, self.stream: self.address}
        if box in partners:
            partners[box].setEnabled(not is_on)

    def _fold(self, is_open: bool) -> None:
        self.head.setArrowType(Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow)
        self.body.setVisible(is_open)

    def _make_pair(self, box: CheckBox, name: str) -> tuple[CheckBox, Picker]:
        picker = Picker()
        picker.setMinimumContentsLength(8)
        picker.setAccessibleName(name)
        picker.setToolTip(name)
        self._add_row(box, picker)
        return box, picker

    def _add_row(self, box: CheckBox, control: QWidget) -> None:
        row = QHBoxLayout()
        row.setSpacing(GAP)
        row.addWidget(box)
        row.addStretch(1)
        row.addWidget(control, 3)
        self.rows.addLayout(row)


def join_outputs(outputs: Outputs, section: OutputSection, camera: Callable[[], Camera | None]) -> None:
    """Let the switches do what they say and show what is the case; `camera` returns the camera on screen, if any."""
    for changed, box in (
        (outputs.recording_changed, section.record),
        (outputs.log_changed, section.log),
        (outputs.stream_changed, section.stream),
        (outputs.virtual_changed, section.virtual),
    ):
        changed.connect(lambda on, box=box: section.show_state(box, on))
    for box, start, stop in (
        (section.record, lambda: outputs.record(section.recordings.currentData()), outputs.stop_recording),
        (section.log, lambda: outputs.start_log(section.formats.currentData()), outputs.stop_log),
        (section.stream, lambda: outputs.start_stream(section.address.text()), outputs.stop_stream),
        (section.virtual, lambda: outputs.start_virtual_camera(camera()), outputs.stop_virtual_camera),
    ):
        box.toggled.connect(lambda on, start=start, stop=stop: start() if on else stop())
