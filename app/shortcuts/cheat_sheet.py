"""The sheet that lists all keys, laid over the window."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from app.shortcuts.shortcuts import HOTKEYS, Act, Group, Hotkey, hotkey
from app.theme.theme import GAP, MARGIN

DIMMED = QColor(13, 15, 18, 150)  # laid over the window
PADDING = 16  # logical pixels between the outline and what scrolls
MOST_COLUMNS = 3


class HotkeySheet(QWidget):
    """Covers its parent, which keeps running below; a key or a click closes it.

    Args:
        parent: the widget that it covers.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._covered = parent
        self._before: QWidget | None = None  # the widget that had the focus
        self._content = QWidget()
        self._columns = 0
        self._card = QFrame(self)
        self._card.setObjectName("hotkeySheet")
        self._scroll = QScrollArea(self._card, widgetResizable=True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        frame = QVBoxLayout(self._card)
        frame.setContentsMargins(PADDING, PADDING, PADDING, PADDING)
        frame.addWidget(self._scroll)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Keys"))
        self.setAccessibleDescription("; ".join(f"{', '.join(line.key_texts)}: {line.text}" for line in HOTKEYS))
        parent.installEventFilter(self)
        self.hide()

    def toggle(self) -> None:
        """Show the sheet, or close it."""
        if self.isVisible():
            self._leave()
        else:
            self._before = self.window().focusWidget()
            self.show()  # before it is measured: while hidden, its labels keep the sizes of the theme before
            self._cover()
            self.raise_()
            self.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._cover()
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        bar = self._scroll.verticalScrollBar()
        if hotkey(Act.CLOSE).fits(event):  # the key that shows the sheet arrives as `toggle`
            self._leave()
        elif event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            bar.setValue(bar.value() + bar.singleStep() * (1 if event.key() == Qt.Key.Key_Down else -1))
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._leave()

    def focusNextPrevChild(self, forward: bool) -> bool:
        return True  # what is covered gets no keys

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), DIMMED)

    def _leave(self) -> None:
        self.hide()
        if self._before is not None:
            self._before.setFocus()

    def _cover(self) -> None:
        """Cover the parent, in as many columns as fit."""
        self.setGeometry(self._covered.rect())
        room = self.size() - QSize(2 * MARGIN, 2 * MARGIN)
        for columns in range(MOST_COLUMNS, 0, -1):
            self._fill(columns)
            around = 2 * (PADDING + 1)  # one pixel for the outline
            wanted = self._content.sizeHint() + QSize(around, around)
            if wanted.height() > room.height():
                wanted += QSize(self._scroll.verticalScrollBar().sizeHint().width(), 0)
            if wanted.width() <= room.width():
                break
        size = wanted.boundedTo(room)
        left, top = (self.width() - size.width()) // 2, (self.height() - size.height()) // 2
        self._card.setGeometry(QRect(QPoint(left, top), size))

    def _fill(self, columns: int) -> None:
        if columns == self._columns:
            return
        self._columns = columns
        self._content = QWidget()
        layout = QHBoxLayout(self._content)
        layout.setContentsMargins(GAP, GAP, GAP, GAP)
        layout.setSpacing(2 * MARGIN)
        for groups in _spread(columns):
            layout.addWidget(_column(groups), 0, Qt.AlignmentFlag.AlignTop)
        self._scroll.setWidget(self._content)
        self._content.setAutoFillBackground(False)
        self._scroll.viewport().setAutoFillBackground(False)


def _spread(columns: int) -> list[list[Group]]:
    """Divide the groups into columns of about the same height: the longest first, each into the shortest column."""
    heights, spread = [0] * columns, [list[Group]() for _ in range(columns)]
    for group in sorted(Group, key=lambda group: -len(_lines(group))):
        shortest = heights.index(min(heights))
        heights[shortest] += len(_lines(group)) + 2  # its heading and the gap
        spread[shortest].append(group)
    return spread


def _column(groups: Sequence[Group]) -> QWidget:
    column = QWidget()
    grid = QGridLayout(column)
    grid.setHorizontalSpacing(GAP + 4)
    grid.setVerticalSpacing(5)
    grid.setContentsMargins(0, 0, 0, 0)
    for group in groups:
        row = grid.rowCount()
        heading = QLabel(group.text)
        heading.setProperty("role", "heading")
        heading.setContentsMargins(0, 0 if row == 1 else MARGIN, 0, 2)
        grid.addWidget(heading, row, 0, 1, 2)
        for line in _lines(group):
            row += 1
            grid.addWidget(_key_labels(line), row, 0)
            grid.addWidget(QLabel(line.text), row, 1)
    return column


def _key_labels(line: Hotkey) -> QWidget:
    keys = QWidget()
    layout = QHBoxLayout(keys)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(4)
    for text in line.key_texts:
        label = QLabel(text, alignment=Qt.AlignmentFlag.AlignCenter)
        label.setProperty("role", "key")
        label.setMinimumWidth(28)
        label.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        layout.addWidget(label)
    layout.addStretch(1)
    return keys


def _lines(group: Group) -> list[Hotkey]:
    return [line for line in HOTKEYS if line.group is group]
