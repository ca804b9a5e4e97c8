"""The models in use, and how they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import combinations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from app.settings.binding import bind, bound_check, bound_slider, follow, tool_tip
from app.settings.store import SettingsStore
from app.settings.words import label_of
from app.shortcuts.shortcuts import Act
from app.theme.theme import GAP
from app.widgets.controls import Picker, make_button, make_tool_button
from app.widgets.fold import Fold
from app.widgets.lane_mark import LaneMark
from app.widgets.page_parts import side_by_side
from engine.inference.library import ModelEntry
from engine.inference.runtimes import requested_name
from engine.live.settings import MOST_LANES, Pace
from engine.render.scene import Layout

REMOVE_WIDTH = 30  # logical pixels, of the button that removes a lane


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
            self.addItem(requested_name(current), current)
        self.setCurrentIndex(self.findData(current) if current else -1)


class LaneRow(QWidget):
    """A lane's model: a mark in the lane's colour, the list of models, and a button that takes the lane away.

    Args:
        lane: its number.
        name: of the list.
        hint: what its model does.
    """

    def __init__(self, lane: int, name: str, hint: str) -> None:
        super().__init__()
        self.mark, self.picker = LaneMark(lane), ModelPicker(name, hint)
        self.picker.setMinimumContentsLength(8)  # it shares its row
        self.remove = make_tool_button("\u00d7", self.tr("Remove model {0}").format(lane + 1))
        self.remove.setFixedWidth(REMOVE_WIDTH)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GAP)
        for part in (self.mark, self.picker, self.remove):
            row.addWidget(part)


class PairPicker(Picker):
    """The pairs of lanes that a layout of two can show."""

    def __init__(self, store: SettingsStore) -> None:
        super().__init__(label_of("live.pair"), tool_tip("live.pair"))
        self._store = store
        self.activated.connect(lambda row: store.update("live.pair", self.itemData(row)))
        for path in ("lanes", "live.pair"):
            follow(store, path, lambda _: self._fill())

    def _fill(self) -> None:
        settings = self._store.settings
        models = [requested_name(model) for model in settings.lanes.models]
        self.clear()
        for place, (first, second) in enumerate(combinations(range(len(models)), 2)):
            words = self.tr("{0} and {1}: {2}, {3}").format(first + 1, second + 1, models[first], models[second])
            self.add(words, (first, second), words)
            if (first, second) == settings.session.two:
                self.setCurrentIndex(place)


class LanesSection(Fold):
    """Chooses one to four models, and the way they are compared.

    Attributes:
        rows_of_lanes: of each lane, the first one included.
        pickers: their lists of models.
    """

    chosen = Signal(int, str)  # lane, and the name of a model
    removed = Signal(int)  # lane

    def __init__(self, store: SettingsStore) -> None:
        super().__init__(store, "folded.models")
        self.set_title(self.tr("Models"))
        names = (self.tr("Model"), self.tr("Second model"), self.tr("Third model"), self.tr("Fourth model"))
        hint = self.tr("The network that finds the landmarks")
        further = self.tr("A network that the first one is compared with")
        self.rows_of_lanes = [LaneRow(lane, name, further if lane else hint) for lane, name in enumerate(names)]
        self.pickers = tuple(row.picker for row in self.rows_of_lanes)
        self.first, self.second = self.pickers[:2]
        self.add = make_button(
            self.tr("Add a model"), self.tr("Show one more model on the same picture, up to four"), Act.ADD_MODEL
        )
        self.swap = make_button(self.tr("Swap"), self.tr("Exchange the two models that are compared"), Act.SWAP)
        self.layouts = self._make_layouts(store)
        self.pair = PairPicker(store)
        self.locked = bound_check(store, "live.pace", (Pace.LIVE, Pace.LOCKED))
        self.flip = bound_check(store, "live.flip")
        self._store, self._teachers = store, set[str]()
        self.magnification_label = QLabel()
        self.magnification = bound_slider(store, "live.magnification", page=1)
        self._lay_out()
        self._requested: tuple[str, ...] = ()  # the model that each list was last told was wanted
        for lane, row in enumerate(self.rows_of_lanes):
            row.picker.chosen.connect(partial(self.chosen.emit, lane))
            row.remove.clicked.connect(partial(self.removed.emit, lane))
        for path in ("live.layout", "lanes"):
            follow(store, path, lambda _: self._show_relevant_controls())
        follow(store, "lanes.models", self._show_requested)
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
        self.rows.addWidget(self.layouts)
        self.rows.addWidget(self.pair)
        for row in self.rows_of_lanes:
            self.rows.addWidget(row)
        self.rows.addLayout(side_by_side(self.add, self.swap))
        for control in (self.flip, self.locked, self.magnification_label, self.magnification):
            self.rows.addWidget(control)
        self.magnification_label.setProperty("role", "heading")

    def set_entries(self, entries: Sequence[ModelEntry]) -> None:
        """Let each lane choose among these models."""
        self._teachers = {entry.name for entry in entries if entry.card is not None and entry.card.is_teacher}
        for picker in self.pickers:
            picker.set_entries(entries)
        self._show_relevant_controls()

    def _show_requested(self, models: tuple[str, ...]) -> None:
        """Mark in each lane the model that is wanted there from now on; one that rests gives no result to name it."""
        for lane, model in enumerate(models):
            if self._requested[lane : lane + 1] != (model,):
                self.pickers[lane].select(model)
        self._requested = models

    def _show_relevant_controls(self) -> None:
        layout, models = self._store.settings.live.layout, self._store.settings.lanes.models
        compares, lanes = layout is not Layout.SINGLE, len(models)
        self.flip.setVisible(bool(set(models if compares else models[:1]) & self._teachers))
        for lane, row in enumerate(self.rows_of_lanes):
            row.setVisible(lane < lanes if compares else lane == 0)
            row.mark.setVisible(compares)
            row.remove.setVisible(compares and lanes > 1)
        self.pair.setVisible(layout.shows_two and lanes > 2)
        self.add.setVisible(not compares or lanes < MOST_LANES)
        self.swap.setVisible(compares)
        self.locked.setVisible(compares)
        self.magnification_label.setVisible(layout is Layout.DIFFERENCE)
        self.magnification.setVisible(layout is Layout.DIFFERENCE)

    def _show_magnification(self, magnification: float) -> None:
        self.magnification_label.setText(self.tr("Arrows \u00d7{0}").format(f"{magnification:g}"))
