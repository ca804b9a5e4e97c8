"""A curve over the steps of a training run."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy

from app.theme.theme import GAP, colours
from app.train.log_reader import Points
from app.widgets.charts import Axis, Chart, axis_of, draw_marks, draw_marks_below, draw_panel

LEFT, RIGHT, TOP, BOTTOM = 58, 20, 40, 32  # logical pixels around the plot
TICKS_ACROSS, TICKS_UP = 6, 7
DOTS_BELOW = 60  # points; more of them are drawn as a line with its running mean


def smoothed(points: Points) -> Points:
    """Return the running mean of noisy values, over a fortieth of them to either side."""
    steps, values = zip(*points, strict=True)
    window = np.ones(2 * (len(points) // 40) + 1)
    means = np.convolve(values, window, "same") / np.convolve(np.ones(len(points)), window, "same")
    return tuple(zip(steps, means.tolist(), strict=True))


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
        self._points, self._steps = points, max(steps, 1)
        self.setAccessibleDescription(self.words())
        self.update()

    def words(self) -> str:
        """Return in words what the curve shows."""
        if not self._points:
            return self.tr("No values yet.")
        lowest = min(self._points, key=lambda point: point[1])
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
        across, up = Axis(0, self._steps), axis_of([value for _, value in self._points])
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
        marks = [(across.place(value), f"{value:.6g}") for value in across.ticks(TICKS_ACROSS)]
        draw_marks_below(painter, plot, marks)

    def _draw_curve(self, painter: QPainter, across: Axis, up: Axis) -> None:
        plot = self._plot()

        def place(step: int, value: float) -> QPointF:
            return QPointF(
                plot.left() + across.place(step) * plot.width(), plot.bottom() - up.place(value) * plot.height()
            )

        many = len(self._points) >= DOTS_BELOW
        accent = QColor(colours().accent)
        if many:
            painter.setPen(QPen(QColor(colours().soft_accent), 1.2))
            painter.drawPolyline(QPolygonF([place(*point) for point in self._points]))
        painter.setPen(QPen(accent, 2.0, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        line = smoothed(self._points) if many else self._points
        painter.drawPolyline(QPolygonF([place(*point) for point in line]))
        painter.setBrush(accent)
        for point in () if many else self._points:
            painter.drawEllipse(place(*point), 1.5, 1.5)
        near = self._near
        if near is not None:
            painter.setPen(QPen(QColor(colours().text), 1.5))
            painter.drawEllipse(place(*near), 4, 4)

    def _value_words(self, value: float) -> str:
        return f"{value:.4g}{self._unit}"
