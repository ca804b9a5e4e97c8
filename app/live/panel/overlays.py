"""What is drawn on the picture."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from app.live.panel.section import Section
from app.shortcuts.shortcuts import Act
from app.theme.theme import GAP
from app.widgets.controls import CheckBox, make_check, make_slider
from engine.live.settings import LiveSettings
from engine.render.scene import OverlayOptions

COLUMNS = 2


class OverlaySection(Section):
    """Check boxes for everything on the picture, and the smoothing."""

    changed = Signal()

    def __init__(self, settings: LiveSettings, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.heading.setText(self.tr("Overlay"))
        options, make = settings.overlay, make_check
        self.points = make(self.tr("Points"), self.tr("Show every landmark"), Act.POINTS, options.points)
        self.contours = make(
            self.tr("Contours"),
            self.tr("Join the landmarks to jaw, brows, nose, eyes and lips"),
            Act.CONTOURS,
            options.contours,
        )
        self.box = make(self.tr("Face box"), self.tr("Show a box around each face"), Act.BOX, options.box)
        self.numbers = make(
            self.tr("Numbers"), self.tr("Show speed, time per stage and accuracy"), Act.NUMBERS, options.numbers
        )
        self.truth = make(
            self.tr("Ground truth"),
            self.tr("Show where the landmarks really are; only the sample and labelled data know"),
            Act.TRUTH,
            options.truth,
        )
        self.pose = make(self.tr("Head pose"), self.tr("Show the axes of each head"), Act.POSE, options.pose)
        self.mirrored = make(
            self.tr("Mirrored"),
            self.tr("Show the picture as a mirror does; landmarks and clean recordings stay as they are"),
            Act.MIRROR,
            settings.mirrored,
        )
        self.smoothing_label = QLabel()
        self.smoothing_label.setProperty("role", "heading")
        self.smoothing = make_slider(
            self.tr("Smoothing"),
            self.tr("More smoothing: calmer landmarks; less: quicker ones"),
            0,
            100,
            round(settings.smoothing * 100),
        )
        self._lay_out()
        self.smoothing.valueChanged.connect(self._tell_smoothing)
        for box in self.all():
            box.toggled.connect(self.changed)
        self.smoothing.valueChanged.connect(self.changed)
        self._tell_smoothing()

    def all(self) -> tuple[CheckBox, ...]:
        """Return the boxes in the order of their number keys, the mirror last."""
        return (self.points, self.contours, self.box, self.numbers, self.truth, self.pose, self.mirrored)

    def options(self) -> OverlayOptions:
        """Return what the boxes say."""
        return OverlayOptions(
            points=self.points.isChecked(),
            contours=self.contours.isChecked(),
            box=self.box.isChecked(),
            numbers=self.numbers.isChecked(),
            truth=self.truth.isChecked(),
            pose=self.pose.isChecked(),
        )

    def offer_truth(self, known: bool) -> None:
        """Let the ground truth be shown only where the source knows it."""
        if known != self.truth.isEnabled():
            self.truth.setEnabled(known)

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(GAP)
        grid.setVerticalSpacing(0)
        for place, box in enumerate(self.all()):
            grid.addWidget(box, *divmod(place, COLUMNS))
        self.rows.addLayout(grid)
        self.rows.addWidget(self.smoothing_label)
        self.rows.addWidget(self.smoothing)

    def _tell_smoothing(self) -> None:
        self.smoothing_label.setText(self.tr("Smoothing {0} %").format(self.smoothing.value()))
