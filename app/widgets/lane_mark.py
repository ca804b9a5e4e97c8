"""The mark of a lane: a dot in its colour."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.theme.theme import lane_colour

DIAMETER = 10  # logical pixels


class LaneMark(QWidget):
    """A dot in the colour of a lane, counted from 0."""

    def __init__(self, lane: int) -> None:
        super().__init__()
        self._lane = lane
        self.setFixedSize(DIAMETER, DIAMETER)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(lane_colour(self._lane)))
        painter.drawEllipse(self.rect())
