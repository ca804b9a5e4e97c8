"""The curves of a session over time, which are its scrub bar too."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QSizePolicy

from app.theme.theme import GAP, MARGIN, colours, lane_colour
from app.widgets.charts import ROUND, Axis, Chart, draw_marks, draw_marks_below
from app.widgets.fonts import plate_font
from app.widgets.times import clock_words
from engine.evaluation.review.curves import Curve, Curves

LEFT, RIGHT, TOP, BOTTOM = 58, MARGIN, 10, 30  # logical pixels around the plots
BETWEEN = 26  # logical pixels between two plots, with the title of the lower one
LOWEST, LOW, HIGH = 150, 230, 340  # of the whole
LINE = 1.3
MARK = 4.0  # half the width of a mark's triangle
MOST_POINTS = 1200  # of a line: finer cannot be seen


class CurvesView(Chart):
    """Draws deviation, latency and confidence of each lane, and where playback, marks and worst frames are."""

    wanted = Signal(int)  # place among the log's frames

    def __init__(self) -> None:
        super().__init__(self.tr("Curves over time; click or drag to go there"))
        self._curves: Curves | None = None
        self._moments: NDArray[np.float64] = np.empty(0)
        self._marks: tuple[int, ...] = ()
        self._worst: tuple[int, ...] = ()
        self._lanes: tuple[int, ...] = ()
        self._place = 0
        self._drawn: QPixmap | None = None  # all but the line of playback; None once it has to be drawn again
        self._drawn_in = "", 0.0  # the panel's colour in it, and its scale
        self.setMinimumHeight(LOWEST)
        self.setMaximumHeight(HIGH)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        return QSize(600, LOW)

    def show_curves(self, curves: Curves | None, moments: NDArray[np.float64]) -> None:
        """Show the curves of a log, its frames at these moments in seconds; None for none."""
        self._curves, self._moments, self._place = curves, moments, 0
        self._worst = () if curves is None else tuple(worst.place for worst in curves.worst)
        self._draw_again()

    def show_lanes(self, lanes: Sequence[int]) -> None:
        """Show the curves of these lanes only."""
        self._lanes = tuple(lanes)
        self._draw_again()

    def show_marks(self, places: Sequence[int]) -> None:
        """Show marks at these places."""
        self._marks = tuple(places)
        self._draw_again()

    def show_place(self, place: int) -> None:
        """Show that playback is at a place among the log's frames."""
        self._place = place
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self._ask(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._ask(event.position().x())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._draw_again()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        look = colours().panel, self.devicePixelRatioF()
        if self._drawn is None or self._drawn_in != look:
            self._drawn, self._drawn_in = self._draw(), look
        painter.drawPixmap(0, 0, self._drawn)
        if self._curves is None or not len(self._moments):
            return
        area = self._inside()
        if self.hovered is not None:
            self._line(painter, min(max(self.hovered, area.left()), area.right()), colours().edge)
        x = area.left() + self._axis().place(float(self._moments[self._place])) * area.width()
        self._line(painter, x, colours().accent)

    def _line(self, painter: QPainter, x: float, colour: str) -> None:
        painter.setPen(QPen(QColor(colour), 1.4))
        painter.drawLine(QPointF(x, TOP), QPointF(x, self.height() - BOTTOM))

    def _draw_again(self) -> None:
        self._drawn = None
        self.update()

    def _ask(self, x: float) -> None:
        area = self._inside()
        if self._curves is None or not len(self._moments) or area.width() < 1:
            return
        axis = self._axis()
        moment = axis.low + (x - area.left()) / area.width() * (axis.high - axis.low)
        self.wanted.emit(int(np.abs(self._moments - moment).argmin()))

    def _inside(self) -> QRectF:
        return QRectF(self.rect()).adjusted(LEFT, TOP, -RIGHT, -BOTTOM)

    def _axis(self) -> Axis:
        first, last = float(self._moments[0]), float(self._moments[-1])
        return Axis(first, max(last, first + 1e-3))

    def _draw(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        pixmap = QPixmap(self.size() * ratio)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(QColor(colours().panel))
        if self._curves is None or not len(self._moments):
            return pixmap
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(plate_font(self.font()))
        inside, axis = self._inside(), self._axis()
        curves = (self._curves.deviation, self._curves.latency, self._curves.confidence)
        known = [curve for curve in curves if any(np.isfinite(lane).any() for lane in curve.lanes)]
        height = (inside.height() - BETWEEN * len(known) + GAP) / max(1, len(known))
        for number, curve in enumerate(known):
            top = inside.top() + number * (height + BETWEEN) + BETWEEN - GAP
            self._draw_curve(painter, curve, QRectF(inside.left(), top, inside.width(), height), axis)
        ticks = [(axis.place(value), clock_words(value)) for value in axis.ticks(8)]
        draw_marks_below(painter, inside.adjusted(0, 0, 0, GAP / 2), ticks)  # below the lowest mark of the last plot
        self._draw_signs(painter, inside, axis)
        painter.end()
        return pixmap

    def _draw_curve(self, painter: QPainter, curve: Curve, area: QRectF, axis: Axis) -> None:
        values = np.concatenate(curve.lanes)
        known = values[np.isfinite(values)]
        low, top = 0.0, _round_up(float(known.max()))
        if curve.name == "confidence":
            low, top = min(math.floor(10 * float(known.min())) / 10, 0.9), 1.0
        up = Axis(low, top)
        painter.setPen(QColor(colours().muted))
        title = f"{self._title(curve)}{', ' if curve.unit else ''}{curve.unit}"
        painter.drawText(QPointF(area.left() + GAP, area.top() - 6), title)
        middle = [(low + top) / 2] if area.height() >= 2 * painter.fontMetrics().height() else []
        draw_marks(painter, area, [(up.place(value), f"{value:g}") for value in (low, *middle, top)], colours().line)
        for lane in reversed(self._lanes):
            painter.setPen(QPen(QColor(lane_colour(lane)), LINE))
            for line in _lines(self._moments, curve.lanes[lane], lowest=curve.name == "confidence"):
                points = [
                    QPointF(area.left() + axis.place(x) * area.width(), area.bottom() - up.place(y) * area.height())
                    for x, y in line
                ]
                painter.drawPolyline(QPolygonF(points)) if len(points) > 1 else painter.drawPoint(points[0])

    def _title(self, curve: Curve) -> str:
        return {
            "NME": self.tr("error (NME)"),
            "distance": self.tr("distance from the other models"),
            "latency": self.tr("latency"),
            "confidence": self.tr("confidence"),
        }[curve.name]

    def _draw_signs(self, painter: QPainter, area: QRectF, axis: Axis) -> None:
        """Draw marks as triangles, and worst frames as ticks, at the upper edge."""

        def at(place: int) -> float:
            return area.left() + axis.place(float(self._moments[place])) * area.width()

        painter.setPen(QPen(QColor(colours().muted), 1.2))
        for place in self._worst:
            painter.drawLine(QPointF(at(place), 2), QPointF(at(place), TOP))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours().accent))
        for place in self._marks:
            x = at(place)
            painter.drawPolygon(QPolygonF([QPointF(x - MARK, 1), QPointF(x + MARK, 1), QPointF(x, 1 + 2 * MARK)]))


def _round_up(value: float) -> float:
    """Return the next round number that is not smaller."""
    power = 10.0 ** np.floor(np.log10(max(value, 1e-3)))
    return next(float(digit * power) for digit in (*ROUND, 10.0) if digit * power >= value * 0.999)


def _lines(moments: NDArray[np.float64], values: NDArray[np.float64], lowest: bool) -> list[list[tuple[float, float]]]:
    """Return a curve in pieces without gaps: where there are too many values, the largest or lowest of each stretch.

    A lane that skips frames has no gaps between those that it took, but for more than half a second.
    """
    known = np.isfinite(values)
    x, y = moments[known], values[known]
    if not len(x):
        return []
    if len(x) > MOST_POINTS:
        edges = np.linspace(0, len(x), MOST_POINTS + 1).astype(int)[:-1]
        y = (np.minimum if lowest else np.maximum).reduceat(y, edges)
        x = x[edges]
    gap = max(0.5, 3 * float(np.median(np.diff(x)))) if len(x) > 1 else 0.5
    cuts = np.flatnonzero(np.diff(x) > gap) + 1
    pairs = np.stack([x, y], 1)
    return [[(float(a), float(b)) for a, b in piece] for piece in np.split(pairs, cuts)]
