"""The side panel: everything that can be set while the picture runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QPushButton,
    QScrollArea,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from app.pickers import ModelPicker, SourcePicker
from app.theme import GAP, MARGIN
from app.widgets import CheckBox
from engine.live_settings import LiveSettings
from engine.scene import OverlayOptions

WIDTH = 250  # logical pixels


@dataclass(frozen=True)
class OverlayToggles:
    """One check box for each overlay, in the order of their number keys."""

    points: CheckBox
    contours: CheckBox
    box: CheckBox
    numbers: CheckBox
    truth: CheckBox

    def all(self) -> tuple[CheckBox, ...]:
        """Return the boxes from top to bottom."""
        return (self.points, self.contours, self.box, self.numbers, self.truth)


class ControlPanel(QScrollArea):
    """The controls. `changed` tells that `live_settings` would now return something else."""

    changed = Signal()

    def __init__(self, settings: LiveSettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sources, self.models = SourcePicker(), ModelPicker()
        self.overlays = self._make_overlays(settings.overlay)
        self.smoothing_label, self.smoothing = QLabel(), self._make_slider(settings.smoothing)
        self.mirrored = self._make_check(
            self.tr("Mirrored view"), "M", self.tr("Show the picture as a mirror does; saved data stay as they are")
        )
        self.mirrored.setChecked(settings.mirrored)
        self.pause = self._make_button(self.tr("Pause"), self.tr("Hold the picture, or go on (Space)"))
        self.pause.setCheckable(True)
        self.screenshot = self._make_button(self.tr("Screenshot"), self.tr("Save the picture as a PNG file (S)"))
        self.full_screen = self._make_button(
            self.tr("Full screen"), self.tr("Only the picture, on the whole screen (F; Esc leaves)")
        )
        self._lay_out()
        self._connect()
        self._tell_smoothing()

    def live_settings(self) -> LiveSettings:
        """Return what the controls say."""
        overlay = OverlayOptions(
            points=self.overlays.points.isChecked(),
            contours=self.overlays.contours.isChecked(),
            box=self.overlays.box.isChecked(),
            numbers=self.overlays.numbers.isChecked(),
            truth=self.overlays.truth.isChecked(),
        )
        return LiveSettings(
            overlay=overlay,
            mirrored=self.mirrored.isChecked(),
            smoothing=self.smoothing.value() / 100,
            paused=self.pause.isChecked(),
        )

    def offer_truth(self, known: bool) -> None:
        """Let the ground truth be shown only where the source knows it."""
        if known != self.overlays.truth.isEnabled():
            self.overlays.truth.setEnabled(known)

    def focus_chain(self) -> Sequence[QWidget]:
        """Return the controls in the order in which Tab visits them."""
        return (
            self.sources,
            self.models,
            *self.overlays.all(),
            self.smoothing,
            self.mirrored,
            self.pause,
            self.screenshot,
            self.full_screen,
        )

    def _make_overlays(self, options: OverlayOptions) -> OverlayToggles:
        texts = (
            (self.tr("Points"), self.tr("Show every landmark"), options.points),
            (self.tr("Contours"), self.tr("Join the landmarks to jaw, brows, nose, eyes and lips"), options.contours),
            (self.tr("Face box"), self.tr("Show a box around each face"), options.box),
            (self.tr("Numbers"), self.tr("Show speed, time per stage and accuracy"), options.numbers),
            (
                self.tr("Ground truth"),
                self.tr("Show where the landmarks really are; only the sample and labelled data know"),
                options.truth,
            ),
        )
        boxes = []
        for key, (text, hint, checked) in enumerate(texts, 1):
            box = self._make_check(text, str(key), hint)
            box.setChecked(checked)
            boxes.append(box)
        return OverlayToggles(*boxes)

    def _make_check(self, text: str, key: str, hint: str) -> CheckBox:
        box = CheckBox(text)
        box.setShortcut(key)
        box.setToolTip(f"{hint} ({key})")
        return box

    def _make_slider(self, smoothing: float) -> QSlider:
        slider = QSlider(Qt.Orientation.Horizontal)
        slider.setRange(0, 100)
        slider.setPageStep(10)
        slider.setValue(round(smoothing * 100))
        slider.setAccessibleName(self.tr("Smoothing"))
        slider.setToolTip(self.tr("More smoothing: calmer landmarks; less: quicker ones"))
        slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return slider

    def _make_button(self, text: str, hint: str) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(hint)
        button.setAccessibleName(text)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _lay_out(self) -> None:
        content = QWidget()
        content.setObjectName("panel")
        layout = QVBoxLayout(content)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        layout.setSpacing(0)
        self._add_group(layout, QLabel(self.tr("Source")), self.sources)
        self._add_group(layout, QLabel(self.tr("Model")), self.models)
        self._add_group(layout, QLabel(self.tr("Overlay")), *self.overlays.all())
        self._add_group(layout, self.smoothing_label, self.smoothing)
        self._add_group(layout, QLabel(self.tr("View")), self.mirrored)
        layout.addSpacing(GAP)
        layout.addStretch(1)
        for button in (self.pause, self.screenshot, self.full_screen):
            layout.addSpacing(GAP)
            layout.addWidget(button)
        self.setObjectName("panelArea")
        self.setWidget(content)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFixedWidth(WIDTH)

    def _add_group(self, layout: QVBoxLayout, heading: QLabel, *controls: QWidget) -> None:
        if layout.count():
            layout.addSpacing(MARGIN - GAP)
        heading.setProperty("role", "heading")
        layout.addWidget(heading)
        layout.addSpacing(GAP)
        for control in controls:
            layout.addWidget(control)

    def _connect(self) -> None:
        for box in (*self.overlays.all(), self.mirrored):
            box.toggled.connect(self.changed)
        self.smoothing.valueChanged.connect(self._tell_smoothing)
        self.smoothing.valueChanged.connect(self.changed)
        self.pause.toggled.connect(self._tell_pause)
        self.pause.toggled.connect(self.changed)
        for before, after in zip(self.focus_chain(), self.focus_chain()[1:], strict=False):
            QWidget.setTabOrder(before, after)

    def _tell_smoothing(self) -> None:
        self.smoothing_label.setText(self.tr("Smoothing {0} %").format(self.smoothing.value()))

    def _tell_pause(self, paused: bool) -> None:
        self.pause.setText(self.tr("Go on") if paused else self.tr("Pause"))
        self.pause.setAccessibleName(self.pause.text())
