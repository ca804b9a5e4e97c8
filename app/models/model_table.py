"""The models in a table that is sorted by any of its columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QIcon, QKeyEvent, QPainter, QPixmap
from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem

from app.models.facts import MEGABYTE, NONE, role_of
from app.models.reference import Reference
from app.theme.theme import colours, lane_colour
from app.widgets.controls import named
from engine.batch.benchmark import Speed
from engine.inference.library import ModelEntry

NAME, ROLE, POINTS, SIZE, ERROR, SPEED = range(6)
PLACE = Qt.ItemDataRole.UserRole  # in the first column: the place of the model among those that were given
KEY = Qt.ItemDataRole.UserRole + 1  # of any column: what it is sorted by
LEAST_WIDTH, LEAST_HEIGHT = 640, 130  # logical pixels: names beside numbers and a scroll bar; three rows
DOT = 9  # logical pixels, of the mark of a lane


@dataclass(frozen=True)
class Row:
    """A model of the table: its entry, its speed here if it was measured, and the numbers of its lanes."""

    entry: ModelEntry
    speed: Speed | None
    lanes: tuple[int, ...]


class ModelTable(QTreeWidget):
    """One model a row; a click on a heading sorts, and so do the arrow keys left and right, and Return."""

    def __init__(self) -> None:
        super().__init__()
        hint = self.tr(
            "The models on this machine. A click on a heading sorts by it; so do the keys Left and Right, and Return "
            "turns the order round."
        )
        named(self, self.tr("Models"), hint)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setAllColumnsShowFocus(True)
        self.setTabKeyNavigation(False)
        self.setSortingEnabled(True)
        self.setMinimumSize(LEAST_WIDTH, LEAST_HEIGHT)
        self.show_reference(None)
        self.sortByColumn(NAME, Qt.SortOrder.AscendingOrder)
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)

    def show_reference(self, reference: Reference | None) -> None:
        """Show at a heading on which faces errors were measured; None for none."""
        labels = (
            self.tr("Model"),
            self.tr("Role"),
            self.tr("Points"),
            self.tr("File, MB"),
            self.tr("NME %"),
            self.tr("ms here"),
        )
        self.setHeaderLabels(labels)
        for column in (POINTS, SIZE, ERROR, SPEED):
            self.headerItem().setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        on = (
            ""
            if reference is None
            else self.tr("Mean error on {0}, in percent of the eye distance").format(reference.words)
        )
        self.headerItem().setToolTip(ERROR, on)
        self.headerItem().setToolTip(SPEED, self.tr("Milliseconds a face on this machine, one thread, median"))

    def show_rows(self, rows: Sequence[Row], reference: Reference | None, chosen: int | None) -> None:
        """Replace all rows and choose one by its place among `rows`, without any signal."""
        self.blockSignals(True)
        self.show_reference(reference)
        self.clear()
        most = max((len(row.lanes) for row in rows), default=0)  # so that names stand below one another
        self.setIconSize(QSize(max(1, most) * DOT, DOT))
        self.addTopLevelItems([_item(place, row, reference, self._marks(row)) for place, row in enumerate(rows)])
        for item in self._items():
            if item.data(NAME, PLACE) == chosen:
                self.setCurrentItem(item)
        self.blockSignals(False)

    @property
    def chosen(self) -> int | None:
        """Place of the chosen model among the rows that were given; None without any."""
        item = self.currentItem()
        return None if item is None else int(item.data(NAME, PLACE))

    def choose(self, place: int) -> None:
        """Choose a model by its place among the rows that were given."""
        self.setCurrentItem(next(item for item in self._items() if item.data(NAME, PLACE) == place))

    def texts(self) -> list[tuple[str, ...]]:
        """Return what stands in each row, from top to bottom."""
        return [tuple(item.text(column) for column in range(self.columnCount())) for item in self._items()]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        column, order = self.sortColumn(), self.header().sortIndicatorOrder()
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if step is not None:
            self.sortByColumn((column + step) % self.columnCount(), order)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            reverse = order is Qt.SortOrder.AscendingOrder
            self.sortByColumn(column, Qt.SortOrder.DescendingOrder if reverse else Qt.SortOrder.AscendingOrder)
        else:
            super().keyPressEvent(event)

    def _marks(self, row: Row) -> QIcon:
        """Return a dot for each lane of a model, in its colour, also on the row that is chosen."""
        picture = QPixmap(self.iconSize() * self.devicePixelRatioF())
        picture.setDevicePixelRatio(self.devicePixelRatioF())
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QColor(colours().field))
        for place, lane in enumerate(row.lanes):
            painter.setBrush(QColor(lane_colour(lane)))
            painter.drawEllipse(place * DOT, 0, DOT - 1, DOT - 1)
        painter.end()
        icon = QIcon(picture)
        icon.addPixmap(picture, QIcon.Mode.Selected)
        return icon

    def _items(self) -> list[_Item]:
        found = (self.topLevelItem(number) for number in range(self.topLevelItemCount()))
        return [item for item in found if isinstance(item, _Item)]


class _Item(QTreeWidgetItem):
    """A row that is sorted by numbers, those that are not known last."""

    def __lt__(self, other: QTreeWidgetItem) -> bool:
        column = self.treeWidget().sortColumn()
        mine, theirs = self.data(column, KEY), other.data(column, KEY)
        if isinstance(mine, float) and isinstance(theirs, float) and math.isinf(mine) != math.isinf(theirs):
            descending = self.treeWidget().header().sortIndicatorOrder() is Qt.SortOrder.DescendingOrder
            return math.isinf(mine) is descending
        return bool(mine < theirs)


def _item(place: int, row: Row, reference: Reference | None, marks: QIcon) -> _Item:
    entry, card = row.entry, row.entry.card
    error = None if reference is None or card is None else reference.error_of(card)
    speed = None if row.speed is None else row.speed.p50
    points = None if card is None else float(card.scheme)
    size = None if card is None else card.bytes / MEGABYTE
    item = _Item()
    for column, words in ((NAME, entry.name), (ROLE, role_of(entry))):
        item.setText(column, words)
        item.setData(column, KEY, words.casefold())
    for column, number, digits in ((POINTS, points, 0), (SIZE, size, 2), (ERROR, error, 2), (SPEED, speed, 2)):
        item.setText(column, NONE if number is None else f"{number:.{digits}f}")
        item.setData(column, KEY, math.inf if number is None else number)
        item.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    item.setData(NAME, PLACE, place)
    item.setToolTip(NAME, str(entry.error or entry.path))
    item.setIcon(NAME, marks)
    return item
