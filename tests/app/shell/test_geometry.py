"""The window comes back to where it was, and never out of reach."""

import pytest
from PySide6.QtCore import QRect
from PySide6.QtWidgets import QMainWindow

from app.settings.schema import WindowPlace
from app.shell.place import place_of, restore_place


@pytest.fixture
def window(qtbot):
    made = QMainWindow()
    made.setMinimumSize(300, 200)
    qtbot.addWidget(made)
    return made


def test_window_comes_back_to_its_place(window, qtbot):
    place = WindowPlace(60, 70, 400, 300)
    restore_place(window, place)
    window.show()
    qtbot.waitExposed(window)
    assert window.geometry() == QRect(60, 70, 400, 300)
    assert place_of(window) == place


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
