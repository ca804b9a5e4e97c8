"""A line in the lower part of the picture when no face is seen, or only faces that are too small."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QLabel

from app.live.viewport.viewport import Viewport
from engine.core.faces import Result

ABOVE_FOOT = 76  # logical pixels: below, the first hint and banners have their place
AFTER_MS = 2000  # a blink of the detector is not worth a word


class FaceHint(QLabel):
    """Is shown once there has been no face, or none that is large enough, for two seconds.

    Args:
        view: shows the picture that the line covers.
    """

    def __init__(self, view: Viewport) -> None:
        super().__init__(view)
        self.setObjectName("faceHint")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._view, self._words = view, ""
        self._wait = QTimer(self, singleShot=True, interval=AFTER_MS)
        self._wait.timeout.connect(self._appear)
        view.installEventFilter(self)
        self.hide()

    def see(self, result: Result | None) -> None:
        """Look at the newest result; None, and a frame that no model has processed, end the line."""
        words = ""
        if result is not None and result.model:
            if not result.faces:
                words = self.tr("No face is seen")
            elif result.too_small:
                words = self.tr("Come nearer: the face is too small for exact landmarks")
        if words == self._words:
            if self.isVisible():
                self._place()  # the layout may have changed
            return
        self._words = words
        if not words:
            self._wait.stop()
            self.hide()
        elif self.isVisible():
            self._appear()
        else:
            self._wait.start()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def _appear(self) -> None:
        self.setText(self._words)
        self.setAccessibleName(self._words)
        self._place()
        self.show()

    def _place(self) -> None:
        self.adjustSize()
        area = self._view.picture_area().toRect() or self._view.rect()
        self.move(area.center().x() - self.width() // 2, area.bottom() - self.height() - ABOVE_FOOT)
