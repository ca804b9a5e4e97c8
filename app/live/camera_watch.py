"""Notices which cameras are plugged in, without touching the one that plays."""

from __future__ import annotations

import logging
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

from app.shell.background import Background
from engine.sources.discovery import Camera

log = logging.getLogger(__name__)

EVERY_MS = 2000  # between two looks


class CameraWatch(QObject):
    """Lists the cameras again and again on another thread while somebody can see them.

    Args:
        look: lists the cameras; may take long.
        seen_on: while this is on screen, it looks.
    """

    changed = Signal(object)  # list of Camera: not the same ones as before

    def __init__(self, look: Callable[[], list[Camera]], seen_on: QWidget, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self._background = Background(self)
        self._cameras: list[Camera] | None = None
        self._looking = False
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self.look)
        seen_on.installEventFilter(self)

    def look(self) -> None:
        """Look now, unless a look is under way."""
        if not self._looking:
            self._looking = True
            self._background.run(self._look_safely, self._found)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Show:
            self._timer.start()
        elif event.type() is QEvent.Type.Hide:
            self._timer.stop()
        return False

    def close(self) -> None:
        """Tell nothing any more."""
        self._timer.stop()
        self._background.close()

    def _look_safely(self) -> list[Camera] | None:
        try:
            return self._look()
        except Exception:  # a driver that stumbles once must not end the watch
            log.exception("The cameras could not be listed")
            return self._cameras

    def _found(self, cameras: list[Camera] | None) -> None:
        self._looking = False
        if cameras is not None and cameras != self._cameras:
            self._cameras = cameras
            self.changed.emit(cameras)
