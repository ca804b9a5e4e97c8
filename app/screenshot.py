"""Saving what is on screen: the live picture for users, the whole window for the documentation."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QStandardPaths
from PySide6.QtWidgets import QWidget

from engine.errors import RecordingError
from engine.pictures import write_picture


def screenshot_folder() -> Path:
    """Return where screenshots go: `Understudy` in the user's folder of pictures."""
    pictures = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.PicturesLocation)
    return Path(pictures or Path.home()) / "Understudy"


def save_screenshot(pixels: NDArray[np.uint8], folder: Path) -> Path:
    """Write a picture as PNG under a new name made of date and time, and return its path.

    Args:
        pixels: `[H, W, 4]` uint8 BGRA.
        folder: made if it is not there.

    Raises:
        RecordingError: the picture cannot be written.
    """
    path = _new_name(folder)
    write_picture(path, cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGB))
    return path


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


def _new_name(folder: Path) -> Path:
    stem = f"{datetime.now():%Y-%m-%d %H.%M.%S}"
    path, count = folder / f"{stem}.png", 1
    while path.exists():
        count += 1
        path = folder / f"{stem} ({count}).png"
    return path
