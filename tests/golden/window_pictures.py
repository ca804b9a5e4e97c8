"""Retake the pictures of the window: `python -m tests.golden.window_pictures`. Only after its look changed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from app.theme.theme import ThemeChoice
from engine.render.scene import Layout
from tests.golden.still_window import FOUR, MODELS, SIZE, StillWindow, settle

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
LAYOUTS = {
    "live": Layout.SINGLE,
    "side-by-side": Layout.SIDE_BY_SIDE,
    "split": Layout.SPLIT,
    "overlaid": Layout.OVERLAID,
    "difference": Layout.DIFFERENCE,
}
PAGES = {"models": 1, "train": 2}
NAMES = (*LAYOUTS, "four-lanes", *PAGES, "keys", "presenter")
THEMES = (ThemeChoice.DARK, ThemeChoice.LIGHT)


def path_of(name: str, theme: ThemeChoice) -> Path:
    """Return the file of a picture: those with a photograph in them are JPEG."""
    return FOLDER / f"{name}-{theme.value}.{'png' if name in PAGES else 'jpg'}"


def take(still: StillWindow, name: str) -> NDArray[np.uint8]:
    """Return the picture of a view, `[800, 1280, 3]` uint8 RGB."""
    window = still.window
    if name in PAGES:
        still.show_page(PAGES[name])
        return _grabbed(window)
    still.show_layout(LAYOUTS.get(name, Layout.SIDE_BY_SIDE), FOUR if name == "four-lanes" else MODELS)
    if name not in ("keys", "presenter"):
        return _grabbed(window)
    toggle = window.sheet.toggle if name == "keys" else lambda: window.store.toggle("presenter")
    toggle()
    window.setWindowState(Qt.WindowState.WindowNoState)  # however large the screen is
    window.resize(*SIZE)
    settle()
    still.show_layout(Layout.SIDE_BY_SIDE)
    picture = _grabbed(window)
    toggle()
    window.resize(*SIZE)
    settle()
    return picture


@contextmanager
def patching() -> Iterator[object]:
    """Give a function that sets attributes until the end, as `monkeypatch.setattr` does."""
    former: list[tuple[object, str, object]] = []

    def patch(owner: object, name: str, value: object) -> None:
        former.append((owner, name, getattr(owner, name)))
        setattr(owner, name, value)

    try:
        yield patch
    finally:
        for owner, name, value in reversed(former):
            setattr(owner, name, value)


def _grabbed(window: object) -> NDArray[np.uint8]:
    image = window.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    lines = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return lines[:, : image.width() * 3].reshape(image.height(), image.width(), 3).copy()


def main() -> None:
    """Take all pictures."""
    application = QApplication([])
    application.setQuitOnLastWindowClosed(False)
    with tempfile.TemporaryDirectory() as home, patching() as patch:
        still = StillWindow(application, Path(home), patch)
        for theme in THEMES:
            still.theme.choose(theme)
            settle()
            for name in NAMES:
                Image.fromarray(take(still, name)).save(path_of(name, theme), optimize=True, quality=88)
        still.close()


if __name__ == "__main__":
    main()
