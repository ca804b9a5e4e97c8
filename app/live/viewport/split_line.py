"""The line between two lanes on one picture: it follows the mouse and the arrow keys."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QAbstractSlider, QWidget

from app.theme.theme import ON_STAGE, STAGE_ACCENT, stage_colour

REACH = 14  # logical pixels on either side of the line where the mouse grabs it
HANDLE_AT = 0.88  # of the height: below the face
STEP, LONG_STEP = 0.01, 0.1  # of the picture's width
CHEVRON = ((4.0, -3.5), (7.5, 0.0), (4.0, 3.5))  # logical pixels right of the handle's middle
_STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}


class SplitLine(QAbstractSlider):
    """A transparent slider over the picture; its owner paints the line with `paint`, and moves the widget with it.

    To assistive technology it is a slider from 0 to 100 % of the width.
    """

    wanted_at = Signal(float)  # place as a share of the picture's width

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._owner, self._place, self._area = parent, 0.5, QRectF()
        self.setRange(0, 100)
        self.setValue(50)
        self.setCursor(Qt.CursorShape.SplitHCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(self.tr("Split line in percent of the picture's width"))
        self.setToolTip(self.tr("Drag, or move with the arrow keys; with Shift in larger steps"))
        self.actionTriggered.connect(lambda _: self.wanted_at.emit(self.sliderPosition() / 100))  # assistive technology
        self.hide()

    def paint(self, painter: QPainter, top: QPointF, height: float) -> None:
        """Paint the line downwards from `top` with its handle, in logical pixels of the parent."""
        bottom = QPointF(top.x(), top.y() + height)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for colour, width in ((stage_colour(110), 4.0), (QColor(ON_STAGE), 1.5)):
            painter.setPen(QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
            painter.drawLine(top, bottom)
        middle = QPointF(top.x(), top.y() + height * HANDLE_AT)
        focused = self.hasFocus()
        painter.setPen(QPen(QColor(STAGE_ACCENT if focused else ON_STAGE), 2.5 if focused else 1.5))
        painter.setBrush(stage_colour(215))
        painter.drawEllipse(middle, REACH - 1.0, REACH - 1.0)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(ON_STAGE), 1.6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        for side in (-1.0, 1.0):
            painter.drawPolyline(QPolygonF([middle + QPointF(side * x, y) for x, y in CHEVRON]))
        painter.restore()

    def follow(self, place: float, area: QRectF) -> None:
        """Move to the line at a share `place` of `area`, in logical pixels of the parent."""
        self._place, self._area = place, area
        x = area.left() + place * area.width()
        self.setGeometry(round(x) - REACH, round(area.top()), 2 * REACH, round(area.height()))
        self.setValue(round(place * 100))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.setAccepted(event.button() == Qt.MouseButton.LeftButton)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton and self._area.width() > 0:
            mouse = self.mapToParent(event.position())
            self.wanted_at.emit((mouse.x() - self._area.left()) / self._area.width())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.wanted_at.emit(0.5)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        sign = _STEPS.get(Qt.Key(event.key()))
        if sign is not None:
            large = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self.wanted_at.emit(self._place + sign * (LONG_STEP if large else STEP))
        elif event.key() in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.wanted_at.emit(0.0 if event.key() == Qt.Key.Key_Home else 1.0)
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._owner.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._owner.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint nothing: the line is part of the picture below."""
