"""The models in use, and how two of them are shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QWidget

from app.live.active_source import FIRST, SECOND
from app.live.panel.section import Section
from app.settings.binding import bind, bound_check, bound_slider, follow, tool_tip
from app.settings.store import SettingsStore
from app.settings.words import label_of
from app.shortcuts.shortcuts import Act
from app.widgets.controls import Picker, make_button
from app.widgets.page_parts import side_by_side
from engine.inference.library import ModelEntry
from engine.live.settings import Pace
from engine.render.scene import Layout


class ModelPicker(Picker):
    """The models of the library; broken ones are listed with the reason, but cannot be chosen."""

    chosen = Signal(str)  # name of a model

    def __init__(self, name: str, hint: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setToolTip(hint)
        self._entries: list[ModelEntry] = []
        self._current = ""
        self.activated.connect(lambda row: self.chosen.emit(self.itemData(row)))

    def set_entries(self, entries: Sequence[ModelEntry]) -> None:
        """List these models."""
        self._entries = list(entries)
        self._fill()

    def select(self, name: str) -> None:
        """Mark the model in use; one from outside the library is added to the list."""
        self._current = name
        self._fill()

    def _fill(self) -> None:
        self.clear()
        for entry in self._entries:
            self.addItem(entry.name, entry.name)
            if entry.error is not None:
                self.disable(self.count() - 1, str(entry.error))
        if self._current and self.findData(self._current) < 0:
            self.addItem(Path(self._current).stem, self._current)
        self.setCurrentIndex(self.findData(self._current) if self._current else -1)


class LanesSection(Section):
    """Chooses one model or two, and the way they are compared."""

    model_chosen = Signal(int, str)  # lane, and name of a model
    swap_wanted = Signal()

    def __init__(self, store: SettingsStore) -> None:
        super().__init__()
        self.heading.setText(self.tr("Models"))
        self.first = ModelPicker(self.tr("Model"), self.tr("The network that finds the landmarks"))
        self.second = ModelPicker(self.tr("Second model"), self.tr("The network that the first one is compared with"))
        self.swap = make_button(self.tr("Swap"), self.tr("Exchange both models"), Act.SWAP)
        self.second.setMinimumContentsLength(8)  # it shares its row
        self.layouts = self._make_layouts(store)
        self.locked = bound_check(store, "live.pace", (Pace.LIVE, Pace.LOCKED))
        self.magnification_label = QLabel()
        self.magnification = bound_slider(store, "live.magnification", page=1)
        self._lay_out()
        self.first.chosen.connect(lambda name: self.model_chosen.emit(FIRST, name))
        self.second.chosen.connect(lambda name: self.model_chosen.emit(SECOND, name))
        self.swap.clicked.connect(self.swap_wanted)
        follow(store, "live.layout", self._show_relevant_controls)
        follow(store, "live.magnification", self._show_magnification)

    def set_entries(self, entries: Sequence[ModelEntry]) -> None:
        """List these models in both lanes."""
        for picker in (self.first, self.second):
            picker.set_entries(entries)

    def select(self, lane: int, name: str) -> None:
        """Mark the model in use in a lane."""
        (self.first, self.second)[lane].select(name)

    def _make_layouts(self, store: SettingsStore) -> Picker:
        picker = Picker()
        picker.setAccessibleName(label_of("live.layout"))
        picker.setToolTip(tool_tip("live.layout"))
        for layout, text in (
            (Layout.SINGLE, self.tr("One model")),
            (Layout.SIDE_BY_SIDE, self.tr("Side by side")),
            (Layout.SPLIT, self.tr("Split by a line")),
            (Layout.OVERLAID, self.tr("Overlaid")),
            (Layout.DIFFERENCE, self.tr("Difference")),
        ):
            picker.addItem(text, layout.value)
        bind(store, picker, "live.layout")
        return picker

    def _lay_out(self) -> None:
        pair = side_by_side(self.second, self.swap)
        pair.setStretch(0, 1)
        self.rows.addWidget(self.layouts)
        self.rows.addWidget(self.first)
        self.rows.addLayout(pair)
        for control in (self.locked, self.magnification_label, self.magnification):
            self.rows.addWidget(control)
        self.magnification_label.setProperty("role", "heading")

    def _show_relevant_controls(self, layout: Layout) -> None:
        pair: tuple[QWidget, ...] = (self.second, self.swap, self.locked)
        for control in pair:
            control.setVisible(layout is not Layout.SINGLE)
        for control in (self.magnification_label, self.magnification):
            control.setVisible(layout is Layout.DIFFERENCE)

    def _show_magnification(self, magnification: float) -> None:
        self.magnification_label.setText(self.tr("Arrows \u00d7{0}").format(f"{magnification:g}"))
