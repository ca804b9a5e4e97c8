"""Dark plates on the live picture, and text set on them."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from app.live.viewport.captions import Line
from app.theme.theme import ON_STAGE, ON_STAGE_MUTED, STAGE

ALPHA = 205  # of a plate: the muted text on it stands at 4.5 : 1 over any picture
# Logical pixels.
PADDING_X, PADDING_Y = 14.0, 11.0
CORNER = 8.0
MARK, MARK_GAP = 9.0, 7.0
LINE_HEIGHT = 1.28  # of the letters' own height


def plate_font(font: QFont, size: float = 1.0, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """Return the window's font for plates, `size` times as large, its digits all of one width."""
    set_font = QFont(font)
    set_font.setPointSizeF(font.pointSizeF() * size)
    set_font.setWeight(weight)
    set_font.setFeature(QFont.Tag("tnum"), 1)
    return set_font


def paint_plate(painter: QPainter, plate: QRectF) -> None:
    """Paint the ground of a plate."""
    ground = QColor(STAGE)
    ground.setAlpha(ALPHA)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ground)
    painter.drawRoundedRect(plate, CORNER, CORNER)


def line_height(metrics: QFontMetricsF) -> float:
    """Return the distance of two baselines."""
    return metrics.height() * LINE_HEIGHT


def lines_width(lines: Iterable[Line], metrics: QFontMetricsF) -> float:
    """Return how wide the longest line is, its mark included."""
    return max((metrics.horizontalAdvance(line.text) + _indent(line) for line in lines), default=0.0)


def paint_lines(painter: QPainter, lines: Iterable[Line], inner: QRectF) -> float:
    """Set lines in the painter's font from the top of `inner`, shortened to its width.

    Returns:
        Where the next line would begin.
    """
    metrics, y = QFontMetricsF(painter.font()), inner.top()
    for line in lines:
        if line.colour:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(line.colour))
            painter.drawEllipse(QRectF(inner.left(), y + (metrics.height() - MARK) / 2, MARK, MARK))
        x = inner.left() + _indent(line)
        painter.setPen(QColor(ON_STAGE_MUTED if line.muted else ON_STAGE))
        text = metrics.elidedText(line.text, Qt.TextElideMode.ElideRight, inner.right() - x + 0.5)
        painter.drawText(QPointF(x, y + metrics.ascent()), text)
        y += line_height(metrics)
    return y


def _indent(line: Line) -> float:
    return MARK + MARK_GAP if line.colour else 0.0
