"""The font of numbers that change while they are read."""

from __future__ import annotations

from PySide6.QtGui import QFont


def plate_font(font: QFont, size: float = 1.0, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """Return the window's font for plates, `size` times as large, its digits all of one width."""
    set_font = QFont(font)
    set_font.setPointSizeF(font.pointSizeF() * size)
    set_font.setWeight(weight)
    set_font.setFeature(QFont.Tag("tnum"), 1)
    return set_font
