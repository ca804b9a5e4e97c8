"""Dark plates on the live picture, text on them, and the legend of the difference view."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QLinearGradient, QPainter

from app.live.viewport.captions import Line
from app.theme.theme import ON_STAGE, ON_STAGE_MUTED, stage_colour
from app.widgets.fonts import plate_font
from engine.render.palette import HEAT, HOTTEST

ALPHA = 205  # of a plate: the muted text on it has a contrast of 4.5 : 1 over any picture
# Logical pixels.
PADDING_X, PADDING_Y = 14.0, 11.0
CORNER = 8.0
MARK, MARK_GAP = 9.0, 7.0
LINE_HEIGHT = 1.28  # of the letters' own height
BAR_WIDTH, BAR_HEIGHT = 150.0, 6.0  # logical pixels
SCALE_GAP = 6.0  # around the bar, and between its ticks and their unit


def paint_plate(painter: QPainter, plate: QRectF) -> None:
    """Paint the background of a plate."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(stage_colour(ALPHA))
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


def legend_size(font: QFont, lines: Sequence[Line], unit: str) -> QSizeF:
    """Return the size of the legend in logical pixels; the arguments are those of `paint_legend`."""
    metrics = QFontMetricsF(plate_font(font))
    scale_width = BAR_WIDTH + SCALE_GAP + metrics.horizontalAdvance(unit)
    scale_height = SCALE_GAP + BAR_HEIGHT + SCALE_GAP / 2 + metrics.height()
    return QSizeF(
        max(lines_width(lines, metrics), scale_width) + 2 * PADDING_X,
        line_height(metrics) * len(lines) + scale_height + 2 * PADDING_Y,
    )


def paint_legend(painter: QPainter, lines: Sequence[Line], unit: str, plate: QRectF) -> None:
    """Paint the legend.

    Args:
        painter: in the window's font, and in logical pixels.
        lines: the text above the scale.
        unit: of the scale.
        plate: its place, of the size that `legend_size` returns.
    """
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(plate_font(painter.font()))
    metrics = QFontMetricsF(painter.font())
    paint_plate(painter, plate)
    inner = plate.adjusted(PADDING_X, PADDING_Y, -PADDING_X, -PADDING_Y)
    y = paint_lines(painter, lines, inner)
    _paint_scale(painter, QPointF(inner.left(), y + SCALE_GAP), metrics, unit)
    painter.restore()


def _paint_scale(painter: QPainter, start: QPointF, metrics: QFontMetricsF, unit: str) -> None:
    """Paint the bar of the heat colours from `start`, with its ticks and their unit below."""
    bar = QRectF(start.x(), start.y(), BAR_WIDTH, BAR_HEIGHT)
    shades = QLinearGradient(bar.topLeft(), bar.topRight())
    for step, (blue, green, red) in enumerate(HEAT):
        shades.setColorAt(step / (len(HEAT) - 1), QColor(red, green, blue))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(shades)
    painter.drawRoundedRect(bar, BAR_HEIGHT / 2, BAR_HEIGHT / 2)
    baseline = bar.bottom() + SCALE_GAP / 2 + metrics.ascent()
    painter.setPen(QColor(ON_STAGE_MUTED))
    for share, text in ((0.0, "0"), (0.5, f"{HOTTEST / 2:g}"), (1.0, f"{HOTTEST:g}+")):
        x = bar.left() + share * (bar.width() - metrics.horizontalAdvance(text))
        painter.drawText(QPointF(x, baseline), text)
    painter.drawText(QPointF(bar.right() + SCALE_GAP, baseline), unit)
