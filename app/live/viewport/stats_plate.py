"""The plate over a picture with its model's name and numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
)
from PySide6.QtWidgets import QWidget

from app.live.viewport.captions import SEPARATOR, Line
from app.live.viewport.plate import (
    CORNER,
    PADDING_X,
    PADDING_Y,
    line_height,
    lines_width,
    paint_lines,
    paint_plate,
)
from app.live.viewport.stats_report import (
    Row,
    StatsReport,
    all_rows,
    quality_rows,
    short_line,
    speed_row,
    spoken,
    time_rows,
)
from app.theme.theme import ON_STAGE, ON_STAGE_MUTED, STAGE_ACCENT
from app.widgets.fonts import plate_font

WIDEST_NUMBER = "00.0"
BRIEF_LINES = 2  # kept where there is little room: the model, and its numbers, or else what it is
TIGHT_PADDING_Y = 4.0  # logical pixels
BIG = 2.1  # size of the speed's digits, relative to the others
# Logical pixels.
LABEL_GAP, NUMBER_GAP, UNIT_GAP = 14.0, 14.0, 7.0
GROUP_GAP = 8.0
CHEVRON = ((-3.5, -1.75), (0.0, 1.75), (3.5, -1.75))
_OPENING = {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space}


@dataclass(frozen=True)
class Word:
    """A word in its place, in logical pixels."""

    text: str
    x: float
    baseline: float
    colour: str
    font: QFont


class StatsPlate(QWidget):
    """A dark plate with a caption and the most important numbers; a click, or Enter, shows all of them.

    It is repainted only when its content changes; otherwise the stored image is drawn over the live picture.

    Attributes:
        report: what the plate shows.
        yields: whether nothing is painted, because more important words are there.
    """

    details_wanted = Signal(bool)  # show all numbers, or the most important ones again

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.report, self.yields = StatsReport(()), False
        self._details = False
        self._brief: float | None = None  # its largest width while it shows only two lines
        self._tight = False  # whether these are close together
        self._painted: QPixmap | None = None
        self._painted_focus = False
        self._widest = self._widest_short = 0.0  # so far for this model: its width must not change with every digit
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._help = self.tr(
            "Click to see all numbers, or fewer. p50 is the median, p95 what 95 of 100 frames stay below. "
            "The time to screen ends when the window has painted the picture; the display adds its own."
        )
        self.setToolTip(self._help)

    def show_report(self, report: StatsReport) -> None:
        """Show this report."""
        if report == self.report:
            return
        name, former = (it.lines[0].text if it.lines else "" for it in (report, self.report))
        if name != former or (report.stats is None) != (self.report.stats is None):
            self._widest = self._widest_short = 0.0
        self.report = report
        self.setAccessibleName(self.tr("Numbers of {0}").format(name))
        self.setAccessibleDescription(spoken(report))
        self._show_tip()
        self._renew()

    def show_details(self, shown: bool) -> None:
        """Show all numbers, or only the most important ones."""
        self._details = shown
        self._renew()

    def shorten(self, width: float | None, tight: bool = False) -> None:
        """Show only the model and its most important numbers, or without numbers what it is; None shows all again.

        The plate is at most `width` logical pixels wide then, and with `tight` has less of an edge.
        """
        if (width, tight) != (self._brief, self._tight):
            self._brief, self._tight = width, tight
            self._show_tip()
            self._renew()

    def whole_size(self) -> QSize:
        """Return the size of the plate with everything on it."""
        self._widest = max(self._widest, self._width())
        return QSize(math.ceil(self._widest + 2 * PADDING_X), math.ceil(self._lay_out()[2] + 2 * PADDING_Y))

    def sizeHint(self) -> QSize:
        if self._brief is None:
            return self.whole_size()
        lines, metrics = self._brief_lines(self._brief), self._metrics()
        wide = lines_width(lines, metrics) + 2 * PADDING_X if self.report.stats is None else self.short_size().width()
        width = min(wide, self._brief)
        return QSize(math.ceil(width), math.ceil(line_height(metrics) * len(lines) + 2 * self._padding_y))

    def short_size(self) -> QSize:
        """Return the size of the plate with only its model and its most important numbers on it."""
        metrics, lines = self._metrics(), (*self.report.lines[:1], Line(short_line(self.report)))
        self._widest_short = max(self._widest_short, lines_width(lines, metrics) + 2 * PADDING_X)
        return QSize(math.ceil(self._widest_short), math.ceil(line_height(metrics) * len(lines) + 2 * TIGHT_PADDING_Y))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.setAccepted(self._opens(event))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._opens(event) and self.rect().contains(event.position().toPoint()):
            self.details_wanted.emit(not self._details)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _OPENING and self.report.stats is not None:
            self.details_wanted.emit(not self._details)
        else:
            event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.yields:
            return
        ratio = self.devicePixelRatioF()
        wanted = QSize(round(self.width() * ratio), round(self.height() * ratio))
        if self._painted is None or self._painted.size() != wanted or self._painted_focus != self.hasFocus():
            self._painted, self._painted_focus = QPixmap(wanted), self.hasFocus()
            self._painted.setDevicePixelRatio(ratio)
            self._painted.fill(Qt.GlobalColor.transparent)
            painter = QPainter(self._painted)
            self._paint(painter)
            painter.end()
        QPainter(self).drawPixmap(0, 0, self._painted)

    def _opens(self, event: QMouseEvent) -> bool:
        return event.button() == Qt.MouseButton.LeftButton and self.report.stats is not None

    def _show_tip(self) -> None:
        """Explain the numbers, or say those for which there is no room."""
        self.setToolTip(self._help if self._brief is None else spoken(self.report).replace("; ", "\n"))

    def _renew(self) -> None:
        self._painted = None
        self.resize(self.sizeHint())
        self.update()

    def _paint(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        plate, (words, mark, _) = QRectF(self.rect()), self._lay_out()
        whole = self._brief is None and self.report.stats is not None
        if whole:  # the room for rows that may come hides no picture
            plate.setWidth(min(plate.width(), self._written_width(words)))
        paint_plate(painter, plate)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(STAGE_ACCENT), 2))
            painter.drawRoundedRect(plate.adjusted(1, 1, -1, -1), CORNER, CORNER)
        painter.setFont(plate_font(self.font()))
        lines = self.report.lines if self._brief is None else self._brief_lines(self._brief)
        paint_lines(painter, lines, plate.adjusted(PADDING_X, self._padding_y, -PADDING_X, 0))
        if whole:
            for word in words:
                painter.setFont(word.font)
                painter.setPen(QColor(word.colour))
                painter.drawText(QPointF(word.x, word.baseline), word.text)
            sign = -1.0 if self._details else 1.0
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(ON_STAGE_MUTED), 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawPolyline(QPolygonF([mark + QPointF(x, sign * dy) for x, dy in CHEVRON]))

    def _written_width(self, words: Sequence[Word]) -> float:
        """Return the width of a plate around the caption and these words."""
        ends = [word.x + QFontMetricsF(word.font).horizontalAdvance(word.text) for word in words]
        return max(*ends, PADDING_X + lines_width(self.report.lines, self._metrics())) + PADDING_X

    def _lay_out(self) -> tuple[list[Word], QPointF, float]:
        """Return the words below the caption, the middle of the mark, and the height of everything, unpadded."""
        report, words, mark = self.report, list[Word](), QPointF()
        metrics, plain = self._metrics(), plate_font(self.font())
        big = plate_font(self.font(), BIG, QFont.Weight.Medium)
        y = line_height(metrics) * len(report.lines)
        if report.stats is None:
            return words, mark, y
        y += PADDING_Y + GROUP_GAP / 2
        speed, tall, columns = speed_row(report.stats), QFontMetricsF(big), self._columns()
        unit_x = PADDING_X + tall.horizontalAdvance(speed.numbers[0]) + UNIT_GAP
        words.append(Word(speed.numbers[0], PADDING_X - 1, y + tall.ascent(), ON_STAGE, big))
        words.append(Word(speed.unit, unit_x, y + tall.ascent(), ON_STAGE_MUTED, plain))
        y += tall.height() + GROUP_GAP / 2
        head, quality = Row(self.tr("latency"), ("p50", "p95"), ""), quality_rows(report, self._details)
        mark = QPointF(PADDING_X + metrics.horizontalAdvance(head.label) + 11, y + metrics.height() / 2 + 0.5)
        for row in (head, *time_rows(report, self._details), *quality):
            y += GROUP_GAP if row in quality[:1] else 0.0
            baseline = y + metrics.ascent()
            note = metrics.elidedText(row.note, Qt.TextElideMode.ElideRight, self.width() - 2 * PADDING_X)
            quiet = [(row.label, PADDING_X, baseline), (row.unit, columns[len(row.numbers) - 1] + UNIT_GAP, baseline)]
            quiet += [(note, PADDING_X, baseline + line_height(metrics))]
            words += [Word(*placed, ON_STAGE_MUTED, plain) for placed in quiet]
            for right, text in zip(columns, row.numbers, strict=False):
                colour = ON_STAGE_MUTED if row is head else ON_STAGE
                words.append(Word(text, right - metrics.horizontalAdvance(text), baseline, colour, plain))
            y += line_height(metrics) * (2 if row.note else 1)
        return words, mark, y - PADDING_Y

    @property
    def _padding_y(self) -> float:
        return TIGHT_PADDING_Y if self._brief is not None and self._tight else PADDING_Y

    def _brief_lines(self, width: float) -> tuple[Line, ...]:
        """Return the model and its numbers, or what it is, each without the last parts for which there is no room."""
        metrics, lines = self._metrics(), []
        caption = self.report.lines[:BRIEF_LINES]
        if self.report.stats is not None:
            caption = (*caption[:1], Line(short_line(self.report)))
        for line in caption:
            parts = line.text.split(SEPARATOR)
            while len(parts) > 1 and metrics.horizontalAdvance(SEPARATOR.join(parts)) > width - 2 * PADDING_X:
                parts.pop()
            lines.append(replace(line, text=SEPARATOR.join(parts)))
        return tuple(lines)

    def _columns(self) -> tuple[float, float]:
        """Return the right edges of the columns of numbers."""
        metrics = self._metrics()
        labels = max(metrics.horizontalAdvance(row.label) for row in all_rows(self.report))
        first = PADDING_X + labels + LABEL_GAP + metrics.horizontalAdvance(WIDEST_NUMBER)
        return first, first + NUMBER_GAP + metrics.horizontalAdvance(WIDEST_NUMBER)

    def _width(self) -> float:
        """Return the width without padding: that of the longest line, whichever of them are shown now."""
        metrics, lines = self._metrics(), self.report.lines
        if self.report.stats is None:
            return lines_width(lines, metrics)
        columns = self._columns()
        ends = (
            columns[len(row.numbers) - 1] + UNIT_GAP + metrics.horizontalAdvance(row.unit)
            for row in all_rows(self.report)
        )
        return max(max(ends) - PADDING_X, lines_width(lines, metrics))

    def _metrics(self) -> QFontMetricsF:
        return QFontMetricsF(plate_font(self.font()))
