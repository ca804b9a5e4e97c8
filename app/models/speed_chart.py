"""The picture of the models: error against milliseconds on this machine, with the size of the file as that of a dot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy

from app.models.facts import MEGABYTE
from app.theme.theme import GAP, colours, lane_colour
from app.widgets.charts import Axis, Chart, axis_of, draw_marks, draw_marks_below, draw_panel

LEFT, RIGHT, TOP, BOTTOM = 52, 24, 40, 46  # logical pixels around the plot
TICKS_ACROSS, TICKS_UP = 6, 6
RADIUS = 6.0  # logical pixels, of the dot of a file of 1 MB; areas are as files
LEAST_RADIUS, LARGEST_RADIUS = 3.5, 26.0
RING = 4.0  # logical pixels between a dot and the ring of its lane
ROOM = 1.12  # ratio that is left free at both ends of each axis, for large dots and names
NEAR = 12.0  # logical pixels around a dot in which a click counts


@dataclass(frozen=True)
class Dot:
    """A model: its error in percent, milliseconds a face, bytes of its file, numbers of the lanes that it runs in."""

    name: str
    error: float
    milliseconds: float
    bytes: int
    lanes: tuple[int, ...] = ()


class SpeedChart(Chart):
    """Draws the models that have both an error and a speed; further left and lower is better.

    Both axes are logarithmic. A click on a dot chooses its model.
    """

    chosen = Signal(str)  # name of a model

    def __init__(self) -> None:
        super().__init__(self.tr("Error and speed of the models"))
        self._dots: tuple[Dot, ...] = ()
        self._unit, self._chosen = "", ""
        self.setMinimumSize(300, 180)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        return QSize(520, 260)

    def show_dots(self, dots: Sequence[Dot], on: str, chosen: str) -> None:
        """Draw models.

        Args:
            dots: the models.
            on: the faces that errors were measured on, in words.
            chosen: name of the model whose numbers are at the head.
        """
        # Small dots lie on large ones.
        self._dots = tuple(sorted(dots, key=lambda dot: -dot.bytes))
        self._unit, self._chosen = on, chosen
        self.setAccessibleDescription(self.words())
        self.update()

    def words(self) -> str:
        """Return in words what is drawn."""
        if not self._dots:
            return self.tr("“Measure all” puts each model here, by its error and its speed on this machine.")
        ranked = sorted(self._dots, key=lambda dot: dot.error)
        return "; ".join(self._dot_words(dot) for dot in ranked)

    def dot_at(self, place: QPointF) -> Dot | None:
        """Return the model that is drawn at a place of the widget, or next to it; None where there is none."""
        axes = self._axes()
        near = [(self._distance(dot, axes, place), dot) for dot in self._dots] if axes else []
        distance, dot = min(near, key=lambda pair: pair[0], default=(math.inf, None))
        return dot if distance <= NEAR else None

    def place_of(self, name: str) -> QPointF:
        """Return where a model's dot is, in logical pixels of the widget.

        Raises:
            StopIteration: it has none.
        """
        axes = self._axes()
        assert axes is not None or not self._dots
        dot = next(dot for dot in self._dots if dot.name == name)
        return self._place(dot, axes) if axes else QPointF()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        dot = self.dot_at(event.position())
        if dot is not None:
            self.chosen.emit(dot.name)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        draw_panel(painter, QRectF(self.rect()))
        self._draw_head(painter)
        axes = self._axes()
        if axes is None:
            painter.setPen(QColor(colours().muted))
            area = QRectF(self.rect()).adjusted(3 * GAP, TOP, -3 * GAP, -GAP)
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self.words())
            return
        self._draw_axes(painter, axes)
        for dot in self._dots:
            self._draw_dot(painter, dot, axes)
        self._draw_names(painter, axes)

    def _plot(self) -> QRectF:
        return QRectF(self.rect()).adjusted(LEFT, TOP, -RIGHT, -BOTTOM)

    def _axes(self) -> tuple[Axis, Axis] | None:
        """Return the axes of milliseconds and errors; None without any model."""
        if not self._dots:
            return None
        columns = ([dot.milliseconds for dot in self._dots], [dot.error for dot in self._dots])
        across, up = (axis_of([min(values) / ROOM, max(values) * ROOM]) for values in columns)
        return across, up

    def _place(self, dot: Dot, axes: tuple[Axis, Axis]) -> QPointF:
        plot = self._plot()
        across, up = axes[0].place(dot.milliseconds), axes[1].place(dot.error)
        return QPointF(plot.left() + across * plot.width(), plot.bottom() - up * plot.height())

    def _distance(self, dot: Dot, axes: tuple[Axis, Axis], place: QPointF) -> float:
        """Return how far a place is from the edge of a dot in logical pixels; 0 inside."""
        apart = self._place(dot, axes) - place
        return max(0.0, math.hypot(apart.x(), apart.y()) - radius_of(dot))

    def _draw_head(self, painter: QPainter) -> None:
        line = QRectF(2 * GAP, GAP, self.width() - 4 * GAP, TOP - 2 * GAP)
        title = self.tr("NME % and milliseconds a face; the dot is the file")
        chosen = next((dot for dot in self._dots if dot.name == self._chosen), None)
        if chosen is not None:
            title = self._dot_words(chosen)
        painter.setPen(QColor(colours().text if chosen else colours().muted))
        shown = self.shorten(title, line.width())
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)

    def _draw_axes(self, painter: QPainter, axes: tuple[Axis, Axis]) -> None:
        plot, (across, up) = self._plot(), axes
        draw_marks(painter, plot, [(up.place(value), f"{value:.3g}") for value in up.ticks(TICKS_UP)], colours().hover)
        marks = [(across.place(value), f"{value:.3g}") for value in across.ticks(TICKS_ACROSS)]
        draw_marks_below(painter, plot, marks)
        below = QRectF(plot.left(), plot.bottom() + 22, plot.width(), 20)
        words = self.tr("ms a face here   ·   up: NME % on {0}").format(self._unit)
        shown = self.shorten(words, below.width())
        painter.drawText(below, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, shown)

    def _draw_dot(self, painter: QPainter, dot: Dot, axes: tuple[Axis, Axis]) -> None:
        place, radius = self._place(dot, axes), radius_of(dot)
        fill = QColor(colours().accent)
        fill.setAlpha(230 if dot.name == self._chosen else 130)
        painter.setPen(QPen(QColor(colours().field), 1.0))
        painter.setBrush(fill)
        painter.drawEllipse(place, radius, radius)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for ring, lane in enumerate(dot.lanes, 1):
            painter.setPen(QPen(QColor(lane_colour(lane)), 2.0))
            painter.drawEllipse(place, radius + ring * RING, radius + ring * RING)

    def _draw_names(self, painter: QPainter, axes: tuple[Axis, Axis]) -> None:
        """Write names beside the dots, those of the chosen model and of the lanes first; none onto another one."""
        metrics = self.fontMetrics()
        taken = [self._frame_of(dot, axes) for dot in self._dots]
        for dot in sorted(self._dots, key=lambda dot: (dot.name != self._chosen, not dot.lanes, dot.error)):
            place, away = self._place(dot, axes), radius_of(dot) + RING * (1 + len(dot.lanes))
            width, height = metrics.horizontalAdvance(dot.name), metrics.height()
            right = QRectF(place.x() + away, place.y() - height / 2, width, height)
            left = QRectF(place.x() - away - width, place.y() - height / 2, width, height)
            over = QRectF(place.x() - width / 2, place.y() - away - height, width, height)
            under = QRectF(place.x() - width / 2, place.y() + away, width, height)
            inside = QRectF(self.rect()).adjusted(LEFT, TOP - GAP, -2, -BOTTOM)
            for spot in (right, left, over, under):
                if inside.contains(spot) and not any(spot.intersects(other) for other in taken):
                    taken.append(spot)
                    painter.setPen(QColor(colours().text))
                    painter.drawText(spot, Qt.AlignmentFlag.AlignCenter, dot.name)
                    break

    def _frame_of(self, dot: Dot, axes: tuple[Axis, Axis]) -> QRectF:
        place, reach = self._place(dot, axes), radius_of(dot) + RING * len(dot.lanes)
        return QRectF(place.x() - reach, place.y() - reach, 2 * reach, 2 * reach)

    def _dot_words(self, dot: Dot) -> str:
        return self.tr("{0}: NME {1} %, {2} ms, {3} MB").format(
            dot.name, f"{dot.error:.2f}", f"{dot.milliseconds:.2f}", f"{dot.bytes / MEGABYTE:.2f}"
        )


def radius_of(dot: Dot) -> float:
    """Return the radius of a dot in logical pixels: its area is as the size of the file, within limits."""
    return min(max(RADIUS * math.sqrt(dot.bytes / MEGABYTE), LEAST_RADIUS), LARGEST_RADIUS)
