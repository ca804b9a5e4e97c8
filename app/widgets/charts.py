"""Parts of charts: axes with round marks, traces of the last half minute, and the widget itself."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QWidget

from app.theme.theme import GAP, colours

ROUND = (1.0, 2.0, 5.0)
MARGIN_SHARE = 0.05  # of the axis, left free above and below the values
SPAN = 30.0  # seconds that are kept
BIN = 0.25  # seconds of which the mean is kept: finer cannot be seen on a chart
LONGEST_STEP = 1.0  # seconds without a value over which no line is drawn


@dataclass(frozen=True)
class Axis:
    """A range of values.

    Attributes:
        low, high: its ends, low < high; above 0 if logarithmic.
        logarithmic: whether equal lengths are equal ratios.
    """

    low: float
    high: float
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Return the place of a value: 0 at `low`, 1 at `high`."""
        if self.logarithmic:
            return math.log(max(value, 1e-300) / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self, most: int) -> list[float]:
        """Return round values inside, at most `most`; by ratio where there are three, else by equal distances."""
        if self.logarithmic:
            first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
            decades = [10.0**power for power in range(first, last + 1)]
            for digits in (ROUND, (1.0, 3.0), (1.0,)):
                found = [d * decade for decade in decades for d in digits if self.low <= d * decade <= self.high]
                if 3 <= len(found) <= most:
                    return found
        return _even_ticks(self.low, self.high, most)


def axis_of(values: Sequence[float]) -> Axis:
    """Return an axis for positive values that fall over orders of magnitude, with some room at both ends."""
    low, high = min(values), max(values)
    if low <= 0:  # no place on a logarithmic axis
        room = max(high - low, 1e-9) * MARGIN_SHARE
        return Axis(low - room, high + room)
    ratio = max(high / low, 1.05) ** MARGIN_SHARE
    return Axis(low / ratio, max(high, low * 1.05) * ratio, logarithmic=True)


def _even_ticks(low: float, high: float, most: int) -> list[float]:
    rough = (high - low) / max(1, most)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(digit * power for digit in (*ROUND, 10.0) if digit * power >= rough)
    first, last = math.ceil(low / step), math.floor(high / step)
    return [number * step for number in range(first, last + 1)]


class Trace:
    """The line of one number."""

    def __init__(self) -> None:
        self._means: deque[tuple[float, float]] = deque(
            maxlen=round(SPAN / BIN) + 2
        )  # moments and means, NaN where there was none
        self._index, self._count, self._total = -1, 0, 0.0  # of the latest quarter of a second

    def add(self, moment: float, value: float | None) -> None:
        """Count a value at a moment in seconds, or that there was none; moments never decrease."""
        index = int(moment // BIN)
        if index == self._index and self._means:
            self._means.pop()
        else:
            self._index, self._count, self._total = index, 0, 0.0
        if value is not None:
            self._count, self._total = self._count + 1, self._total + value
        self._means.append(((index + 0.5) * BIN, self._total / self._count if self._count else math.nan))

    def clear(self) -> None:
        """Drop all values."""
        self._means.clear()

    def segments(self, now: float) -> list[list[tuple[float, float]]]:
        """Return the moments and means of the last `SPAN` seconds.

        They are split where there was no value, and where nothing came for `LONGEST_STEP`.
        """
        segments: list[list[tuple[float, float]]] = []
        last, oldest = -LONGEST_STEP, now - SPAN
        for mean in self._means:
            if math.isnan(mean[1]):
                last = -math.inf
            if mean[0] < oldest or math.isnan(mean[1]):
                continue
            if not segments or mean[0] - last > LONGEST_STEP:
                segments.append([])
            segments[-1].append(mean)
            last = mean[0]
        return segments

    def value(self, moment: float) -> float | None:
        """Return the mean nearest before or at a moment; None if there was none, or none for `LONGEST_STEP`."""
        for middle, mean in reversed(self._means):
            if middle - BIN / 2 <= moment:
                return mean if moment - middle <= LONGEST_STEP and not math.isnan(mean) else None
        return None

    def largest(self, now: float) -> float:
        """Return the largest mean of the last `SPAN` seconds; 0 without any."""
        oldest = now - SPAN
        return max((mean for moment, mean in self._means if moment >= oldest and mean >= 0), default=0.0)


class Chart(QWidget):
    """A widget that paints a chart and reads off the value under the mouse.

    Attributes:
        hovered: x of the mouse in logical pixels; None while it is elsewhere.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.hovered: float | None = None
        self._shortened: list[str] = []
        self.setAccessibleName(name)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def shorten(self, text: str, room: float) -> str:
        """Return a text as it fits into so many logical pixels; the chart's tool tip has the whole."""
        shown = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(room))
        if shown != text:
            self._shortened.append(text)
        return shown

    def event(self, event: QEvent) -> bool:
        if event.type() is not QEvent.Type.Paint:
            return super().event(event)
        self._shortened.clear()
        handled = super().event(event)
        if (whole := "\n".join(self._shortened)) != self.toolTip():
            self.setToolTip(whole)
        return handled

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.hovered = event.position().x()
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self.hovered = None
        self.update()


def draw_panel(painter: QPainter, area: QRectF) -> None:
    """Draw the field that a chart lies on, and let what follows have smooth edges."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(colours().line)))
    painter.setBrush(QColor(colours().field))
    painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), GAP, GAP)


def draw_marks_below(painter: QPainter, area: QRectF, marks: Iterable[tuple[float, str]]) -> None:
    """Draw the labels of an axis that goes across below the area: place of each, 0 left and 1 right, and its text."""
    painter.setPen(QColor(colours().muted))
    for place, label in marks:
        x = area.left() + place * area.width()
        around = QRectF(x - 40, area.bottom() + 4, 80, 24)
        painter.drawText(around, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, label)


def draw_marks(painter: QPainter, area: QRectF, marks: Iterable[tuple[float, str]], line: str) -> None:
    """Draw the marks of an axis that goes up: lines across the area, and their labels left of it.

    Args:
        painter: has the font of the labels.
        area: where values are drawn, in logical pixels.
        marks: place of each, 0 at the bottom and 1 at the top, and its label.
        line: colour of the lines, as `#rrggbb`.
    """
    metrics = QFontMetricsF(painter.font())
    for place, label in marks:
        y = round(area.bottom() - place * area.height())
        painter.setPen(QColor(line))
        painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        painter.setPen(QColor(colours().muted))
        x = area.left() - GAP - metrics.horizontalAdvance(label)
        painter.drawText(QPointF(x, y + metrics.capHeight() / 2), label)
