"""The side panel: everything that can be set while the picture runs."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QVBoxLayout, QWidget

from app.live.panel.filters import FilterSection
from app.live.panel.models import LanesSection
from app.live.panel.output import OutputSection
from app.live.panel.overlays import OverlaySection
from app.live.panel.section import Section
from app.live.panel.source import SourceSection
from app.live.viewport.signal_bars import SignalBars
from app.settings.schema import Settings
from app.shortcuts.shortcuts import Act
from app.theme.theme import GAP, MARGIN
from app.widgets.controls import make_button
from engine.live.settings import LiveSettings

WIDTH = 272  # logical pixels


class ControlPanel(QScrollArea):
    """The controls. `changed` tells that `live_settings` would now return something else.

    Args:
        settings: what to begin with.
    """

    changed = Signal()

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        begin = initial_live_settings(settings)
        self.source = SourceSection()
        self.sources = self.source.sources
        self.lanes = LanesSection(begin)
        self.overlays = OverlaySection(begin)
        self.filters = FilterSection(settings.filter)
        self.signal_bars = SignalBars()
        self.signals_section = Section(self.tr("Signals"))
        self.outputs = OutputSection(settings.stream)
        self.pause = make_button(self.tr("Pause"), self.tr("Hold the picture, or go on"), Act.PAUSE, checkable=True)
        self.screenshot = make_button(self.tr("Screenshot"), self.tr("Save the picture as a PNG file"), Act.SCREENSHOT)
        self.full_screen = make_button(
            self.tr("Full screen"), self.tr("Only the picture, on the whole screen; Esc leaves"), Act.FULL_SCREEN
        )
        self.present = make_button(
            self.tr("Present"), self.tr("Full screen with big numbers, for a projector"), Act.PRESENT, checkable=True
        )
        self._lay_out()
        self._connect()
        self.show_signals(settings.signals)

    def live_settings(self) -> LiveSettings:
        """Return what the controls say."""
        return LiveSettings(
            overlay=self.overlays.options(),
            mirrored=self.overlays.mirrored.isChecked(),
            smoothing=self.overlays.smoothing.value() / 100,
            paused=self.pause.isChecked(),
            layout=self.lanes.layout_choice,
            pace=self.lanes.pace,
            magnification=float(self.lanes.magnification.value()),
        )

    def show_signals(self, shown: bool) -> None:
        """Show the signals of the largest face, or fold them away."""
        self.signals_section.setVisible(shown)

    @property
    def shows_signals(self) -> bool:
        """Whether the signals are shown."""
        return not self.signals_section.isHidden()

    def focus_chain(self) -> Sequence[QWidget]:
        """Return the controls in the order in which Tab visits them."""
        return (
            *self.source.focus_chain(),
            *self.lanes.focus_chain(),
            *self.overlays.all(),
            self.overlays.smoothing,
            self.filters.picker,
            *self.outputs.focus_chain(),
            self.pause,
            self.screenshot,
            self.full_screen,
            self.present,
        )

    def _lay_out(self) -> None:
        content = QWidget()
        content.setObjectName("panel")
        layout = QVBoxLayout(content)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        layout.setSpacing(MARGIN - GAP)
        self.signals_section.rows.addWidget(self.signal_bars)
        for section in (self.source, self.lanes, self.overlays, self.filters, self.signals_section, self.outputs):
            layout.addWidget(section)
        layout.addStretch(1)
        buttons = QGridLayout()
        buttons.setSpacing(GAP)
        for place, button in enumerate((self.pause, self.screenshot, self.full_screen, self.present)):
            buttons.addWidget(button, *divmod(place, 2))
        layout.addLayout(buttons)
        self.setObjectName("panelArea")
        self.setWidget(content)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFixedWidth(WIDTH)

    def _connect(self) -> None:
        for section in (self.lanes, self.overlays, self.filters):
            section.changed.connect(self.changed)
        self.pause.toggled.connect(self._tell_pause)
        self.pause.toggled.connect(self.changed)
        for before, after in zip(self.focus_chain(), self.focus_chain()[1:], strict=False):
            QWidget.setTabOrder(before, after)

    def _tell_pause(self, paused: bool) -> None:
        self.pause.setText(self.tr("Go on") if paused else self.tr("Pause"))
        self.pause.setAccessibleName(self.pause.text())


def initial_live_settings(settings: Settings) -> LiveSettings:
    """Return what was remembered, as a session takes it."""
    lanes = settings.lanes
    return LiveSettings(
        overlay=settings.overlay,
        smoothing=settings.smoothing,
        layout=lanes.layout,
        pace=lanes.pace,
        magnification=lanes.magnification,
    )
