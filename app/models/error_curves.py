"""The cumulative error distributions of the models, as far as their cards note them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy

from app.theme.theme import GAP, colours, lane_colour
from app.widgets.charts import Axis, Chart, draw_marks, draw_marks_below, draw_panel
from engine.core.metrics import FAILURE_THRESHOLD, NOTED_STEP

LEFT, RIGHT, TOP, BOTTOM = 52, 20, 40, 46  # logical pixels around the plot
QUIET, LOUD = 1.2, 2.2  # logical pixels, of lines


@dataclass(frozen=True)
class Curve:
    """A model's curve: shares in [0, 1] of errors not above 0, `NOTED_STEP` ... percent; and its lanes' numbers."""

    name: str
    shares: tuple[float, ...]
    lanes: tuple[int, ...] = ()


class ErrorCurves(Chart):
    """Draws the curves: the chosen model's in the accent, those of the lanes in their colours, the others faint.

    Further left and higher is better. Under the mouse it tells the chosen model's share.
    """

    def __init__(self) -> None:
        super().__init__(self.tr("Cumulative errors of the models"))
        self._curves: tuple[Curve, ...] = ()
        self._unit, self._chosen = "", ""
        self.setMinimumSize(260, 180)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        return QSize(420, 260)

    def show_curves(self, curves: Sequence[Curve], on: str, chosen: str) -> None:
        """Draw curves of errors that were measured `on` some faces, as words say, that of the model `chosen` on top."""
        self._curves = tuple(sorted(curves, key=lambda curve: (curve.name == chosen, bool(curve.lanes))))
        self._unit, self._chosen = on, chosen
        self.setAccessibleDescription(self.words())
        self.update()

    def words(self) -> str:
        """Return in words what is drawn."""
        if not self._curves:
            return self.tr("No card notes a curve. “understudy evaluate --save-to-card” does.")
        middle = FAILURE_THRESHOLD / 2
        return "; ".join(self._share_words(curve, middle) for curve in reversed(self._curves))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        draw_panel(painter, QRectF(self.rect()))
        if not self._curves:
            painter.setPen(QColor(colours().muted))
            area = QRectF(self.rect()).adjusted(3 * GAP, GAP, -3 * GAP, -GAP)
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self.words())
            return
        self._draw_head(painter)
        self._draw_axes(painter)
        for curve in self._curves:
            self._draw_curve(painter, curve)

    def _plot(self) -> QRectF:
        return QRectF(self.rect()).adjusted(LEFT, TOP, -RIGHT, -BOTTOM)

    def _draw_head(self, painter: QPainter) -> None:
        curve = next((curve for curve in self._curves if curve.name == self._chosen), None)
        plot = self._plot()
        share = 0.5 if self.hovered is None else (self.hovered - plot.left()) / max(1.0, plot.width())
        words = self.tr("Share of faces with an error up to a given value")
        if curve is not None:
            words = self._share_words(curve, min(max(share, 0.0), 1.0) * FAILURE_THRESHOLD)
        painter.setPen(QColor(colours().muted if curve is None else colours().text))
        line = QRectF(2 * GAP, GAP, self.width() - 4 * GAP, TOP - 2 * GAP)
        shown = self.shorten(words, line.width())
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)

    def _draw_axes(self, painter: QPainter) -> None:
        plot, across = self._plot(), Axis(0.0, FAILURE_THRESHOLD)
        draw_marks(painter, plot, [(share / 100, f"{share} %") for share in range(0, 101, 25)], colours().hover)
        draw_marks_below(painter, plot, [(across.place(value), f"{value:g}") for value in across.ticks(6)])
        below = QRectF(plot.left(), plot.bottom() + 22, plot.width(), 20)
        words = self.tr("NME % on {0}, at most").format(self._unit)
        shown = self.shorten(words, below.width())
        painter.drawText(below, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, shown)

    def _draw_curve(self, painter: QPainter, curve: Curve) -> None:
        plot, loud = self._plot(), curve.name == self._chosen or bool(curve.lanes)
        colour = colours().accent if curve.name == self._chosen else colours().edge
        if curve.lanes:
            colour = lane_colour(curve.lanes[0])
        painter.setPen(QPen(QColor(colour), LOUD if loud else QUIET))
        last = len(curve.shares) - 1
        points = [
            QPointF(plot.left() + number / last * plot.width(), plot.bottom() - share * plot.height())
            for number, share in enumerate(curve.shares)
        ]
        painter.drawPolyline(QPolygonF(points))

    def _share_words(self, curve: Curve, error: float) -> str:
        place = min(max(error / NOTED_STEP, 0.0), len(curve.shares) - 1.0)
        below = int(place)
        above = min(below + 1, len(curve.shares) - 1)
        share = curve.shares[below] + (place - below) * (curve.shares[above] - curve.shares[below])
        return self.tr("{0}: {1} % of the faces within NME {2} %").format(
            curve.name, f"{100 * share:.1f}", f"{error:.2g}"
        )
