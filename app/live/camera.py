"""The cameras: which are plugged in, the format of the one on screen, and whether it or the model is slower."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimer, Signal

from app.live.panel.source import SourceSection
from app.live.player import Player
from app.shell.background import Background
from engine.core.stats import Stats
from engine.live.view import View
from engine.sources.discovery import Camera

log = logging.getLogger(__name__)
translate = QCoreApplication.translate  # under the name that lupdate looks for

POLL_MS = 2000  # between two lists of the cameras
PACE_SECONDS = 2.0  # between two updates: words that change faster cannot be read
SLOW_CAMERA = 15.0  # pictures a second below which a camera is reported as slow, if the model could do better
FEW = 30  # frames before the speed is known


class CameraControls(QObject):
    """Connects the source section of the side panel with the cameras and the player.

    The cameras are listed every `POLL_MS` on another thread while the section is on screen.

    Args:
        list_cameras: lists the cameras; may take long.
        player: plays the camera.
        section: where cameras and formats are chosen.

    Attributes:
        pace: whether the camera or the model is slower, as `pace_words` says it.
    """

    pace_changed = Signal()

    def __init__(
        self,
        list_cameras: Callable[[], list[Camera]],
        player: Player,
        section: SourceSection,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._list_cameras, self._player, self._section = list_cameras, player, section
        self._cameras: list[Camera] | None = None  # None until they were listed
        self.pace = ""
        self._pace_updated = -math.inf
        self._background = Background(self)
        self._polling = False
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self.poll)
        section.installEventFilter(self)
        section.format_wanted.connect(player.use_format)
        player.opened.connect(self._on_opened)

    @property
    def current(self) -> Camera | None:
        """The camera on screen, if it is one."""
        playing = self._player.current
        return None if playing is None else self.named(playing.name)

    def named(self, name: str) -> Camera | None:
        """Return the camera of this name; None if none is listed."""
        return next((camera for camera in self._cameras or () if camera.name == name), None)

    def update_pace(self, view: View) -> None:
        """Work out from the numbers of a new picture whether the camera or the model is slower."""
        now = time.monotonic()
        if now - self._pace_updated < PACE_SECONDS:
            return
        self._pace_updated = now
        playing = self._player.current
        rate = None if playing is None else playing.session.camera_rate
        pace = pace_words(rate, view.first.stats)
        if pace != self.pace:
            self.pace = pace
            self.pace_changed.emit()

    def poll(self) -> None:
        """List the cameras now, unless they are being listed."""
        if not self._polling:
            self._polling = True
            self._background.run(self._list_safely, self._found)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Show:
            self._timer.start()
        elif event.type() is QEvent.Type.Hide:
            self._timer.stop()
        return False

    def close(self) -> None:
        """Stop looking for cameras."""
        self._timer.stop()
        self._background.close()

    def _list_safely(self) -> list[Camera] | None:
        try:
            return self._list_cameras()
        except Exception:  # a driver that fails once must not end the watch
            log.exception("The cameras could not be listed")
            return self._cameras

    def _found(self, cameras: list[Camera] | None) -> None:
        self._polling = False
        if cameras is not None and cameras != self._cameras:
            self._cameras = cameras
            self._section.sources.set_cameras(cameras)

    def _on_opened(self, _: object) -> None:
        self.pace = ""
        playing = self._player.current
        self._section.show_format(self._player.camera_format, playing is not None and playing.is_in_network)


def pace_words(camera_rate: float | None, stats: Stats) -> str:
    """Return how fast the camera is, and whether it or the model is slower if they differ; "" while nothing is known.

    Args:
        camera_rate: pictures per second that the camera sends.
        stats: the lane's numbers.
    """
    total = stats.latency_ms.get("total")
    if camera_rate is None or total is None or total.p50 <= 0 or stats.frames < FEW:
        return ""
    model_rate = 1000 / total.p50
    if camera_rate < SLOW_CAMERA and model_rate > 1.5 * camera_rate:
        words = translate(
            "camera", "the camera sends {0:.0f} pictures a second, the model could do {1:.0f}; more light may help"
        )
    elif model_rate < 0.8 * camera_rate:
        words = translate("camera", "the camera sends {0:.0f} pictures a second, the model manages {1:.0f}")
    else:
        words = translate("camera", "{0:.0f} pictures a second")
    return words.format(camera_rate, model_rate)
