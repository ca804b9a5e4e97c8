"""What pages of text are made of: headings, rows of facts, a chip, a column that scrolls."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QScrollArea, QSizePolicy, QWidget

from app.theme import GAP, MARGIN, colours

TITLE_SCALE = 1.6  # of the usual letters
LABEL_WIDTH = 130  # logical pixels, of the left column of facts
TEXT_WIDTH = 760  # logical pixels; longer lines are hard to read


def make_title(text: str = "") -> QLabel:
    """Return a large heading."""
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    font = label.font()
    font.setPointSizeF(font.pointSizeF() * TITLE_SCALE)
    font.setBold(True)
    label.setFont(font)
    return label


def make_heading(text: str = "") -> QLabel:
    """Return the heading of a group."""
    label = QLabel(text)
    label.setProperty("role", "heading")
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    return label


def make_words(text: str = "", quiet: bool = False) -> QLabel:
    """Return text that wraps and never widens the window."""
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    if quiet:
        label.setProperty("role", "hint")
    return label


def empty(layout: QGridLayout) -> None:
    """Take every widget out of a layout."""
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()


class Column(QScrollArea):
    """Content that scrolls up and down; Tab reaches it, so that keys can scroll it."""

    def __init__(self, content: QWidget, name: str, hint: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("column")
        self.setWidget(content)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(name)
        self.setToolTip(hint)
        # The palette follows the theme.
        self.setStyleSheet(
            "#column { border: 2px solid transparent } #column:focus { border-color: palette(highlight) }"
        )

    def viewportEvent(self, event: QEvent) -> bool:
        # The hint is for who comes by keys; under the mouse it would lie on what is read.
        return event.type() is QEvent.Type.ToolTip or super().viewportEvent(event)


class Facts(QWidget):
    """Rows of a quiet label and what is said to it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(MARGIN)
        self._grid.setVerticalSpacing(GAP)
        self._grid.setColumnMinimumWidth(0, LABEL_WIDTH)
        self._grid.setColumnStretch(1, 1)

    def show_rows(self, rows: Iterable[tuple[str, str]]) -> None:
        """Replace all rows by these."""
        empty(self._grid)
        for row, (label, text) in enumerate(rows):
            words = make_words(text)
            words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            words.setAccessibleName(f"{label}: {text}")
            self._grid.addWidget(make_words(label, quiet=True), row, 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(words, row, 1, Qt.AlignmentFlag.AlignTop)


class Table(QWidget):
    """A small table of words, its numbers flush right, under quiet headings."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.texts: list[tuple[str, ...]] = []  # the rows on show, without the headings
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(MARGIN + GAP)
        self._grid.setVerticalSpacing(GAP)

    def show_rows(self, headings: tuple[str, ...], rows: list[tuple[str, ...]], words: int) -> None:
        """Show rows under headings; the first `words` columns are words, the others numbers."""
        empty(self._grid)
        self.texts = list(rows)
        for column, heading in enumerate(headings):
            self._grid.addWidget(make_heading(heading), 0, column, _alignment(column, words))
        for number, row in enumerate(rows, 1):
            for column, text in enumerate(row):
                cell = QLabel(text)
                cell.setAccessibleName(f"{headings[column]}: {text}")
                self._grid.addWidget(cell, number, column, _alignment(column, words))
        self._grid.setColumnStretch(len(headings), 1)


class Chip(QLabel):
    """A word in a rounded frame."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.alerting = False  # whether it warns

    def sizeHint(self) -> QSize:
        size = super().sizeHint()
        return QSize(size.width() + 2 * INSET, size.height() + GAP)

    def paintEvent(self, event: QPaintEvent) -> None:
        palette = colours()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(QColor(palette.alert if self.alerting else palette.soft_accent))
        painter.setPen(Qt.PenStyle.NoPen)
        frame = QRectF(self.rect())
        painter.drawRoundedRect(frame, frame.height() / 2, frame.height() / 2)
        painter.setPen(QColor(palette.on_alert if self.alerting else palette.text))
        painter.drawText(frame, Qt.AlignmentFlag.AlignCenter, self.text())


INSET = 12  # logical pixels between the words of a chip and its ends


def _alignment(column: int, words: int) -> Qt.AlignmentFlag:
    return Qt.AlignmentFlag.AlignLeft if column < words else Qt.AlignmentFlag.AlignRight
