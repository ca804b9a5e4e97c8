"""The models in use, and how two of them are shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QWidget

from app.settings.binding import bind, bound_check, bound_slider, follow, tool_tip
from app.settings.store import SettingsStore
from app.settings.words import label_of
from app.shortcuts.shortcuts import Act
from app.widgets.controls import Picker, make_button
from app.widgets.page_parts import Section, side_by_side
from engine.inference.library import ModelEntry
from engine.live.settings import Pace
from engine.render.scene import Layout


class ModelPicker(Picker):
    """The models of the library; broken ones are listed with the reason, but cannot be chosen."""

    chosen = Signal(str)  # name of a model

    def __init__(self, name: str, hint: str) -> None:
        super().__init__(name, hint)
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
            name = entry.name if entry.twin is None else f"{entry.name} \u00b7 int8"
            self.add(name, entry.name, str(entry.error or ""), entry.error is None)
        listed = {entry.twin.name: entry.name for entry in self._entries if entry.twin is not None}
        current = listed.get(self._current, self._current)
        if current and self.findData(current) < 0:
            self.addItem(Path(current).stem, current)
        self.setCurrentIndex(self.findData(current) if current else -1)


class LanesSection(Section):
    """Chooses one model or two, and the way they are compared.

    Attributes:
        pickers: of the first and the second lane.
    """

    def __init__(self, store: SettingsStore) -> None:
        super().__init__()
        self.heading.setText(self.tr("Models"))
        self.first = ModelPicker(self.tr("Model"), self.tr("The network that finds the landmarks"))
        self.second = ModelPicker(self.tr("Second model"), self.tr("The network that the first one is compared with"))
        self.pickers = (self.first, self.second)
        self.swap = make_button(self.tr("Swap"), self.tr("Exchange both models"), Act.SWAP)
        self.second.setMinimumContentsLength(8)  # it shares its row
        self.layouts = self._make_layouts(store)
        self.locked = bound_check(store, "live.pace", (Pace.LIVE, Pace.LOCKED))
        self.flip = bound_check(store, "live.flip")
        self._store, self._teachers = store, set[str]()
        self.magnification_label = QLabel()
        self.magnification = bound_slider(store, "live.magnification", page=1)
        self._lay_out()
        for path in ("live.layout", "lanes"):
            follow(store, path, lambda _: self._show_relevant_controls())
        follow(store, "live.magnification", self._show_magnification)

    def _make_layouts(self, store: SettingsStore) -> Picker:
        picker = Picker(label_of("live.layout"), tool_tip("live.layout"))
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
        for control in (self.flip, self.locked, self.magnification_label, self.magnification):
            self.rows.addWidget(control)
        self.magnification_label.setProperty("role", "heading")

    def set_entries(self, entries: Sequence[ModelEntry]) -> None:
        """Let each lane choose among these models."""
        self._teachers = {entry.name for entry in entries if entry.card is not None and entry.card.role == "teacher"}
        for picker in self.pickers:
            picker.set_entries(entries)
        self._show_relevant_controls()

    def _show_relevant_controls(self) -> None:
        layout, lanes = self._store.settings.live.layout, self._store.settings.lanes
        shown = {lanes.first} if layout is Layout.SINGLE else {lanes.first, lanes.second}
        self.flip.setVisible(bool(shown & self._teachers))
        pair: tuple[QWidget, ...] = (self.second, self.swap, self.locked)
        for control in pair:
            control.setVisible(layout is not Layout.SINGLE)
        for control in (self.magnification_label, self.magnification):
            control.setVisible(layout is Layout.DIFFERENCE)

    def _show_magnification(self, magnification: float) -> None:
        self.magnification_label.setText(self.tr("Arrows \u00d7{0}").format(f"{magnification:g}"))
