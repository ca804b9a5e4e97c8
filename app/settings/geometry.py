"""Putting the window back where it was, as far as the present screens allow."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from app.settings.schema import WindowPlace

HANDLE = 60  # logical pixels of the upper edge that must be on a screen, so that a mouse can take hold of it


def place_of(window: QWidget) -> WindowPlace:
    """Return where a window is, or would be if it were not maximised or in full screen."""
    usual = window.normalGeometry()
    return WindowPlace(usual.x(), usual.y(), usual.width(), usual.height(), window.isMaximized())


def restore_place(window: QWidget, place: WindowPlace) -> None:
    """Put a window in its place, before it is shown.

    It becomes no larger than the screen; one that would be outside all screens, as after a screen was removed, is left
    for the desktop to place.
    """
    screens = [screen.availableGeometry() for screen in QGuiApplication.screens()]
    home = None
    if place.x is not None and place.y is not None:
        handle = QRect(place.x, place.y, place.width, HANDLE)
        seen = ((screen, screen.intersected(handle).size()) for screen in screens)
        home = next((screen for screen, part in seen if part.width() >= HANDLE and part.height() >= HANDLE // 2), None)
    room = (home or QGuiApplication.primaryScreen().availableGeometry()).size()
    window.resize(QSize(place.width, place.height).boundedTo(room).expandedTo(window.minimumSize()))
    if home is not None:
        window.setGeometry(QRect(handle.topLeft(), window.size()))
    if place.maximised:
        window.setWindowState(window.windowState() | Qt.WindowState.WindowMaximized)
