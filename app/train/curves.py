"""A curve over the steps of a training run."""

from __future__ import annotations

from itertools import pairwise
from operator import itemgetter

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy

from app.theme.theme import GAP, colours
from app.train.log_reader import Points
from app.widgets.charts import Axis, Chart, axis_of, draw_marks, draw_marks_below, draw_panel

LEFT, RIGHT, TOP, BOTTOM = 58, 20, 40, 32  # logical pixels around the plot
TICKS_ACROSS, TICKS_UP = 6, 7
TICK_WIDTH = 60  # logical pixels that a label below the plot needs
DOTS_BELOW = 60  # points; more of them are drawn as a line with its running mean
MOST_DRAWN = 600  # points of a line: more fall on the same pixels, and painting them would hold the window


def smoothed(points: Points) -> Points:
    """Return the running mean of noisy values, over a fortieth of them to either side."""
    steps, values = zip(*points, strict=True)
    place, reach = np.arange(len(points)), len(points) // 40
    first, last = np.maximum(place - reach, 0), np.minimum(place + reach + 1, len(points))
    sums = np.concatenate(([0.0], np.cumsum(values)))
    means = (sums[last] - sums[first]) / (last - first)
    return tuple(zip(steps, means.tolist(), strict=True))


def thinned(points: Points) -> Points:
    """Return at most `MOST_DRAWN` points whose line looks as that of all: the extremes of each stretch."""
    if len(points) <= MOST_DRAWN:
        return points
    kept = list[tuple[int, float]]()
    for first, last in pairwise(np.linspace(0, len(points), MOST_DRAWN // 2 + 1, dtype=int)):
        stretch = points[first:last]
        kept += sorted({min(stretch, key=itemgetter(1)), max(stretch, key=itemgetter(1))})
    return tuple(kept)


class CurveChart(Chart):
    """Draws one curve, logarithmic upwards; under the mouse it tells step and value.

    Many points are noise of single batches: they are drawn faint, and their running mean over them.

    Args:
        title: what is drawn.
        unit: behind values, with its space; "" for none.
    """

    def __init__(self, title: str, unit: str = "") -> None:
        super().__init__(title)
        self._title, self._unit = title, unit
        self._points: Points = ()
        self._line: Points = ()  # what is drawn
        self._noise: Points = ()  # faint, behind it
        self._steps = 0
        self.setMinimumSize(240, 150)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        return QSize(420, 160)

    def show_points(self, points: Points, steps: int) -> None:
        """Draw a curve.

        Args:
            points: (step, value), by step.
            steps: of the whole run, the right end.
        """
        if (points, max(steps, 1)) == (self._points, self._steps):
            return
        self._points, self._steps = points, max(steps, 1)
        many = len(points) >= DOTS_BELOW
        self._line, self._noise = (thinned(smoothed(points)), thinned(points)) if many else (points, ())
        self.setAccessibleDescription(self.words())
        self.update()

    def words(self) -> str:
        """Return in words what the curve shows."""
        if not self._points:
            return self.tr("No values yet.")
        lowest = min(self._points, key=itemgetter(1))
        return self.tr("Latest {0}, lowest {1} at step {2}").format(
            self._value_words(self._points[-1][1]), self._value_words(lowest[1]), lowest[0]
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        draw_panel(painter, QRectF(self.rect()))
        self._draw_head(painter)
        if not self._points:
            painter.setPen(QColor(colours().muted))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.tr("No values yet."))
            return
        across, up = Axis(0, self._steps), axis_of([value for _, value in self._noise or self._line])
        self._draw_grid(painter, across, up)
        self._draw_curve(painter, across, up)

    @property
    def _near(self) -> tuple[int, float] | None:
        if self.hovered is None or not self._points:
            return None
        plot = self._plot()
        step = (self.hovered - plot.left()) / max(1.0, plot.width()) * self._steps
        return min(self._points, key=lambda point: abs(point[0] - step))

    def _plot(self) -> QRectF:
        return QRectF(self.rect()).adjusted(LEFT, TOP, -RIGHT, -BOTTOM)

    def _draw_head(self, painter: QPainter) -> None:
        line = QRectF(2 * GAP, GAP, self.width() - 4 * GAP, TOP - 2 * GAP)
        flags = Qt.AlignmentFlag.AlignVCenter
        if self._points:
            step, value = self._near or self._points[-1]
            words = self.tr("step {0}: {1}").format(step, self._value_words(value))
            painter.setPen(QColor(colours().text))
            painter.drawText(line, flags | Qt.AlignmentFlag.AlignRight, words)
            line.setRight(line.right() - self.fontMetrics().horizontalAdvance(words) - GAP)
        title = self.shorten(self._title, line.width())
        painter.setPen(QColor(colours().muted))
        painter.drawText(line, flags | Qt.AlignmentFlag.AlignLeft, title)

    def _draw_grid(self, painter: QPainter, across: Axis, up: Axis) -> None:
        plot = self._plot()
        draw_marks(painter, plot, [(up.place(value), f"{value:.4g}") for value in up.ticks(TICKS_UP)], colours().hover)
        most = min(TICKS_ACROSS, int(plot.width() / TICK_WIDTH))
        marks = [(across.place(value), f"{value:.6g}") for value in across.ticks(max(2, most))]
        draw_marks_below(painter, plot, marks)

    def _draw_curve(self, painter: QPainter, across: Axis, up: Axis) -> None:
        plot = self._plot()

        def place(step: int, value: float) -> QPointF:
            return QPointF(
                plot.left() + across.place(step) * plot.width(), plot.bottom() - up.place(value) * plot.height()
            )

        accent = QColor(colours().accent)
        painter.setPen(QPen(QColor(colours().soft_accent), 1.2))
        painter.drawPolyline(QPolygonF([place(*point) for point in self._noise]))
        painter.setPen(QPen(accent, 2.0, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        painter.drawPolyline(QPolygonF([place(*point) for point in self._line]))
        painter.setBrush(accent)
        for point in () if self._noise else self._line:
            painter.drawEllipse(place(*point), 1.5, 1.5)
        near = self._near
        if near is not None:
            painter.setPen(QPen(QColor(colours().text), 1.5))
            painter.drawEllipse(place(*near), 4, 4)

    def _value_words(self, value: float) -> str:
        return f"{value:.4g}{self._unit}"
