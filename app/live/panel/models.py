"""The models at work, and how two of them are shown."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from app.live.active_source import FIRST, SECOND
from app.live.panel.pickers import ModelPicker
from app.live.panel.section import Section
from app.shortcuts.shortcuts import Act, with_key
from app.theme.theme import GAP
from app.widgets.controls import Picker, make_button, make_check, make_slider
from engine.inference.library import ModelEntry
from engine.live.settings import LiveSettings, Pace
from engine.render.scene import Layout

MAGNIFICATIONS = (1, 10)


class LanesSection(Section):
    """Chooses one model or two, and the way they are compared."""

    model_chosen = Signal(int, str)  # lane, and name of a model
    swap_wanted = Signal()
    changed = Signal()  # layout, pace or magnification

    def __init__(self, settings: LiveSettings, parent: QWidget | None = None) -> None:
        super().__init__("", parent)
        self.heading.setText(self.tr("Models"))
        self.first = ModelPicker(self.tr("Model"), self.tr("The network that finds the landmarks"))
        self.second = ModelPicker(self.tr("Second model"), self.tr("The network that the first one is compared with"))
        self.swap = make_button(self.tr("Swap"), self.tr("Exchange both models"), Act.SWAP)
        self.second.setMinimumContentsLength(8)  # it shares its row
        self.layouts = self._make_layouts(settings.layout)
        self.locked = make_check(
            self.tr("Same frame in both"),
            self.tr("Both models look at the same frame, as fast as the slower one; else each goes at its own pace"),
            Act.TIMING,
            settings.pace is Pace.LOCKED,
        )
        self.magnification_label = QLabel()
        self.magnification = make_slider(
            self.tr("Magnification"),
            self.tr("How much longer than true the arrows are drawn"),
            *MAGNIFICATIONS,
            value=round(settings.magnification),
            page=1,
        )
        self._lay_out()
        self._connect()
        self._show_what_counts()

    @property
    def layout_choice(self) -> Layout:
        """How the lanes are shown."""
        return Layout(self.layouts.currentData())

    @property
    def pace(self) -> Pace:
        """How the lanes keep time."""
        return Pace.LOCKED if self.locked.isChecked() else Pace.LIVE

    def set_entries(self, entries: Sequence[ModelEntry]) -> None:
        """List these models in both lanes."""
        for picker in (self.first, self.second):
            picker.set_entries(entries)

    def select(self, lane: int, name: str) -> None:
        """Mark the model at work in a lane."""
        (self.first, self.second)[lane].select(name)

    def choose_layout(self, layout: Layout) -> None:
        """Show the lanes in this way from now on."""
        self.layouts.setCurrentIndex(self.layouts.findData(layout.value))

    def choose_next_layout(self) -> None:
        """Go on to the next way of showing the lanes."""
        self.layouts.setCurrentIndex((self.layouts.currentIndex() + 1) % self.layouts.count())

    def focus_chain(self) -> tuple[QWidget, ...]:
        """Return the controls in the order in which Tab visits them."""
        return (self.layouts, self.first, self.second, self.swap, self.locked, self.magnification)

    def _make_layouts(self, chosen: Layout) -> Picker:
        picker = Picker()
        picker.setAccessibleName(self.tr("Layout"))
        picker.setToolTip(with_key(self.tr("How the models are shown"), Act.LAYOUT))
        for layout, text in (
            (Layout.SINGLE, self.tr("One model")),
            (Layout.SIDE_BY_SIDE, self.tr("Side by side")),
            (Layout.SPLIT, self.tr("Split by a line")),
            (Layout.OVERLAID, self.tr("Overlaid")),
            (Layout.DIFFERENCE, self.tr("Difference")),
        ):
            picker.addItem(text, layout.value)
        picker.setCurrentIndex(picker.findData(chosen.value))
        return picker

    def _lay_out(self) -> None:
        pair = QHBoxLayout()
        pair.setSpacing(GAP)
        pair.addWidget(self.second, 1)
        pair.addWidget(self.swap)
        self.rows.addWidget(self.layouts)
        self.rows.addWidget(self.first)
        self.rows.addLayout(pair)
        for control in (self.locked, self.magnification_label, self.magnification):
            self.rows.addWidget(control)
        self.magnification_label.setProperty("role", "heading")

    def _connect(self) -> None:
        self.first.chosen.connect(lambda name: self.model_chosen.emit(FIRST, name))
        self.second.chosen.connect(lambda name: self.model_chosen.emit(SECOND, name))
        self.swap.clicked.connect(self.swap_wanted)
        self.layouts.currentIndexChanged.connect(self._show_what_counts)
        self.magnification.valueChanged.connect(self._show_what_counts)
        self.layouts.currentIndexChanged.connect(self.changed)
        self.locked.toggled.connect(self.changed)
        self.magnification.valueChanged.connect(self.changed)

    def _show_what_counts(self) -> None:
        layout = self.layout_choice
        pair: tuple[QWidget, ...] = (self.second, self.swap, self.locked)
        for control in pair:
            control.setVisible(layout is not Layout.SINGLE)
        for control in (self.magnification_label, self.magnification):
            control.setVisible(layout is Layout.DIFFERENCE)
        self.magnification_label.setText(self.tr("Arrows \u00d7{0}").format(self.magnification.value()))
