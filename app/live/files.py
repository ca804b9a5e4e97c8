"""Going about in the file on screen, and opening what is in the clipboard."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QAbstractButton

from app.live.clipboard import PastedPictures, copied_file, copied_picture
from app.live.player import Player
from app.live.viewport.transport import Transport
from app.shell.background import Background
from engine.core.errors import UnderstudyError


class FileControls(QObject):
    """Joins the bar under the picture to the player.

    Args:
        player: plays the file.
        pause: the switch that holds the picture.
    """

    opening_wanted = Signal(str)  # a source as `open_source` takes it
    told = Signal(str)  # something that happened
    troubled = Signal(object)  # UnderstudyError

    def __init__(self, player: Player, pause: QAbstractButton, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._player, self._pause = player, pause
        self._pasted = PastedPictures(self.tr("Pasted picture"))
        self._background = Background(self)
        self.transport = Transport()
        self.transport.seek_wanted.connect(player.seek)
        self.transport.step_wanted.connect(self.step)
        self.transport.loop_toggled.connect(player.set_loop)

    def refresh(self, waits: bool) -> None:
        """Show where the file stands, and whether it waits."""
        self.transport.show_playback(self._player.playback, waits)

    def step(self, frames: int) -> None:
        """Hold the picture, and go so many frames further, or back."""
        if self._player.playback is not None:
            self._pause.setChecked(True)
            self._player.step(frames)

    def skip(self, seconds: float) -> None:
        """Go so many seconds further, or back."""
        playback = self._player.playback
        if playback is not None:
            self._player.seek(playback.position + seconds)

    def paste(self) -> None:
        """Open the picture or the file in the clipboard."""
        clipboard = QGuiApplication.clipboard().mimeData()
        path, picture = copied_file(clipboard), copied_picture(clipboard)
        if path is not None:
            self.opening_wanted.emit(path)
        elif picture is not None:
            self._background.run(lambda: self._keep(picture), self._open_kept)
        else:
            self.told.emit(self.tr("The clipboard holds no picture and no file."))

    def is_passing(self, source: str | None) -> bool:
        """Tell whether a source is gone when the program ends."""
        return self._pasted.owns(source)

    def close(self) -> None:
        """Tell nothing any more."""
        self._background.close()

    def _keep(self, picture: QImage) -> str | UnderstudyError:
        try:
            return self._pasted.keep(picture)
        except UnderstudyError as error:
            return error

    def _open_kept(self, outcome: str | UnderstudyError) -> None:
        if isinstance(outcome, str):
            self.opening_wanted.emit(outcome)
        else:
            self.troubled.emit(outcome)
