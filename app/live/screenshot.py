"""Saving what is on screen: the live picture for users, the whole window for the documentation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import chain, count
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QStandardPaths, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.shell.background import WRITING_S, Background
from app.shell.banner import Remedy
from engine.core.errors import RecordingError, UnderstudyError
from engine.formats.images import write_picture


def own_folder(place: QStandardPaths.StandardLocation) -> Path:
    """Return `Understudy` in one of the user's folders."""
    return Path(QStandardPaths.writableLocation(place) or Path.home()) / "Understudy"


def screenshot_folder() -> Path:
    """Return where screenshots go: `Understudy` in the user's folder of pictures."""
    return own_folder(QStandardPaths.StandardLocation.PicturesLocation)


def new_name(is_taken: Callable[[str], bool]) -> str:
    """Return date and time as a name, with the first number that is not taken where it is."""
    now = f"{datetime.now():%Y-%m-%d %H.%M.%S}"
    names = chain([now], (f"{now} ({number})" for number in count(2)))
    return next(name for name in names if not is_taken(name))


class Screenshots(QObject):
    """Saves pictures without blocking the window; one that cannot be saved is kept until the user names another place.

    Args:
        window: parent of the file dialog.
    """

    reported = Signal(str)  # a sentence for the status line
    failed = Signal(object, object)  # RecordingError, and the remedies for it

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window, self._background = window, Background(self)

    def save(self, pixels: NDArray[np.uint8], folder: Path) -> None:
        """Save a picture `[H, W, 4]` uint8 BGRA in a folder."""
        self._run(lambda: save_screenshot(pixels, folder), pixels)

    def close(self) -> None:
        """Let pictures that are being written be finished."""
        self._background.close(WRITING_S)

    def _run(self, save: Callable[[], Path], pixels: NDArray[np.uint8]) -> None:
        self._background.run(save, self._on_saved, lambda error: self._on_failed(error, pixels))

    def _on_saved(self, path: Path) -> None:
        self.reported.emit(self.tr("Screenshot saved: {0}").format(path))

    def _on_failed(self, error: UnderstudyError, pixels: NDArray[np.uint8]) -> None:
        self.failed.emit(error, (Remedy(self.tr("Save as …"), lambda: self._ask(pixels)),))

    def _ask(self, pixels: NDArray[np.uint8]) -> None:
        dialog = QFileDialog(self._window, self.tr("Save the picture"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters([self.tr("Pictures (*.png *.jpg)")])
        dialog.setDefaultSuffix("png")
        dialog.fileSelected.connect(lambda path: self._run(lambda: _write(Path(path), pixels), pixels))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()  # returns at once: the picture behind it goes on


def save_screenshot(pixels: NDArray[np.uint8], folder: Path) -> Path:
    """Write a picture as PNG under a new name made of date and time, and return its path.

    Args:
        pixels: `[H, W, 4]` uint8 BGRA.
        folder: made if it is not there.

    Raises:
        RecordingError: the picture cannot be written.
    """
    name = new_name(lambda name: (folder / f"{name}.png").exists())
    return _write(folder / f"{name}.png", pixels)


def save_window_screenshot(window: QWidget, path: Path) -> None:
    """Write a picture of a whole window; the path's ending gives the format.

    Raises:
        RecordingError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        saved = window.grab().save(str(path))
    except OSError:
        saved = False
    if not saved:
        raise RecordingError(
            f"The picture of the window {path} cannot be written",
            "the ending is no picture format, the folder forbids writing, or the disk is full",
            "choose another name ending in .png, or another folder",
        )


def _write(path: Path, pixels: NDArray[np.uint8]) -> Path:
    write_picture(path, cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGB))
    return path
