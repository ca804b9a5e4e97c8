"""The window comes back to where it was, and never out of reach."""

from types import SimpleNamespace

import pytest
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMainWindow

from app.settings.schema import WindowPlace
from app.shell import place
from app.shell.place import place_of, restore_place


@pytest.fixture
def window(qtbot):
    made = QMainWindow()
    made.setMinimumSize(300, 200)
    qtbot.addWidget(made)
    return made


def test_window_comes_back_to_its_place(window, qtbot):
    wanted = WindowPlace(60, 70, 400, 300)
    restore_place(window, wanted)
    window.show()
    qtbot.waitExposed(window)
    assert window.geometry() == QRect(60, 70, 400, 300)
    assert place_of(window) == wanted


def test_maximised_window_remembers_its_usual_place(window, qtbot):
    restore_place(window, WindowPlace(60, 70, 400, 300, maximised=True))
    window.show()
    qtbot.waitExposed(window)
    assert window.isMaximized()
    assert place_of(window) == WindowPlace(60, 70, 400, 300, maximised=True)
    window.showNormal()
    assert window.size().width() == 400


@pytest.mark.parametrize("corner", [(-5000, 10), (10, -5000), (90_000, 90_000), (10, 780_00)])
def test_window_beside_all_screens_is_brought_back(window, qtbot, corner):
    restore_place(window, WindowPlace(*corner, 400, 300))
    window.show()
    qtbot.waitExposed(window)
    assert window.screen().availableGeometry().intersects(window.geometry())
    assert window.width() == 400


def test_window_is_never_larger_than_the_screen_nor_too_small(window):
    room = window.screen().availableGeometry()
    restore_place(window, WindowPlace(None, None, 50_000, 50_000))
    assert room.height() - 60 < window.height() < room.height() - 30, "the desktop's title is on the screen too"
    assert room.width() - 20 < window.width() <= room.width()
    restore_place(window, WindowPlace(0, 0, 1, 1))
    assert (window.width(), window.height()) == (300, 200)


class Screens:
    """Stands in for the screens that are plugged in: the real one, and one right of it until it is unplugged."""

    def __init__(self, first):
        self.first, self.second = first, QRect(first.geometry().topRight() + QPoint(1, 0), QSize(900, 700))
        self.primaryScreen = lambda: self.first

    def screens(self):
        second = SimpleNamespace(geometry=lambda: self.second, availableGeometry=lambda: self.second)
        return [self.first, second] if self.second.isValid() else [self.first]

    def unplug(self):
        self.second = QRect()
        QGuiApplication.instance().screenRemoved.emit(self.first)


@pytest.fixture
def screens(window, monkeypatch):
    plugged_in = Screens(window.screen())
    monkeypatch.setattr(place, "QGuiApplication", plugged_in)
    monkeypatch.setattr(place, "MOVING_MS", 1)
    place.keep_on_screens(window)
    return plugged_in


def is_on(window, screen):
    return screen.geometry().contains(window.geometry().topLeft())


def test_fault_92_a_window_on_a_screen_that_is_unplugged_comes_back(window, screens, qtbot):
    window.setGeometry(QRect(screens.second.topLeft() + QPoint(50, 60), QSize(500, 400)))
    window.show()
    qtbot.waitExposed(window)
    place.bring_back(window)
    assert screens.second.contains(window.geometry()), "it stays while its screen is there"
    screens.unplug()
    qtbot.waitUntil(lambda: is_on(window, screens.first))
    assert window.size() == QSize(500, 400)


def test_fault_92_a_window_that_presents_on_a_screen_that_is_unplugged_presents_on_another(window, screens, qtbot):
    window.setGeometry(QRect(screens.second.topLeft(), QSize(500, 400)))
    window.show()
    qtbot.waitExposed(window)
    window.setWindowState(Qt.WindowState.WindowFullScreen)
    window.setGeometry(screens.second)
    screens.unplug()
    qtbot.waitUntil(lambda: is_on(window, screens.first))
    assert window.isFullScreen()
    window.showNormal()
    qtbot.waitUntil(lambda: not window.isFullScreen() and is_on(window, screens.first))


def test_fault_92_after_full_screen_a_window_is_not_back_where_a_screen_was(window, screens, qtbot):
    window.setGeometry(QRect(screens.second.topLeft() + QPoint(50, 60), QSize(500, 400)))
    window.show()
    qtbot.waitExposed(window)
    window.setWindowState(Qt.WindowState.WindowFullScreen)
    window.setGeometry(screens.first.geometry())  # the desktop has moved it
    screens.unplug()
    qtbot.wait(20)
    window.setWindowState(Qt.WindowState.WindowNoState)
    window.setGeometry(QRect(window.screen().geometry().right() + 50, 60, 500, 400))
    qtbot.waitUntil(lambda: is_on(window, screens.first))
