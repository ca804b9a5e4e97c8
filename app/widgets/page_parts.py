"""Parts of text pages: headings, rows of facts, a chip, a column that scrolls."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontDatabase, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPlainTextEdit,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.theme.theme import GAP, MARGIN, colours
from engine.core.errors import UnderstudyError

TITLE_SCALE = 1.6  # of the usual letters
LABEL_WIDTH = 130  # logical pixels, of the left column of facts
FRAME = 2  # logical pixels, around what has the focus
INSET = 12  # logical pixels between the words of a chip and its ends
TEXT_WIDTH = 760  # logical pixels; longer lines are hard to read


def make_title(text: str = "") -> QLabel:
    """Return a large heading."""
    label = QLabel(text, textFormat=Qt.TextFormat.PlainText)
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
    label = QLabel(text, textFormat=Qt.TextFormat.PlainText, wordWrap=True)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    if quiet:
        label.setProperty("role", "hint")
    return label


def make_wrong_words() -> QLabel:
    """Return words beside a field that say what is wrong with it; see `show_wrong`."""
    label = make_words()
    label.setProperty("role", "wrong")
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.hide()
    return label


def show_wrong(label: QLabel, error: UnderstudyError | None) -> None:
    """Let words beside a field say an error; None hides them."""
    label.setText("" if error is None else str(error))
    label.setVisible(error is not None)


def make_text(lines: int, fixed: bool = False) -> QPlainTextEdit:
    """Return a field of plain text, so many lines high, with `fixed` in letters of one width; Tab leaves it."""
    field = QPlainTextEdit(tabChangesFocus=True)
    if fixed:
        field.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
    field.setFixedHeight(lines * field.fontMetrics().lineSpacing() + 3 * GAP)
    return field


def stack(
    *parts: QWidget | QLayout | int,
    spacing: int = GAP,
    expanding: QWidget | QLayout | None = None,
    whole: QWidget | None = None,
) -> QWidget:
    """Return a widget, `whole` or a new one, with parts below each other.

    They are `spacing` pixels apart, and further by a number between them; `expanding` takes what room is left, and
    without it they stay at the top.
    """
    whole = whole or QWidget()
    rows = QVBoxLayout(whole)
    rows.setContentsMargins(0, 0, 0, 0)
    rows.setSpacing(spacing)
    if expanding is None:
        rows.setAlignment(Qt.AlignmentFlag.AlignTop)
    for part in parts:
        stretch = 1 if part is expanding else 0
        if isinstance(part, int):
            rows.addSpacing(part)
        elif isinstance(part, QLayout):
            rows.addLayout(part, stretch)
        else:
            rows.addWidget(part, stretch)
    return whole


def side_by_side(*parts: QWidget, spacing: int = GAP) -> QHBoxLayout:
    """Return a layout with parts beside each other, `spacing` pixels apart."""
    row = QHBoxLayout()
    row.setSpacing(spacing)
    for part in parts:
        row.addWidget(part)
    return row


class Section(QWidget):
    """A heading over controls, which go into `rows`."""

    def __init__(self, title: str = "") -> None:
        super().__init__()
        self.heading = QLabel(title)
        self.heading.setProperty("role", "heading")
        self.rows = QVBoxLayout(self)
        self.rows.setContentsMargins(0, 0, 0, 0)
        self.rows.setSpacing(GAP)
        self.rows.addWidget(self.heading)


def fill_page(page: QWidget, left: QWidget, right: QWidget, banner: QWidget) -> None:
    """Lay out a page that scrolls: a narrow column left, and the rest of the page right, with a banner below.

    See `scroll_page`.
    """
    content = QWidget()
    scroll_page(page, content)
    grid = QGridLayout(content)
    grid.setHorizontalSpacing(2 * MARGIN)
    grid.setVerticalSpacing(MARGIN)
    grid.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
    grid.addWidget(left, 0, 0, 2, 1)
    grid.addWidget(right, 0, 1)
    grid.addWidget(banner, 1, 1)
    grid.setColumnStretch(1, 1)
    grid.setRowStretch(0, 1)


def scroll_page(page: QWidget, content: QWidget) -> None:
    """Lay out a page: in a window too small for its content, it scrolls to the control that has the focus.

    The content is best filled afterwards: where a full widget is put into another one, Qt works the style sheet out
    again for all that is in it.
    """
    area = QScrollArea(widgetResizable=True)
    area.setWidget(content)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    layout = QVBoxLayout(page)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(area)


class Column(QScrollArea):
    """Content that scrolls up and down; Tab reaches it, so that keys can scroll it."""

    def __init__(self, content: QWidget, name: str, hint: str) -> None:
        super().__init__()
        self.setObjectName("column")  # for the style sheet: it marks the focus
        self._content = content
        self.setWidget(content)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(name)
        self.setToolTip(hint)

    def minimumSizeHint(self) -> QSize:
        # It does not scroll sideways, so nothing may be cut off there.
        size = super().minimumSizeHint()
        frame = 2 * FRAME + self.verticalScrollBar().sizeHint().width()
        return QSize(self._content.minimumSizeHint().width() + frame, size.height())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.LayoutRequest:
            self.updateGeometry()  # a wider content needs a wider column
        return super().eventFilter(watched, event)

    def viewportEvent(self, event: QEvent) -> bool:
        # The tool tip serves users of the keyboard; under the mouse it would cover what is read.
        return event.type() is QEvent.Type.ToolTip or super().viewportEvent(event)


class Facts(QWidget):
    """Rows of a quiet label and its text."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[list[QLabel]] = []
        self._grid = _make_grid(self)
        self._grid.setColumnMinimumWidth(0, LABEL_WIDTH)
        self._grid.setColumnStretch(1, 1)

    def show_rows(self, rows: Sequence[tuple[str, str]]) -> None:
        """Replace all rows by these."""
        _fill(self._rows, rows, self._add_row)
        for (name, text), (_, words) in zip(rows, self._rows, strict=False):
            words.setAccessibleName(f"{name}: {text}")

    def _add_row(self) -> list[QLabel]:
        label, words = make_words(quiet=True), make_words()
        words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        for column, part in enumerate((label, words)):
            self._grid.addWidget(part, len(self._rows), column, Qt.AlignmentFlag.AlignTop)
        return [label, words]


class Table(QWidget):
    """A small table of words, its numbers flush right, under quiet headings.

    Args:
        headings: of the columns.
        words: how many columns hold words; the others hold numbers.
    """

    def __init__(self, headings: Sequence[str], words: int) -> None:
        super().__init__()
        self.texts: list[tuple[str, ...]] = []  # the rows on show, without the headings
        self._headings, self._words = tuple(headings), words
        self._rows: list[list[QLabel]] = []
        self._grid = _make_grid(self)
        for column, heading in enumerate(headings):
            self._grid.addWidget(make_heading(heading), 0, column, self._alignment(column))
        self._grid.setColumnStretch(len(headings), 1)

    def show_rows(self, rows: Sequence[tuple[str, ...]]) -> None:
        """Replace all rows below the headings by these."""
        self.texts = list(rows)
        _fill(self._rows, rows, self._add_row)
        for texts, cells in zip(rows, self._rows, strict=False):
            for heading, text, cell in zip(self._headings, texts, cells, strict=True):
                cell.setAccessibleName(f"{heading}: {text}")

    def _add_row(self) -> list[QLabel]:
        cells = [QLabel(textFormat=Qt.TextFormat.PlainText) for _ in self._headings]
        for column, cell in enumerate(cells):
            self._grid.addWidget(cell, len(self._rows) + 1, column, self._alignment(column))
        return cells

    def _alignment(self, column: int) -> Qt.AlignmentFlag:
        return Qt.AlignmentFlag.AlignLeft if column < self._words else Qt.AlignmentFlag.AlignRight


def _fill(made: list[list[QLabel]], rows: Sequence[Sequence[str]], add_row: Callable[[], list[QLabel]]) -> None:
    """Put texts into rows of labels, which are reused, as making them takes long."""
    while len(made) < len(rows):
        made.append(add_row())
    for number, labels in enumerate(made):
        for column, label in enumerate(labels):
            label.setVisible(number < len(rows))
            label.setText(rows[number][column] if number < len(rows) else "")


def _make_grid(owner: QWidget) -> QGridLayout:
    grid = QGridLayout(owner)
    grid.setHorizontalSpacing(MARGIN)
    grid.setVerticalSpacing(GAP)
    grid.setContentsMargins(0, 0, 0, 0)
    return grid


class Chip(QLabel):
    """A word in a rounded frame."""

    def __init__(self) -> None:
        super().__init__()
        self.alerting = False  # whether it is a warning

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
