"""The hint of the first start."""

from __future__ import annotations

from PySide6.QtCore import Qt

from app.live.viewport.over_picture import FirstHint


def test_the_first_start_greets_in_two_lines_until_a_key_is_pressed(window, qtbot):
    window.start("sample")
    hint = window.view.findChild(FirstHint)
    assert hint.isVisible()
    assert len(hint.text().splitlines()) == 2
    assert "?" in hint.text()
    assert window.view.rect().contains(hint.geometry())
    qtbot.keyClick(window.windowHandle(), Qt.Key.Key_1)  # as a key of the keyboard arrives
    assert not hint.isVisible()


def test_a_press_of_the_mouse_ends_the_hint(window, qtbot):
    window.start("sample")
    qtbot.mousePress(window.windowHandle(), Qt.MouseButton.LeftButton, pos=window.rect().center())
    assert not window.view.findChild(FirstHint).isVisible()


def test_later_starts_show_the_picture_alone(window, qtbot):
    window.store.is_first_start = False
    window.start("sample")
    assert not window.view.findChild(FirstHint).isVisible()


def test_the_presenter_takes_the_place_of_the_hint(window):
    window.start("sample")
    hint = window.view.findChild(FirstHint)
    window.store.toggle("presenter")
    assert not hint.isVisible()
