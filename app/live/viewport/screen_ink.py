"""The ink of the overlay over a picture on the screen, in its device pixels."""

from __future__ import annotations

from PySide6.QtCore import QRect
from PySide6.QtGui import QImage, QPainter

from engine.live.view import LaneView
from engine.render.canvas import Canvas
from engine.render.ink import InkPainter
from engine.render.layer import Layer


class ScreenInk:
    """Paints the ink of one pane; it is drawn again only when the lane shows something new or the pane has changed."""

    def __init__(self) -> None:
        self._painter = InkPainter()
        self._layers: list[tuple[Layer, QImage]] = []
        self._drawn: tuple[LaneView, Canvas] | None = None

    def paint(self, painter: QPainter, lane: LaneView, pane: QRect, ratio: float) -> None:
        """Paint what is drawn of a lane's result.

        Args:
            painter: in logical pixels.
            lane: its picture fills the pane.
            pane: in device pixels.
            ratio: device pixels of a logical one.
        """
        canvas = Canvas.on_screen(lane.result.frame, pane.width(), pane.height(), ratio)
        if self._drawn is None or self._drawn[0] is not lane or self._drawn[1] != canvas:
            layers = self._painter.draw(canvas, lane.result, lane.look, lane.signals, lane.other)
            self._layers = [(layer, _image(layer)) for layer in layers if layer.pixels.size]
            self._drawn = lane, canvas
        painter.save()
        painter.scale(1 / ratio, 1 / ratio)  # device pixels: nothing is scaled
        for layer, image in self._layers:
            painter.drawImage(pane.x() + layer.region.x0, pane.y() + layer.region.y0, image)
        painter.restore()


def _image(layer: Layer) -> QImage:
    """Return a layer's pixels without copying them."""
    height, width = layer.pixels.shape[:2]
    kind = QImage.Format.Format_ARGB32_Premultiplied
    return QImage(layer.pixels.data, width, height, layer.pixels.strides[0], kind)
