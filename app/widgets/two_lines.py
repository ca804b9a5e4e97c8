"""Rows of a list in two lines: a name, and below it, in a quieter colour, what it is."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from app.theme.theme import GAP, colours
from app.widgets.controls import named

KIND = Qt.ItemDataRole.UserRole
LEAST_HEIGHT = 130  # logical pixels: two rows and a half
INSET = 12  # logical pixels between the edge of a row and its words


class TwoLines(QStyledItemDelegate):
    """Draws a row as its text and, in a quieter colour, a second line (the role `KIND`)."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(0, 2 * option.fontMetrics.height() + 2 * GAP + 4)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        self.initStyleOption(option, index)
        name, option.text = option.text, ""
        style = option.widget.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        height = option.fontMetrics.height()
        line = QRect(option.rect.left() + INSET, option.rect.top() + GAP, option.rect.width() - 2 * INSET, height)
        quiet = colours().on_accent if chosen else colours().muted
        loud = colours().on_accent if chosen else colours().text
        for words, colour in ((name, loud), (index.data(KIND), quiet)):
            painter.setPen(QColor(colour))
            painter.drawText(
                line,
                Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
                option.fontMetrics.elidedText(str(words), Qt.TextElideMode.ElideRight, line.width()),
            )
            line.translate(0, height + 4)


class TwoLineList(QListWidget):
    """A list whose rows have two lines; see `named`."""

    def __init__(self, name: str, hint: str) -> None:
        super().__init__()
        named(self, name, hint)
        self.setItemDelegate(TwoLines(self))
        self.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTabKeyNavigation(False)
        # It takes the room there is, and does not make the page scroll.
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        self.setMinimumHeight(LEAST_HEIGHT)

    def fill(self, rows: Iterable[tuple[str, str, str]], chosen: int) -> None:
        """Replace all rows, each given by its two lines and its tool tip, and choose one, without any signal.

        The list stays scrolled where it is as long as its rows are about the same things, as their tool tips say.
        """
        rows = list(rows)
        same = {hint for _, _, hint in rows} == {self.item(row).toolTip() for row in range(self.count())}
        place = self.verticalScrollBar().value()
        self.blockSignals(True)
        self.clear()
        for name, kind, hint in rows:
            item = QListWidgetItem(name, self)
            item.setData(KIND, kind)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{name}, {kind}")
            item.setToolTip(hint)
        self.setCurrentRow(chosen)
        if same:
            self.verticalScrollBar().setValue(place)
        self.blockSignals(False)
