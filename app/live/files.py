"""Seeking in the file on screen, and opening what is in the clipboard."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from urllib.parse import unquote_to_bytes

from PySide6.QtCore import QMimeData, QObject, QUrl, Signal
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QAbstractButton

from app.live.player import Player
from app.live.viewport.transport import Transport
from app.shell.background import Background
from engine.core.addresses import is_address
from engine.core.errors import SourceError


class FileControls(QObject):
    """Connects the bar under the picture to the player.

    Args:
        player: plays the file.
        pause: the switch that pauses the picture.
        background: saves what is pasted.

    Attributes:
        pasted: keeps what was pasted.
        transport: the bar.
    """

    opening_wanted = Signal(str)  # a source as `open_source` takes it
    reported = Signal(str)  # something that happened
    failed = Signal(object)  # UnderstudyError

    def __init__(self, player: Player, pause: QAbstractButton, background: Background) -> None:
        super().__init__()
        self._player, self._pause, self._background = player, pause, background
        self.pasted = PastedPictures(self.tr("Pasted picture"))
        self.transport = Transport()
        self.transport.slider.wanted.connect(player.seek)
        self.transport.step_wanted.connect(self.step)

    def step(self, frames: int) -> None:
        """Pause, and go so many frames forward, or back."""
        if self._player.playback is not None:
            self._pause.setChecked(True)
            self._player.step(frames)

    def skip(self, seconds: float) -> None:
        """Go so many seconds forward, or back."""
        playback = self._player.playback
        if playback is not None:
            self._player.seek(playback.position + seconds)

    def paste(self) -> None:
        """Open the picture, the file or the address of a camera in the clipboard."""
        clipboard = QGuiApplication.clipboard().mimeData()
        path, picture = copied_file(clipboard), copied_picture(clipboard)
        text = clipboard.text().strip()
        if path is not None:
            self.opening_wanted.emit(path)
        elif is_address(text):
            self.opening_wanted.emit(text)
        elif picture is not None:
            self._background.run(lambda: self.pasted.keep(picture), self.opening_wanted.emit, self.failed.emit)
        else:
            self.reported.emit(self.tr("The clipboard holds no picture, no file and no address of a camera."))


class PastedPictures:
    """Keeps pictures that were pasted as long as the program runs.

    Args:
        name: what a pasted picture is called as a source.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._folder: TemporaryDirectory[str] | None = None

    def keep(self, image: QImage) -> str:
        """Save a picture and return it as `open_source` takes it; may take a moment.

        Raises:
            SourceError: it cannot be saved.
        """
        try:
            if self._folder is None:
                self._folder = TemporaryDirectory(prefix="understudy-", ignore_cleanup_errors=True)
            # A folder of one picture: its name is what the source is called.
            folder = Path(mkdtemp(dir=self._folder.name), self._name)
            folder.mkdir()
        except OSError as error:
            raise _unsaved(str(error.strerror)) from error
        if not image.save(str(folder / "1.png")):
            raise _unsaved("the picture could not be written")
        return str(folder)

    def owns(self, source: str | None) -> bool:
        """Return whether a source is a pasted picture, which is gone when the program ends."""
        return source is not None and self._folder is not None and source.startswith(self._folder.name)


def local_path(url: QUrl) -> str:
    """Return the path of a link to a file, "" for other links; bytes of a name that are no UTF-8 are kept."""
    path = url.toLocalFile()
    if "\ufffd" not in path:
        return path
    # Qt has put this letter in place of such bytes, so it would be the name of no file.
    return os.fsdecode(unquote_to_bytes(url.path(QUrl.ComponentFormattingOption.FullyEncoded)))


def copied_file(clipboard: QMimeData) -> str | None:
    """Return the first copied file, given as a file, as a link or as the text of its path; None if there is none."""
    urls = list(clipboard.urls())
    lines = clipboard.text().strip().splitlines()
    if lines:
        text = lines[0].strip().strip("\"'")
        urls.append(QUrl(text) if text.startswith("file:") else QUrl.fromLocalFile(text))
    paths = [path for path in map(local_path, urls) if path and Path(path).is_absolute()]
    return next(filter(_exists, paths), None)


def copied_picture(clipboard: QMimeData) -> QImage | None:
    """Return the picture that was copied; None if there is none."""
    image = clipboard.imageData() if clipboard.hasImage() else None
    return image if isinstance(image, QImage) and not image.isNull() else None


def _exists(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):  # names that no file can have
        return False


def _unsaved(why: str) -> SourceError:
    return SourceError(
        f"The pasted picture could not be kept ({why})",
        "the folder for temporary files is full or locked",
        "free some space, or save the picture as a file and open that",
    )
