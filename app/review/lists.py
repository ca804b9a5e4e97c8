"""The lists of the page Review: the lanes, and frames to jump to."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QCheckBox, QLabel, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.theme.theme import GAP, colours
from app.widgets.controls import CheckBox, named
from app.widgets.lane_mark import LaneMark
from app.widgets.page_parts import make_words, side_by_side, stack

ROW = 24  # logical pixels, of a list
NUMBER = Qt.ItemDataRole.UserRole  # of a list's row: the place of its frame


class LaneRows(QWidget):
    """A row for each lane: a switch in its colour with the name of its model, and its values on this frame."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._boxes: list[QCheckBox] = []
        self._values: list[QLabel] = []
        self._parts: list[QWidget] = []
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(GAP)

    @property
    def shown(self) -> list[int]:
        """The lanes that are switched on."""
        return [lane for lane, box in enumerate(self._boxes) if box.isChecked()]

    def show_lanes(self, models: Sequence[str]) -> None:
        """Show these lanes, all switched on."""
        for part in self._parts:
            self._rows.removeWidget(part)
            part.deleteLater()
        self._boxes, self._values, self._parts = [], [], []
        for lane, model in enumerate(models):
            box = CheckBox(model, self.tr("Show the landmarks and curves of this model"))
            box.setChecked(True)
            values = make_words(quiet=True)
            values.setAccessibleName(self.tr("Values of {0}").format(model))
            row = side_by_side(LaneMark(lane), box)
            row.setStretch(1, 1)
            whole = stack(row, values, spacing=0)
            self._rows.addWidget(whole)
            self._parts.append(whole)
            self._boxes.append(box)
            self._values.append(values)
            box.toggled.connect(lambda _: self.changed.emit())

    def show_values(self, texts: Sequence[str]) -> None:
        """Show the values of each lane."""
        for values, text in zip(self._values, texts, strict=True):
            values.setText(text)


class FrameList(QListWidget):
    """Frames to jump to: by a click, or by the arrow keys."""

    chosen = Signal(int)  # place of a frame
    edited = Signal(int)  # row that was double-clicked or on which Enter was pressed

    def __init__(self, name: str, empty: str = "") -> None:
        super().__init__()
        self._empty = empty  # words while there is no row
        named(self, name, empty or name)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.currentItemChanged.connect(self._on_current)
        self.itemClicked.connect(self._on_current)
        self.itemActivated.connect(lambda item: self.edited.emit(self.row(item)))

    def show_rows(self, rows: Sequence[tuple[int, str]]) -> None:
        """Show rows: the place of each frame, and words."""
        self.blockSignals(True)
        self.clear()
        for place, words in rows:
            item = QListWidgetItem(words)
            item.setData(NUMBER, place)
            item.setSizeHint(QSize(0, ROW))
            self.addItem(item)
        self.blockSignals(False)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.count():
            painter = QPainter(self.viewport())
            painter.setPen(QColor(colours().muted))
            room = self.viewport().rect().adjusted(GAP, GAP, -GAP, -GAP)
            painter.drawText(room, Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap, self._empty)

    def _on_current(self, item: QListWidgetItem | None, _: object = None) -> None:
        if item is not None:
            self.chosen.emit(item.data(NUMBER))
