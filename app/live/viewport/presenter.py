"""The presenter's layer: a few big numbers over the lower edge of the picture, for an audience and a projector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import fmean

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetricsF, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QWidget

from app.live.viewport.plate import paint_plate
from app.theme.theme import ON_STAGE, ON_STAGE_MUTED
from engine.core.paths import asset_path
from engine.core.stats import Spread
from engine.live.settings import LiveSettings
from engine.live.view import LaneView, View
from engine.render.text import EM_PER_CAPITAL

# Letters of 22 minutes of arc can be read with ease (ISO 9241-303): from ten metres 64 mm, which is 3.2 % of a
# projected picture two metres high. The numbers are twice that. All measures are shares of the window's height.
LABEL = 0.032  # heights of capitals
NUMBERS = {1: 0.07, 2: 0.055, 3: 0.042, 4: 0.036}  # by the number of lanes: more are set smaller
PADDING, LINE_GAP, COLUMN_GAP, BOTTOM = 0.028, 0.026, 0.04, 0.03
SIDES = 1.25  # how much more there is at the sides
WIDEST = 0.94  # of the window's width
PLATE_ALPHA = 204  # of 255: over white, the muted labels still have a contrast of 4.5 : 1
WIDEST_NUMBER = "00.0"  # every column has room for this, so that nothing moves
NOTHING = "\u2013"


@dataclass(frozen=True)
class _Layout:
    """The plate in logical pixels, and every word on it: its font, its colour and the left end of its baseline."""

    size: QSize
    corner: float
    words: list[tuple[str, QFont, str, QPoint]]


class Presenter(QWidget):
    """Shows the numbers of one to four lanes at the foot of its parent; the mouse passes through it.

    Args:
        parent: the widget that it covers.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._stage = parent
        self._rows: list[list[str]] = []
        self._shared: list[str] = []  # numbers that two lanes share: the last column, half way between them
        self._labels: list[str] = []
        self._layout: _Layout | None = None
        self._picture: QPixmap | None = None  # painted once: the video below changes with every frame, the words seldom
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(self.tr("Numbers for the audience"))
        parent.installEventFilter(self)
        self.hide()

    @property
    def text(self) -> str:
        """Everything the layer shows, a line for the labels and one for each lane."""
        rows = [[*row, *([] if number else self._shared)] for number, row in enumerate(self._rows)]
        return "\n".join("  ".join(row) for row in (self._labels, *rows))

    def show_view(self, view: View, settings: LiveSettings, screens: Sequence[Spread | None]) -> None:
        """Show the numbers of a view.

        Args:
            view: what is on screen.
            settings: how it is shown.
            screens: spread of the milliseconds from the capture of a frame until it is painted, by number of the lane.
        """
        shown = {number: lane for number in settings.on_screen if (lane := view.lane(number)) is not None}
        if not shown:
            return
        agreements = [lane.agreement for lane in shown.values()]
        nme = any(lane.stats.nme is not None for lane in shown.values())
        agree = any(agreement is not None for agreement in agreements[1:])
        labels = [self.tr("model"), self.tr("results/s"), self.tr("to screen ms")]
        labels += [self.tr("NME %")] if nme else []
        labels += [self.tr("agreement %")] if agree else []
        rows = [_numbers(lane, screens[number], nme) for number, lane in shown.items()]
        shared = [_short(agreements[1])] if agree and len(rows) == 2 else []
        if agree and len(rows) > 2:
            rows = [[*row, _short(agreement)] for row, agreement in zip(rows, agreements, strict=True)]
        if (labels, rows, shared) != (self._labels, self._rows, self._shared):
            self._labels, self._rows, self._shared = labels, rows, shared
            self._place()
            self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._layout is None:
            return
        if self._picture is None or self._picture.devicePixelRatioF() != self.devicePixelRatioF():
            self._picture = self._drawn(self._layout)
        QPainter(self).drawPixmap(0, 0, self._picture)

    def _drawn(self, layout: _Layout) -> QPixmap:
        picture = QPixmap(self.size() * self.devicePixelRatioF())
        picture.setDevicePixelRatio(self.devicePixelRatioF())
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_plate(painter, QRectF(self.rect()), layout.corner, PLATE_ALPHA)
        for word, font, colour, place in layout.words:
            painter.setFont(font)
            painter.setPen(QColor(colour))
            painter.drawText(place, word)
        painter.end()
        return picture

    def _place(self) -> None:
        """Place it at the foot of the stage, as large as the room and the words allow."""
        if not self._rows:
            return
        self._picture = None
        stage = self._stage.rect()
        height, widest = float(stage.height()), WIDEST * stage.width()
        layout = self._set(height)
        for _ in range(2):  # letters have whole sizes: the first time, they may come out a little too wide
            if layout.size.width() > widest:
                height *= widest / layout.size.width()
                layout = self._set(height)
        self._layout = layout
        top = stage.height() - round(BOTTOM * stage.height()) - layout.size.height()
        self.setGeometry(QRect(QPoint((stage.width() - layout.size.width()) // 2, top), layout.size))

    def _set(self, height: float) -> _Layout:
        capital = NUMBERS[len(self._rows)] * height
        label_capital, padding, line_gap = LABEL * height, PADDING * height, LINE_GAP * height
        number, label = _font(capital), _font(label_capital)
        widths = tuple(self._width(column, number, label) for column in range(len(self._labels)))
        columns, left = [], padding * SIDES
        for width in widths:
            columns.append(left)
            left += width + COLUMN_GAP * height
        label_base = padding + label_capital
        bases = [label_base + (line_gap + capital) * (row + 1) for row in range(len(self._rows))]
        before = ["" for _ in self._rows[0]]
        lines = [(self._labels, label, ON_STAGE_MUTED, label_base)]
        lines += [(row, number, ON_STAGE, base) for row, base in zip(self._rows, bases, strict=True)]
        lines += [([*before, *self._shared], number, ON_STAGE, fmean(bases))]
        placed = []
        for words, font, colour, base in lines:
            for column, (word, start, width) in enumerate(zip(words, columns, widths, strict=False)):
                # Names begin, numbers centre.
                indent = (width - QFontMetricsF(font).horizontalAdvance(word)) / 2 if column else 0.0
                placed.append((word, font, colour, QPoint(round(start + indent), round(base))))
        whole = left - COLUMN_GAP * height + padding * SIDES
        return _Layout(QSize(round(whole), round(bases[-1] + padding)), padding / 2, placed)

    def _width(self, column: int, number: QFont, label: QFont) -> float:
        own = len(self._rows[0])
        words = [row[column] for row in self._rows] if column < own else self._shared[column - own :]
        words = [*words, WIDEST_NUMBER] if column else words
        numbers = QFontMetricsF(number)
        return max(QFontMetricsF(label).horizontalAdvance(self._labels[column]), *map(numbers.horizontalAdvance, words))


def _numbers(lane: LaneView, screen: Spread | None, nme: bool) -> list[str]:
    row = [lane.result.model, _short(lane.stats.fps), _short(None if screen is None else screen.p50)]
    return [*row, _short(lane.stats.nme)] if nme else row


def _short(value: float | None) -> str:
    """Return a number of two or three digits; more cannot be read from a distance while they change."""
    if value is None:
        return NOTHING
    return f"{value:.1f}" if value < 9.95 else f"{value:.0f}"


def _font(capital: float) -> QFont:
    """Return the bundled font with capitals of that height in pixels, and digits that are all equally wide."""
    font = QFont(_family())
    font.setPixelSize(max(1, round(capital * EM_PER_CAPITAL)))
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


@lru_cache
def _family() -> str:
    number = QFontDatabase.addApplicationFont(str(asset_path("fonts", "Inter-Medium.otf")))
    return QFontDatabase.applicationFontFamilies(number)[0]
