"""The key that leaves the whole window to the picture."""

from __future__ import annotations

from PySide6.QtCore import Qt


def test_a_key_hides_the_side_panel_and_the_chart_and_it_is_remembered(window, qtbot):
    live = window.live
    assert live.panel.isVisible()
    assert live.chart.isVisible()
    width = live.view.width()
    qtbot.keyClick(window, Qt.Key.Key_H)
    assert not live.panel.isVisible()
    assert not live.chart.isVisible()
    qtbot.waitUntil(lambda: live.view.width() > width)
    assert not window.store.settings.controls
    window.top_bar.controls.click()
    assert live.panel.isVisible()
    assert live.chart.isVisible()


def test_hidden_controls_stay_hidden_when_full_screen_is_left(window, qtbot):
    qtbot.keyClick(window, Qt.Key.Key_H)
    window.toggle_full_screen()
    qtbot.keyClick(window, Qt.Key.Key_H)
    assert not window.live.panel.isVisible(), "full screen has only the picture"
    qtbot.keyClick(window, Qt.Key.Key_H)
    window.toggle_full_screen()
    assert not window.live.panel.isVisible()


def test_a_file_starts_again_while_there_is_an_audience(playing):
    playing.store.update("presenter", True)
    assert playing.player.current.session.loop
    playing.store.update("presenter", False)
    assert not playing.player.current.session.loop
