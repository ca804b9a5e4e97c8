"""What is drawn on the picture."""

from __future__ import annotations

from PySide6.QtWidgets import QGridLayout, QLabel

from app.live.panel.section import Section
from app.settings.binding import bound_check, bound_slider, follow
from app.settings.store import SettingsStore
from app.settings.words import WORDS
from app.theme.theme import GAP

COLUMNS = 2
PREFIX = "live.overlay."


class OverlaySection(Section):
    """Check boxes for everything on the picture, and the smoothing.

    Attributes:
        boxes: the check boxes by their names in `OverlayOptions`.
        mirrored: the check box of the mirror.
        smoothing: the slider, in percent.
    """

    def __init__(self, store: SettingsStore) -> None:
        super().__init__()
        self.heading.setText(self.tr("Overlay"))
        self.boxes = {path.removeprefix(PREFIX): bound_check(store, path) for path in WORDS if path.startswith(PREFIX)}
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
            grid.addWidget(box, *divmod(place, COLUMNS))
        self.rows.addLayout(grid)
        self.rows.addWidget(self.smoothing_label)
        self.rows.addWidget(self.smoothing)

    def _show_smoothing(self, strength: float) -> None:
        self.smoothing_label.setText(self.tr("Smoothing {0} %").format(round(100 * strength)))
