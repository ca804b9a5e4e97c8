"""What is written and sent live."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from app.live.outputs import Outputs, Recording
from app.settings.store import SettingsStore
from app.shortcuts.shortcuts import Act
from app.widgets.controls import CheckBox, Picker, named
from app.widgets.fold import Fold
from app.widgets.page_parts import side_by_side
from engine.output.streaming.address import EXAMPLES
from engine.sources.discovery import Camera

FORMATS = (".jsonl", ".csv", "")  # the last one is a folder of .pts files


class OutputSection(Fold):
    """Switches for recording, log and stream, each with its options; folded away at first."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__(store, "folded.output")
        self.set_title(
            self.tr("Record and send"),
            self.tr("Record the picture, log landmarks, measure the models, send landmarks to other programs"),
        )
        self.record = CheckBox(self.tr("Record"), self.tr("Record a video, without sound"), Act.RECORD)
        self.recordings = Picker(self.tr("What is recorded"), self.tr("What is recorded"))
        for what, text in (
            (Recording.VIEW, self.tr("with overlays")),
            (Recording.FRAMES, self.tr("clean frames")),
            (Recording.BOTH, self.tr("both")),
        ):
            self.recordings.addItem(text, what)
        self.log = CheckBox(self.tr("Log"), self.tr("Write the landmarks of every model on every frame into a file"))
        self.formats = Picker(self.tr("Format of the log"), self.tr("Format of the log"))
        for ending in FORMATS:
            self.formats.addItem(ending.removeprefix(".").upper() or ".pts", ending)
        self.report = CheckBox(
            self.tr("Report"),
            self.tr("Measure the models; switching it off writes a report of the session"),
            Act.REPORT,
        )
        self.stream = CheckBox(
            self.tr("Send"), self.tr("Send the first model's landmarks of every frame to another program")
        )
        where = self.tr("Where to: {0}").format(", ".join(EXAMPLES.values()))
        self.address = named(
            QLineEdit(store.settings.stream or EXAMPLES["udp"]), self.tr("Address of the stream"), where
        )
        self.virtual = CheckBox(
            self.tr("Virtual camera"), self.tr("Show the view as a camera that other programs can choose")
        )
        for picker in (self.recordings, self.formats):
            picker.setMinimumContentsLength(8)
        self._partners = {self.record: self.recordings, self.log: self.formats, self.stream: self.address}
        for box, control in self._partners.items():
            self.rows.addLayout(_row(box, control))
        self.rows.addWidget(self.report)
        self.rows.addWidget(self.virtual)
        self.address.returnPressed.connect(lambda: self.stream.setChecked(True))

    def show_state(self, box: CheckBox, is_on: bool) -> None:
        """Set a switch to the actual state, without requesting anything."""
        box.blockSignals(True)
        box.setChecked(is_on)
        box.blockSignals(False)
        if box in self._partners:
            self._partners[box].setEnabled(not is_on)


def _row(box: CheckBox, control: QWidget) -> QHBoxLayout:
    row = side_by_side(box, control)
    row.insertStretch(1, 1)
    row.setStretch(2, 3)
    return row


def join_outputs(outputs: Outputs, section: OutputSection, camera: Callable[[], Camera | None]) -> None:
    """Let the switches do what they say and show what is the case; `camera` returns the camera on screen, if any."""
    for changed, box in (
        (outputs.recording_changed, section.record),
        (outputs.log_changed, section.log),
        (outputs.report_changed, section.report),
        (outputs.stream_changed, section.stream),
        (outputs.virtual_changed, section.virtual),
    ):
        changed.connect(lambda on, box=box: section.show_state(box, on))
    for box, start, stop in (
        (section.record, lambda: outputs.record(section.recordings.currentData()), outputs.stop_recording),
        (section.log, lambda: outputs.start_log(section.formats.currentData()), outputs.stop_log),
        (section.report, outputs.start_report, outputs.stop_report),
        (section.stream, lambda: outputs.start_stream(section.address.text()), outputs.stop_stream),
        (section.virtual, lambda: outputs.start_virtual_camera(camera()), outputs.stop_virtual_camera),
    ):
        box.toggled.connect(lambda on, start=start, stop=stop: start() if on else stop())
