"""Putting the window back to where it was, as far as the screens of today allow."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from app.settings.schema import WindowPlace

HANDLE = 60  # logical pixels of the upper edge that must be on a screen, so that a mouse can take hold of it


def place_of(window: QWidget) -> WindowPlace:
    """Return where a window stands, or would stand if it were not maximised or on the whole screen."""
    usual = window.normalGeometry()
    return WindowPlace(usual.x(), usual.y(), usual.width(), usual.height(), window.isMaximized())


def restore_place(window: QWidget, place: WindowPlace) -> None:
    """Put a window there, before it is shown.

    It becomes no larger than the screen; one that would lie outside all screens, as after a screen was taken away, is
    left for the desktop to place.
    """
    screens = [screen.availableGeometry() for screen in QGuiApplication.screens()]
    corner = None if place.x is None or place.y is None else QPoint(place.x, place.y)
    home = None if corner is None else _screen_of(QRect(corner, QSize(place.width, HANDLE)), screens)
    room = (home or QGuiApplication.primaryScreen().availableGeometry()).size()
    window.resize(QSize(place.width, place.height).boundedTo(room).expandedTo(window.minimumSize()))
    if home is not None and corner is not None:
        window.setGeometry(QRect(corner, window.size()))
    if place.maximised:
        window.setWindowState(window.windowState() | Qt.WindowState.WindowMaximized)


def _screen_of(handle: QRect, screens: list[QRect]) -> QRect | None:
    """Return the first screen that shows enough of a window's upper edge."""
    for screen in screens:
        seen = screen.intersected(handle)
        if seen.width() >= HANDLE and seen.height() >= HANDLE // 2:
            return screen
    return None
