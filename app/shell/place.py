"""The place of a window on the screens that are there."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRect, QSize, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget

from app.settings.schema import WindowPlace

HANDLE = 60  # logical pixels of the upper edge that must be on a screen, so that a mouse can take hold of it
# Logical pixels left to the frame and title of a desktop, whose size is known only once the window is shown.
FRAME = QSize(8, 48)
MOVING_MS = 300  # desktops move windows themselves, somewhat later


def place_of(window: QWidget) -> WindowPlace:
    """Return where a window is, or would be if it were not maximised or in full screen."""
    usual = window.normalGeometry()
    return WindowPlace(usual.x(), usual.y(), usual.width(), usual.height(), window.isMaximized())


def restore_place(window: QWidget, place: WindowPlace) -> None:
    """Put a window in its place, before it is shown.

    It becomes no larger than the screen; one that would be outside all screens, as after a screen was removed, is left
    for the desktop to place.
    """
    home = None
    if place.x is not None and place.y is not None:
        corner = QRect(place.x, place.y, place.width, HANDLE).topLeft()
        home = _screen_with(QRect(corner, QSize(place.width, HANDLE)))
    room = (home or QGuiApplication.primaryScreen().availableGeometry()).size() - FRAME
    window.resize(QSize(place.width, place.height).boundedTo(room).expandedTo(window.minimumSize()))
    if home is not None:
        window.setGeometry(QRect(corner, window.size()))
    if place.maximised:
        window.setWindowState(window.windowState() | Qt.WindowState.WindowMaximized)


def keep_on_screens(window: QWidget) -> None:
    """From now on bring a window back that a mouse could no longer take hold of, as after its screen was unplugged.

    In full screen it then fills a screen that is there; where the desktop has brought it back already, it stays.
    """
    _PlaceWatch(window)


def bring_back(window: QWidget) -> None:
    """Bring a window back to the first screen if its upper edge is on none."""
    if not window.isVisible() or window.isMinimized():
        return
    here = window.geometry()
    if _screen_with(QRect(here.topLeft(), QSize(here.width(), HANDLE))) is not None:
        return
    screen = QGuiApplication.primaryScreen()
    filling = window.windowState() & (Qt.WindowState.WindowFullScreen | Qt.WindowState.WindowMaximized)
    if filling:
        window.setWindowState(window.windowState() & ~filling)
    room = screen.availableGeometry()
    size = window.size().boundedTo(room.size() - FRAME).expandedTo(window.minimumSize())
    left, top = ((whole - its) // 2 for whole, its in ((room.width(), size.width()), (room.height(), size.height())))
    window.setGeometry(QRect(room.x() + max(left, 0), room.y() + max(top, 0), size.width(), size.height()))
    if filling:
        window.setWindowState(window.windowState() | filling)


class _PlaceWatch(QObject):
    """Looks where a window is after a screen was removed, and after it has left the full screen."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._later = QTimer(self, singleShot=True, interval=MOVING_MS)
        self._later.timeout.connect(lambda: bring_back(window))
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.screenRemoved.connect(self._later.start)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.WindowStateChange:
            self._later.start()
        return False


def _screen_with(handle: QRect) -> QRect | None:
    """Return the room on the screen that holds enough of a window's upper edge; None where no screen does."""
    for screen in QGuiApplication.screens():
        part = screen.geometry().intersected(handle).size()
        if part.width() >= HANDLE and part.height() >= HANDLE // 2:
            return screen.availableGeometry()
    return None
