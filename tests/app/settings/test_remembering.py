"""Changes in the window are in the settings at once, and only there."""

from __future__ import annotations

from PySide6.QtCore import Qt

from app.settings.file import read_settings
from app.settings.schema import LaneSettings
from engine.core.errors import SourceError
from engine.live.settings import Pace
from engine.render.scene import Layout
from tests.fakes.window_fakes import camera


def test_keys_change_the_settings_and_the_controls_follow(playing, engine, qtbot):
    for key in (Qt.Key.Key_3, Qt.Key.Key_C, Qt.Key.Key_L, Qt.Key.Key_M, Qt.Key.Key_7):
        qtbot.keyClick(playing.view, key)
    settings, panel = playing.store.settings, playing.panel
    assert (settings.live.overlay.box, settings.live.layout) == (True, Layout.SIDE_BY_SIDE)
    assert (settings.live.pace, settings.live.mirrored, settings.signals) == (Pace.LOCKED, True, True)
    assert panel.overlays.boxes["box"].isChecked()
    assert panel.lanes.layouts.currentText() == "Side by side"
    assert panel.lanes.locked.isChecked()
    assert panel.overlays.mirrored.isChecked()
    assert panel.signals_section.isVisible()
    assert engine.sessions[0].settings.layout is Layout.SIDE_BY_SIDE


def test_the_key_of_the_ground_truth_is_dead_where_there_is_none(playing, qtbot):
    qtbot.waitUntil(lambda: not playing.panel.overlays.boxes["truth"].isEnabled())
    qtbot.keyClick(playing.view, Qt.Key.Key_5)
    assert not playing.store.settings.live.overlay.truth


def test_models_are_remembered_as_they_are_chosen(playing, engine, qtbot):
    qtbot.waitUntil(lambda: playing.panel.lanes.first.count() == 3)
    assert playing.store.settings.lanes == LaneSettings(("student-68",))
    qtbot.keyClick(playing.view, Qt.Key.Key_X)
    assert playing.store.settings.lanes == LaneSettings(("student-68-lite", "student-68"))
    playing.player.use_model("student-68-lite", 1)
    assert playing.store.settings.lanes == LaneSettings(("student-68-lite", "student-68-lite"))


def test_a_model_that_fails_is_not_remembered(playing, engine, qtbot):
    engine.broken_models.add("student-68-lite")
    playing.player.use_model("student-68-lite")
    qtbot.waitUntil(playing.banner.isVisible)
    qtbot.waitUntil(lambda: playing.store.settings.lanes == LaneSettings(("student-68",)))


def test_sources_are_remembered_by_how_they_are_found_again(window, engine, qtbot):
    engine.cameras = [camera("C920")]
    window.start(None)
    qtbot.waitUntil(lambda: window.store.settings.source == "C920")
    assert window.store.settings.live.mirrored, "but not in the file"
    window.player.open("/clip.mp4")
    qtbot.waitUntil(lambda: window.store.settings.source == "/clip.mp4")
    assert not window.store.settings.live.mirrored


def test_what_stands_in_is_not_remembered(window, engine, qtbot):
    window.store.update("source", "Gone")
    engine.outcomes["Gone"] = SourceError("The camera “Gone” is not there", "it was taken away", "plug it in")
    window.start(None)
    qtbot.waitUntil(lambda: window.view.pixels is not None)
    assert window.store.settings.source == "Gone"


def test_the_place_of_the_window_is_remembered_but_not_that_of_the_full_screen(window, qtbot):
    window.resize(900, 700)
    qtbot.waitUntil(lambda: window.store.settings.window.width == 900)
    window.toggle_full_screen()
    qtbot.wait(50)
    assert (window.store.settings.window.width, window.store.settings.window.height) == (900, 700)


def test_the_presenter_is_remembered_until_full_screen_is_left(window, qtbot):
    window.panel.present.click()
    assert window.store.settings.presenter
    assert window.isFullScreen()
    assert window.live.presenter.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not window.store.settings.presenter
    assert not window.panel.present.isChecked()
    assert not window.live.presenter.isVisible()


def test_everything_reaches_the_file_without_being_looked_for(playing, qtbot, tmp_path):
    path = tmp_path / "settings.toml"
    playing.panel.overlays.smoothing.setValue(20)
    qtbot.waitUntil(lambda: path.is_file() and read_settings(path).settings.live.smoothing == 0.2)


def test_a_maximised_window_is_remembered_at_once(window, qtbot):
    window.showMaximized()
    qtbot.waitUntil(lambda: window.store.settings.window.maximised)
    window.showNormal()
    qtbot.waitUntil(lambda: not window.store.settings.window.maximised)
