"""Rows of a list in two lines: a name, and below it, in a quieter colour, what it is."""

from __future__ import annotations

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


def prepare_list(rows: QListWidget, name: str, hint: str) -> None:
    """Make a list show its rows in two lines, and name it."""
    rows.setAccessibleName(name)
    rows.setToolTip(hint)
    rows.setItemDelegate(TwoLines(rows))
    rows.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
    rows.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    rows.setTabKeyNavigation(False)
    # It takes the room there is, and does not make the page scroll.
    rows.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
    rows.setMinimumHeight(LEAST_HEIGHT)


def add_row(rows: QListWidget, name: str, kind: str, hint: str) -> None:
    """Add a row: its two lines and its tool tip."""
    item = QListWidgetItem(name, rows)
    item.setData(KIND, kind)
    item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{name}, {kind}")
    item.setToolTip(hint)
