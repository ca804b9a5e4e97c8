"""The widget that shows the live picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.theme import ACCENT, GAP, MARGIN, MUTED, STAGE, TEXT

DIMMED = QColor(13, 15, 18, 170)  # laid over a picture that is no longer live


class LiveView(QWidget):
    """Paints the newest picture as large as it fits, on a dark stage, with a notice over it where there is one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pixels: NDArray[np.uint8] | None = None  # QImage does not own its memory: this reference keeps it alive
        self._image: QImage | None = None
        self._notice = self._hint = ""
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(320, 240)
        self.setAccessibleName(self.tr("Live picture"))

    @property
    def pixels(self) -> NDArray[np.uint8] | None:
        """The picture on screen, `[H, W, 4]` uint8 BGRA, or None; only to be read, and copied to be kept."""
        return self._pixels

    @property
    def notice(self) -> str:
        """The words over the picture, "" where there are none."""
        return self._notice

    def show_picture(self, pixels: NDArray[np.uint8]) -> None:
        """Show a picture from now on.

        Args:
            pixels: `[H, W, 4]` uint8 BGRA with contiguous rows. Not copied: its content must stay until the next call.
        """
        height, width = pixels.shape[:2]
        self._pixels = pixels
        self._image = QImage(pixels.data, width, height, pixels.strides[0], QImage.Format.Format_RGB32)
        self.update()

    def show_notice(self, words: str) -> None:
        """Dim the picture and put words over it; "" takes both away."""
        if words != self._notice:
            self._notice = words
            self.setAccessibleDescription(words)
            self.update()

    def show_hint(self, words: str) -> None:
        """Frame the stage and put words over everything, while something is dragged over it; "" takes them away."""
        self._hint = words
        self.update()

    def picture_area(self) -> QRectF:
        """Return where the picture is painted, in logical pixels, its edges on whole device pixels."""
        if self._image is None:
            return QRectF()
        ratio = self.devicePixelRatioF()
        wide, high = round(self.width() * ratio), round(self.height() * ratio)
        scale = min(wide / self._image.width(), high / self._image.height())
        width, height = round(self._image.width() * scale), round(self._image.height() * scale)
        left, top = (wide - width) // 2, (high - height) // 2
        return QRectF(left / ratio, top / ratio, width / ratio, height / ratio)

    def sizeHint(self) -> QSize:
        return QSize(960, 720)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(STAGE))
        if self._image is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(self.picture_area(), self._image)
        if self._hint:
            painter.fillRect(self.rect(), DIMMED)
            painter.setPen(QPen(QColor(ACCENT), 3))
            painter.drawRect(self.rect().adjusted(GAP, GAP, -GAP, -GAP))
            self._paint_words(painter, self._hint)
        elif self._notice:
            if self._image is not None:
                painter.fillRect(self.picture_area(), DIMMED)
            self._paint_words(painter, self._notice)

    def _paint_words(self, painter: QPainter, words: str) -> None:
        font = self.font()
        font.setPointSizeF(font.pointSizeF() * 1.3)
        painter.setFont(font)
        painter.setPen(QColor(TEXT if self._image is not None else MUTED))
        area: QRect = self.rect().adjusted(2 * MARGIN, 2 * MARGIN, -2 * MARGIN, -2 * MARGIN)
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, words.replace(". ", ".\n"))
