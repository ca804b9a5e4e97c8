"""The picture of a frame of the clip, with the logged landmarks of all lanes over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from app.theme.theme import MARGIN, ON_STAGE_MUTED, STAGE, stage_lane_colour
from app.widgets.fitting import fitted
from engine.core.faces import Face
from engine.core.frame import Frame, Truth
from engine.render.palette import TRUTH, code_of

NO_CLIP = "#171b20"  # of the empty picture that landmarks without a clip lie on
LINE, DOT, RING = 1.0, 2.6, 7.0  # logical pixels: width of contours, diameters
LINE_ALPHA, HIDDEN_ALPHA = 130, 90
HIDDEN = 0.5  # confidence up to which a point is faint
HALO = QColor(0, 0, 0, 110)


@dataclass(frozen=True)
class Shown:
    """What is on screen.

    Attributes:
        number: of the frame in the log.
        size: of the picture in its own pixels.
        frame: of the clip; None where it has none.
        lanes: number and faces of each lane that is shown.
    """

    number: int
    size: tuple[int, int]
    frame: Frame | None
    lanes: Sequence[tuple[int, Sequence[Face]]]


class ReviewView(QWidget):
    """Paints a frame as large as it fits, and landmarks as thin lines and dots in the pixels of the screen."""

    painted = Signal(int)  # number of the frame, once it is on screen

    def __init__(self) -> None:
        super().__init__()
        self.shown: Shown | None = None
        self.points = self.contours = True
        self.truth = False
        self._image: QImage | None = None
        self._words = ""
        self._reported = True
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(320, 48)  # what a long banner leaves of the lowest window
        self.setAccessibleName(self.tr("Picture of the clip"))

    def show_words(self, words: str) -> None:
        """Show words in place of a picture."""
        self.shown, self._image, self._words = None, None, words
        self.setAccessibleDescription(words)
        self.update()

    def show_frame(self, shown: Shown) -> None:
        """Show a frame from now on."""
        self.shown, self._image, self._reported = shown, None, False
        if shown.frame is not None:
            # QImage does not own its memory: the frame of `shown` keeps it alive.
            picture = np.ascontiguousarray(shown.frame.image)
            height, width = picture.shape[:2]
            self._image = QImage(picture.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(STAGE))
        if self.shown is None:
            painter.setPen(QColor(ON_STAGE_MUTED))
            room = QRectF(self.rect()).adjusted(2 * MARGIN, MARGIN, -2 * MARGIN, -MARGIN)
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._words)
            return
        pane = fitted(self.rect(), QSize(*self.shown.size))
        if self._image is None:
            painter.fillRect(pane, QColor(NO_CLIP))
        else:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(pane, self._image)
        painter.setClipRect(pane)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_truth(painter, pane)
        for lane, faces in reversed(self.shown.lanes):  # the first lane on top
            for face in faces:
                self._paint_face(painter, pane, face, QColor(stage_lane_colour(lane)))
        if not self._reported:
            self._reported = True
            self.painted.emit(self.shown.number)

    def _places(self, pane: QRect, points: np.ndarray) -> list[QPointF]:
        """Return where points `[K, 2]` in pixels of the picture are on screen."""
        assert self.shown is not None
        scale = pane.width() / self.shown.size[0]
        return [QPointF(pane.left() + (x + 0.5) * scale, pane.top() + (y + 0.5) * scale) for x, y in points.tolist()]

    def _paint_face(self, painter: QPainter, pane: QRect, face: Face, colour: QColor) -> None:
        places = self._places(pane, face.landmarks)
        faint, line = QColor(colour), QColor(colour)
        faint.setAlpha(HIDDEN_ALPHA)
        line.setAlpha(LINE_ALPHA)
        if self.contours:
            painter.setPen(QPen(line, LINE))
            for contour in face.scheme.contours:
                indices = (*contour.points, *contour.points[: 1 if contour.closed else 0])
                painter.drawPolyline(QPolygonF([places[index] for index in indices]))
        if self.points:
            clear = [place for place, seen in zip(places, face.confidence, strict=True) if seen > HIDDEN]
            hidden = [place for place, seen in zip(places, face.confidence, strict=True) if not seen > HIDDEN]
            _dots(painter, places, HALO, DOT + 1.2)
            _dots(painter, hidden, faint, DOT)
            _dots(painter, clear, colour, DOT)

    def _paint_truth(self, painter: QPainter, pane: QRect) -> None:
        truth: Truth | None = None if self.shown is None or self.shown.frame is None else self.shown.frame.truth
        if not self.truth or truth is None:
            return
        painter.setPen(QPen(QColor(code_of(TRUTH)), 1.0))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for place in self._places(pane, truth.points[~np.isnan(truth.points).any(1)]):
            painter.drawEllipse(place, RING / 2, RING / 2)


def _dots(painter: QPainter, places: Sequence[QPointF], colour: QColor, diameter: float) -> None:
    painter.setPen(QPen(colour, diameter, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawPoints(QPolygonF(places))
