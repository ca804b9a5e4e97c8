"""The side panel: everything that can be set while the picture runs."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.live.panel.filters import FilterSection
from app.live.panel.models import LanesSection
from app.live.panel.output import OutputSection
from app.live.panel.source import SourceSection
from app.live.viewport.signal_bars import SignalBars
from app.settings.binding import bind, bound_check, bound_slider, follow, tool_tip
from app.settings.store import SettingsStore
from app.settings.words import WORDS, label_of
from app.shortcuts.shortcuts import Act
from app.theme.theme import GAP, MARGIN
from app.widgets.controls import make_button
from app.widgets.fold import Fold

WIDTH = 272  # logical pixels
OVERLAY = "live.overlay."  # begins the paths of what is drawn


class ControlPanel(QWidget):
    """The controls: sections that scroll where the window is low, and below them buttons that are always there.

    Args:
        store: holds what they show and change.
    """

    def __init__(self, store: SettingsStore) -> None:
        super().__init__()
        self.source = SourceSection(store)
        self.sources = self.source.sources
        self.lanes = LanesSection(store)
        self.overlays = OverlaySection(store)
        self.filters = FilterSection(store)
        self.signal_bars = SignalBars()
        self.signals_section = Fold(store, "folded.signals")
        self.signals_section.set_title(label_of("signals"), tool_tip("signals"))
        self.outputs = OutputSection(store)
        self.pause = make_button(self.tr("Pause"), self.tr("Pause the picture or resume"), Act.PAUSE, checkable=True)
        self.screenshot = make_button(self.tr("Screenshot"), self.tr("Save the picture as a PNG file"), Act.SCREENSHOT)
        self.full_screen = make_button(
            self.tr("Full screen"), self.tr("Only the picture, on the whole screen; Esc leaves"), Act.FULL_SCREEN
        )
        self.present = make_button(
            self.tr("Present"), self.tr("Full screen with big numbers, for a projector"), Act.PRESENT, checkable=True
        )
        self._ended = False
        self._lay_out()
        bind(store, self.pause, "live.paused")
        bind(store, self.present, "presenter")
        follow(store, "live.paused", lambda _: self._show_pause())
        follow(store, "signals", self.signals_section.setVisible)

    def show_ended(self, ended: bool) -> None:
        """Say on the pause button that it plays a source again that has ended, or what it does while one plays."""
        self._ended = ended
        self._show_pause()

    def _lay_out(self) -> None:
        self.setObjectName("panelArea")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(WIDTH)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(1, 0, 0, 0)  # the line on the left
        whole.setSpacing(0)
        whole.addWidget(self._sections(), 1)
        bar = QFrame()
        bar.setObjectName("panelBar")
        buttons = QGridLayout(bar)
        buttons.setContentsMargins(MARGIN, MARGIN - GAP, MARGIN, MARGIN)
        buttons.setSpacing(GAP)
        for place, button in enumerate((self.pause, self.screenshot, self.full_screen, self.present)):
            buttons.addWidget(button, *divmod(place, 2))
        whole.addWidget(bar)

    def _sections(self) -> QScrollArea:
        content = QWidget()
        content.setObjectName("panel")
        layout = QVBoxLayout(content)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, GAP)
        layout.setSpacing(MARGIN - GAP)
        self.signals_section.rows.addWidget(self.signal_bars)
        for section in (self.source, self.lanes, self.overlays, self.filters, self.signals_section, self.outputs):
            layout.addWidget(section)
        layout.addStretch(1)
        area = QScrollArea()
        area.setWidget(content)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return area

    def _show_pause(self) -> None:
        going_on = self.tr("Resume") if self.pause.isChecked() else self.tr("Pause")
        self.pause.setText(self.tr("Play again") if self._ended else going_on)
        self.pause.setAccessibleName(self.pause.text())


class OverlaySection(Fold):
    """Check boxes for everything on the picture, and the smoothing.

    Attributes:
        boxes: the check boxes by their names in `OverlayOptions`.
        mirrored: the check box of the mirror.
        smoothing: the slider, in percent.
    """

    def __init__(self, store: SettingsStore) -> None:
        super().__init__(store, "folded.overlay")
        self.set_title(self.tr("Overlay"))
        self.boxes = {
            path.removeprefix(OVERLAY): bound_check(store, path) for path in WORDS if path.startswith(OVERLAY)
        }
        self.mirrored = bound_check(store, "live.mirrored")
        self.smoothing_label = QLabel()
        self.smoothing_label.setProperty("role", "heading")
        self.smoothing = bound_slider(store, "live.smoothing", scale=100)
        self._lay_out()
        follow(store, "live.smoothing", self._show_smoothing)

    def offer_truth(self, known: bool) -> None:
        """Let the ground truth be shown only where the source knows it."""
        if known != self.boxes["truth"].isEnabled():
            self.boxes["truth"].setEnabled(known)

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(GAP)
        grid.setVerticalSpacing(0)
        for place, box in enumerate((*self.boxes.values(), self.mirrored)):
            grid.addWidget(box, *divmod(place, 2))
        self.rows.addLayout(grid)
        self.rows.addWidget(self.smoothing_label)
        self.rows.addWidget(self.smoothing)

    def _show_smoothing(self, strength: float) -> None:
        self.smoothing_label.setText(self.tr("Smoothing {0} %").format(round(100 * strength)))
