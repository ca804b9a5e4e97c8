"""The legend of the difference view: what its arrows and the colours of its heat mean."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QLinearGradient, QPainter

from app.live.viewport.captions import Line
from app.live.viewport.plate import PADDING_X, PADDING_Y, line_height, lines_width, paint_lines, paint_plate, plate_font
from app.theme.theme import ON_STAGE_MUTED
from engine.render.palette import HEAT, HOTTEST

BAR_WIDTH, BAR_HEIGHT = 150.0, 6.0  # logical pixels
GAP = 6.0  # around the bar, and between its ticks and their unit


def paint_legend(painter: QPainter, lines: Sequence[Line], unit: str, corner: QPointF) -> None:
    """Paint the legend with its lower left corner at `corner`.

    Args:
        painter: in the window's font, and in logical pixels.
        lines: what stands above the scale.
        unit: what the scale counts.
        corner: of the plate.
    """
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(plate_font(painter.font()))
    metrics = QFontMetricsF(painter.font())
    scale_width = BAR_WIDTH + GAP + metrics.horizontalAdvance(unit)
    width = max(lines_width(lines, metrics), scale_width) + 2 * PADDING_X
    height = line_height(metrics) * len(lines) + GAP + BAR_HEIGHT + GAP / 2 + metrics.height() + 2 * PADDING_Y
    plate = QRectF(corner.x(), corner.y() - height, width, height)
    paint_plate(painter, plate)
    inner = plate.adjusted(PADDING_X, PADDING_Y, -PADDING_X, -PADDING_Y)
    y = paint_lines(painter, lines, inner)
    _paint_scale(painter, QPointF(inner.left(), y + GAP), metrics, unit)
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
    baseline = bar.bottom() + GAP / 2 + metrics.ascent()
    painter.setPen(QColor(ON_STAGE_MUTED))
    for share, text in ((0.0, "0"), (0.5, f"{HOTTEST / 2:g}"), (1.0, f"{HOTTEST:g}+")):
        x = bar.left() + share * (bar.width() - metrics.horizontalAdvance(text))
        painter.drawText(QPointF(x, baseline), text)
    painter.drawText(QPointF(bar.right() + GAP, baseline), unit)
