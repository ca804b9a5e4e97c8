"""Buttons whose symbol is drawn, as those that play a file."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QToolButton

from app.shortcuts.shortcuts import Act
from app.theme.theme import colours
from app.widgets.controls import named

BUTTON_WIDTH, BUTTON_HEIGHT = 36, 30  # logical pixels
MARK = 7.0  # half the size of a symbol, logical pixels


class SignButton(QToolButton):
    """A button with a drawn symbol: “play”, “pause”, “back”, “on” or “loop”."""

    def __init__(self, sign: str, name: str, act: Act | None = None) -> None:
        super().__init__()
        self.sign = sign
        named(self, name, name, act).setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setFixedSize(BUTTON_WIDTH, BUTTON_HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(QRectF(self.rect()).center())
        colour = QColor(colours().on_accent if self.isChecked() or self.isDown() else colours().text)
        if self.sign == "loop":
            painter.setPen(QPen(colour, 1.8, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawArc(QRectF(-MARK, -MARK, 2 * MARK, 2 * MARK), 60 * 16, 300 * 16)
            painter.translate(MARK * 0.5, -MARK * 0.87)
            painter.rotate(30)
            painter.fillPath(_triangle(4.2), colour)
        else:
            painter.fillPath(_sign(self.sign), colour)


def _sign(sign: str) -> QPainterPath:
    path = QPainterPath()
    if sign == "play":
        return _triangle(MARK).translated(1.0, 0.0)
    if sign == "pause":
        path.addRect(QRectF(-MARK + 1.5, -MARK, 4.0, 2 * MARK))
        path.addRect(QRectF(MARK - 5.5, -MARK, 4.0, 2 * MARK))
    else:
        side = 1.0 if sign == "on" else -1.0
        path.addPolygon([QPointF(-side * x, y) for x, y in ((5.0, -6.0), (-3.0, 0.0), (5.0, 6.0), (5.0, -6.0))])
        path.addRect(QRectF(side * 4.5 - 1.2, -6.0, 2.4, 12.0))
    return path


def _triangle(size: float) -> QPainterPath:
    path = QPainterPath(QPointF(-size * 0.8, -size))
    path.lineTo(size, 0.0)
    path.lineTo(-size * 0.8, size)
    path.closeSubpath()
    return path
