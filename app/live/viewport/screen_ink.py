"""The ink of the overlay over a picture on the screen, in its device pixels."""

from __future__ import annotations

from PySide6.QtCore import QRect
from PySide6.QtGui import QImage, QPainter

from engine.live.view import LaneView
from engine.render.canvas import Canvas, Pane
from engine.render.ink import Ink, InkPainter
from engine.render.layer import Layer


class ScreenInk:
    """Paints the ink of one pane. It is drawn here only where it was drawn for another pane, as after a resize."""

    def __init__(self) -> None:
        self._painter, self._ink = InkPainter(), Ink()
        self._lane: LaneView | None = None  # whose ink it is

    def paint(self, painter: QPainter, lane: LaneView, place: QRect, ratio: float) -> None:
        """Paint what is drawn of a lane's result.

        Args:
            painter: in logical pixels.
            lane: its picture fills the pane.
            place: of the pane, in device pixels.
            ratio: device pixels of a logical one.
        """
        pane = Pane(place.width(), place.height(), ratio)
        painter.save()
        painter.scale(1 / ratio, 1 / ratio)  # device pixels: nothing is scaled
        for layer in self._ink_of(lane, Canvas.on_screen(lane.result.frame, pane)).layers:
            if layer.pixels.size:
                painter.drawImage(place.x() + layer.region.x0, place.y() + layer.region.y0, _image(layer))
        painter.restore()

    def _ink_of(self, lane: LaneView, canvas: Canvas) -> Ink:
        if lane.ink is not None and lane.ink.canvas == canvas:
            return lane.ink
        if lane is not self._lane or self._ink.canvas != canvas:
            self._painter.draw(self._ink, canvas, lane.result, lane.look, lane.signals, lane.other)
            self._lane = lane
        return self._ink


def _image(layer: Layer) -> QImage:
    """Return a layer's pixels without copying them."""
    height, width = layer.pixels.shape[:2]
    kind = QImage.Format.Format_ARGB32_Premultiplied
    return QImage(layer.pixels.data, width, height, layer.pixels.strides[0], kind)
