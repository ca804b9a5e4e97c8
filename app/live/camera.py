"""Which cameras there are, what the one on screen is asked for, and whether it or the model is the slower one."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from app.live.camera_pace import pace_words
from app.live.camera_watch import CameraWatch
from app.live.panel.source import SourceSection
from app.live.player import Player
from engine.live.view import View
from engine.sources.discovery import Camera

PACE_SECONDS = 2.0  # between two looks at who is slower: words that change faster cannot be read


class CameraControls(QObject):
    """Joins the source section of the side panel to the cameras and the player.

    Args:
        list_cameras: lists the cameras; may take long.
        player: plays the camera.
        section: where cameras and formats are chosen.
        clock: tells seconds.
    """

    pace_changed = Signal()

    def __init__(
        self,
        list_cameras: Callable[[], list[Camera]],
        player: Player,
        section: SourceSection,
        parent: QObject | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(parent)
        self._player, self._section, self._clock = player, section, clock
        self._cameras: list[Camera] = []
        self.pace = ""  # what the camera really sends, and which of both is the slower one; see `pace_words`
        self._looked_at = -math.inf
        self.watch = CameraWatch(list_cameras, section, self)
        self.watch.changed.connect(self._on_cameras)
        section.format_chosen.connect(player.use_format)
        player.opened.connect(self._on_opened)

    @property
    def current(self) -> Camera | None:
        """The camera on screen, if it is one."""
        playing = self._player.current
        return None if playing is None else self.named(playing.name)

    def named(self, name: str) -> Camera | None:
        """Return the camera of this name; None if none is listed."""
        return next((camera for camera in self._cameras if camera.name == name), None)

    def look(self, view: View) -> None:
        """See from a new picture's numbers who is slower."""
        if self._clock() - self._looked_at < PACE_SECONDS:
            return
        self._looked_at = self._clock()
        playing = self._player.current
        rate = None if playing is None else playing.session.camera_rate
        pace = pace_words(rate, view.first.stats)
        if pace != self.pace:
            self.pace = pace
            self.pace_changed.emit()

    def _on_cameras(self, cameras: list[Camera]) -> None:
        self._cameras = cameras
        self._section.sources.set_cameras(cameras)

    def _on_opened(self, _: object) -> None:
        self.pace = ""
        self._section.show_format(self._player.camera_format)
