"""The remedies that the window offers for an error, and that none loses data.

The numbers in the names of tests are those of the catalogue of faults.
"""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QTimer
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QFileDialog

from app.live.status_text import remedies_for
from app.live.viewport.over_picture import FirstHint
from app.settings.file import read_settings
from app.shell.log import CrashWatch
from engine.core.errors import ModelError, SourceError
from engine.core.paths import asset_path
from engine.formats.images import read_picture
from engine.inference.library import ModelLibrary
from engine.live.camera_reader import FROZEN
from engine.live.state import SourceState
from engine.sources.camera import CameraDenied, CameraRefused
from tests.fakes.window_fakes import camera

BUSY = CameraRefused("The camera “Cam” cannot be opened", "another program uses it", "close it and try again")
DENIED = CameraDenied("The camera “Cam” may not be used", "Windows forbids it", "allow it in the settings")
FAILED = ModelError("The model failed on a frame (invoke failed)", "its runtime is faulty", "choose another model")


def remedy(window, words):
    """Return the button of the banner with these words."""
    return next(button for button in window.banner.remedy_buttons if button.text() == words)


def words_of(window):
    return [button.text() for button in window.banner.remedy_buttons]


def come_back(window):
    """Let the user return to the window from another one."""
    window.activateWindow()
    QApplication.sendEvent(window.banner, QEvent(QEvent.Type.ActivationChange))


@pytest.fixture
def refused(window, engine, qtbot):
    """The window after its only camera could not be opened: the sample plays, and the banner says so."""
    engine.cameras = [camera("Cam")]
    engine.outcomes[None] = BUSY
    window.start(None)
    qtbot.waitUntil(lambda: window.banner.isVisible() and window.view.pixels is not None)
    return window


# A camera that may not be used


@pytest.mark.parametrize(("system", "place"), [("Windows", "ms-settings:"), ("Darwin", "x-apple.systempreferences:")])
def test_fault_07_the_settings_of_the_system_are_a_click_away(playing, monkeypatch, system, place):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toString()))
    monkeypatch.setattr(platform, "system", lambda: system)
    playing.banner.show_error(DENIED, remedies_for(DENIED, lambda: None))
    remedy(playing, "Camera settings").click()
    assert len(opened) == 1
    assert opened[0].startswith(place)
    assert playing.banner.isVisible(), "it goes once the camera works"


def test_fault_07_where_there_are_no_such_settings_none_are_offered(playing, monkeypatch):
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    offered = remedies_for(DENIED, lambda: None)
    assert [each.text for each in offered] == ["Try again"]


def test_fault_07_the_camera_is_tried_again_when_the_user_comes_back(refused, engine, qtbot):
    assert engine.opened == [None, "sample"]
    come_back(refused)
    qtbot.waitUntil(lambda: len(engine.opened) == 3)
    qtbot.waitUntil(lambda: engine.sessions[2].stopped.is_set())
    assert refused.banner.isVisible(), "still refused"
    engine.outcomes.clear()
    come_back(refused)
    qtbot.waitUntil(lambda: refused.panel.sources.currentText() == "Cam")
    assert not refused.banner.isVisible()
    come_back(refused)
    qtbot.wait(50)
    assert len(engine.opened) == 4, "nothing is wrong any more, so nothing is tried"


def test_fault_07_a_banner_that_was_closed_or_is_about_something_else_tries_nothing(refused, engine, qtbot):
    refused.banner.hide()
    come_back(refused)
    refused.banner.show_error(SourceError("notes.mp4 is no video", "it is a text", "choose another"))
    come_back(refused)
    qtbot.wait(50)
    assert engine.opened == [None, "sample"]


# A camera that another program holds


def test_fault_08_try_again_tries_once_and_works_when_the_camera_is_free(refused, engine, qtbot):
    for count in (3, 4):
        remedy(refused, "Try again").click()
        assert not refused.banner.isVisible()
        qtbot.waitUntil(refused.banner.isVisible)
        qtbot.wait(50)
        assert len(engine.opened) == count, "no storm of attempts"
    engine.outcomes.clear()
    remedy(refused, "Try again").click()
    qtbot.waitUntil(lambda: refused.panel.sources.currentText() == "Cam")
    assert not refused.banner.isVisible()
    assert all(session.stopped.is_set() for session in engine.sessions[2:-1])


def test_fault_08_a_camera_that_failed_while_it_was_live_can_be_tried_again(window, engine, qtbot):
    engine.cameras = [camera("Cam")]
    window.start(None)
    qtbot.waitUntil(lambda: window.panel.sources.currentText() == "Cam")
    engine.sessions[0].fail(BUSY)
    qtbot.waitUntil(window.banner.isVisible)
    remedy(window, "Try again").click()
    qtbot.waitUntil(lambda: engine.opened == [None, "Cam"])
    qtbot.waitUntil(engine.sessions[0].stopped.is_set)
    assert not window.banner.isVisible()


def test_fault_08_what_was_chosen_meanwhile_is_not_taken_away(refused, engine, qtbot):
    again = remedy(refused, "Try again")
    refused.player.open("/clip.mp4")
    again.click()
    qtbot.waitUntil(lambda: refused.panel.sources.currentText() == "clip.mp4")
    assert engine.opened == [None, "sample", "/clip.mp4"]


# Models


def test_fault_10_a_missing_model_is_listed_with_its_path_and_the_others_work(playing, engine, qtbot, tmp_path):
    for ending in (".tflite", ".json"):
        for name in ("student-68", "student-68-lite"):
            (tmp_path / f"{name}{ending}").write_bytes(asset_path("models", f"student-68{ending}").read_bytes())
    missing = tmp_path / "student-68-lite.tflite"
    missing.unlink()
    entries = ModelLibrary((tmp_path,)).entries()
    assert [entry.error is None for entry in entries] == [True, False]
    assert str(missing) in str(entries[1].error)
    picker = playing.panel.lanes.first
    picker.set_entries(entries)
    row = picker.findText("student-68-lite")
    assert not picker.model().item(row).isEnabled()
    assert str(missing) in picker.model().item(row).toolTip()
    assert picker.model().item(picker.findText("student-68")).isEnabled()


def test_fault_14_try_again_loads_the_model_that_failed(playing, engine, qtbot):
    session = engine.sessions[0]
    session.error = FAILED
    session.give()
    qtbot.waitUntil(playing.banner.isVisible)
    assert words_of(playing) == ["Try again"]
    remedy(playing, "Try again").click()
    qtbot.waitUntil(lambda: session.error is None)
    assert not playing.banner.isVisible()
    session.error = FAILED
    session.give()
    qtbot.waitUntil(playing.banner.isVisible)


def test_fault_14_a_model_that_could_not_be_loaded_is_loaded_by_try_again(playing, engine, qtbot):
    engine.broken_models.add("student-68-lite")
    playing.player.use_model("student-68-lite")
    qtbot.waitUntil(playing.banner.isVisible)
    engine.broken_models.discard("student-68-lite")  # its file was copied back
    remedy(playing, "Try again").click()
    qtbot.waitUntil(lambda: playing.player.at_work[0] == "student-68-lite")


def test_fault_14_the_second_model_is_tried_again_in_its_own_lane(playing, engine, qtbot):
    session = engine.sessions[0]
    playing.live.use_model(1, "student-68-lite")
    qtbot.waitUntil(lambda: session.second_models[-1:] == ["student-68-lite"])
    loaded = len(session.second_models)
    session.further_errors[1] = FAILED
    session.give()
    qtbot.waitUntil(playing.banner.isVisible)
    remedy(playing, "Try again").click()
    qtbot.waitUntil(lambda: len(session.second_models) == loaded + 1)
    assert session.second_models[-1] == "student-68-lite"
    assert session.further_errors[1] is None
    assert playing.player.at_work[0] == "student-68"


# Mistakes of our own


def test_fault_15_a_slot_that_throws_is_reported_the_settings_are_kept_and_the_window_goes_on(
    playing, engine, qtbot, tmp_path
):
    watch = CrashWatch()
    watch.caught.connect(playing.report_crash)
    watch.install()
    try:
        with qtbot.captureExceptions():  # else pytest-qt takes the place of our own watch
            sys.excepthook = watch._on_exception
            playing.panel.overlays.boxes["box"].setChecked(True)
            QTimer.singleShot(0, lambda: [][7])
            qtbot.waitUntil(playing.banner.isVisible)
    finally:
        watch.remove()
    assert "inside the program" in playing.banner.text
    path = tmp_path / "settings.toml"
    qtbot.waitUntil(lambda: path.is_file() and read_settings(path).settings.live.overlay.box)
    engine.sessions[0].give(colour=(5, 6, 7, 255))
    qtbot.waitUntil(lambda: tuple(playing.view.pixels[0, 0]) == (5, 6, 7, 255))


# A frozen picture


def test_fault_28_a_frozen_camera_can_be_opened_again_and_the_offer_goes_by_itself(window, engine, qtbot):
    engine.cameras = [camera("Cam")]
    window.start(None)
    qtbot.waitUntil(lambda: window.panel.sources.currentText() == "Cam")
    session = engine.sessions[0]
    session.report(SourceState.LIVE, FROZEN)
    qtbot.waitUntil(window.banner.isVisible)
    assert FROZEN in window.banner.text
    session.report(SourceState.LIVE)
    qtbot.waitUntil(lambda: not window.banner.isVisible())
    session.report(SourceState.LIVE, FROZEN)
    qtbot.waitUntil(window.banner.isVisible)
    remedy(window, "Open it again").click()
    assert session.reopened == 1
    window.banner.show_error(BUSY)
    session.report(SourceState.LIVE)
    qtbot.wait(50)
    assert window.banner.isVisible(), "that is about something else"


# A file that cannot be written


def test_fault_55_a_screenshot_that_cannot_be_written_is_kept_and_saved_elsewhere(playing, engine, qtbot, tmp_path):
    (tmp_path / "Bilder öß").write_text("a file where the folder should be")
    shown = playing.view.pixels.copy()
    playing.live.take_screenshot()
    qtbot.waitUntil(playing.banner.isVisible)
    engine.sessions[0].give(colour=(9, 9, 9, 255))  # the picture goes on meanwhile
    qtbot.waitUntil(lambda: tuple(playing.view.pixels[0, 0]) == (9, 9, 9, 255))
    remedy(playing, "Save as …").click()
    dialog = playing.findChild(QFileDialog)
    assert dialog.acceptMode() is QFileDialog.AcceptMode.AcceptSave
    target = tmp_path / "safe ö.png"
    dialog.fileSelected.emit(str(target))
    qtbot.waitUntil(lambda: str(target) in playing.status_line.toolTip())
    assert (read_picture(target) == shown[..., 2::-1]).all(), "the picture of then"
    dialog.reject()


def test_fault_55_an_older_picture_of_the_name_stays_when_the_new_one_cannot_be_written(
    playing, qtbot, tmp_path, monkeypatch
):
    (tmp_path / "Bilder öß").write_text("a file where the folder should be")
    target = tmp_path / "taken.png"
    target.write_bytes(b"older")
    playing.live.take_screenshot()
    qtbot.waitUntil(playing.banner.isVisible)
    remedy(playing, "Save as …").click()

    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    playing.findChild(QFileDialog).fileSelected.emit(str(target))
    qtbot.waitUntil(playing.banner.isVisible)
    assert "No space left" in playing.banner.text
    assert words_of(playing) == ["Save as …"], "it is still kept"
    assert target.read_bytes() == b"older"
    playing.findChild(QFileDialog).reject()
    assert np.asarray(playing.view.pixels).size


def test_fault_08_the_greeting_of_the_first_start_makes_room_for_the_banner(window, engine, qtbot):
    engine.cameras = [camera("Cam")]
    engine.outcomes[None] = BUSY
    window.start(None)
    hint = window.findChild(FirstHint)
    assert hint.isVisible()
    qtbot.waitUntil(window.banner.isVisible)
    assert not hint.isVisible()
