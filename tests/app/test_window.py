"""The main window on a fake engine: what users do, and what it reports."""

from __future__ import annotations

import threading
import time

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QAbstractButton, QComboBox, QSlider

from app.live.viewport.over_picture import OutputMark
from app.settings.file import SettingsError
from engine.core.errors import SourceError
from engine.formats.images import read_picture
from engine.inference.landmarker import not_finite_error
from engine.live.state import SourceState
from engine.render.canvas import Pane
from engine.sources.base import SourceKind
from tests.app.conftest import LONGEST_GAP
from tests.fakes.window_fakes import BROKEN, FakeSource, camera

BUSY = SourceError("The camera “Cam” cannot be opened", "another program probably uses it", "close it and try again")
NO_VIDEO = SourceError("notes.mp4 is no readable video", "it is a text", "choose another file")


def drop(window, *urls):
    """Drop `urls` onto the window as a file manager does."""
    data = QMimeData()
    data.setUrls([QUrl(url) if "://" in url else QUrl.fromLocalFile(url) for url in urls])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(50, 50), Qt.DropAction.CopyAction, data, buttons, keys)
    window.dragEnterEvent(enter)
    event = QDropEvent(QPointF(50, 50), Qt.DropAction.CopyAction, data, buttons, keys)
    window.dropEvent(event)
    return enter, event


def until_status(qtbot, window, text):
    qtbot.waitUntil(lambda: text in window.status_line.toolTip())


def source_texts(window):
    picker = window.panel.sources
    return [picker.itemText(row) for row in range(picker.count())]


# Starting


def test_fault_06_no_camera_plays_the_sample_and_says_so(window, engine, qtbot):
    window.start(None)
    until_status(qtbot, window, "no camera was found, so the built-in clip plays")
    assert window.view.pixels is not None
    assert not window.banner.isVisible()
    assert window.panel.sources.currentText() == "Sample"
    assert "No camera found" in source_texts(window)


def test_first_camera_is_taken_and_mirrored(window, engine, qtbot):
    engine.cameras = [camera("C920"), camera("Cam (2)", 1)]
    window.start(None)
    until_status(qtbot, window, "C920 · live · 320\u00d7240")
    qtbot.waitUntil(lambda: window.panel.sources.currentText() == "C920")
    assert source_texts(window)[:3] == ["C920", "Cam (2)", "Sample"]
    assert window.panel.overlays.mirrored.isChecked()
    assert engine.sessions[0].settings.mirrored


def test_fault_08_busy_camera_at_the_start_gives_the_sample_and_a_banner(window, engine, qtbot):
    engine.cameras = [camera("Cam")]
    engine.outcomes[None] = BUSY
    window.start(None)
    until_status(qtbot, window, "could not be opened, so the built-in clip plays")
    assert window.banner.isVisible()
    assert window.banner.text == (
        "The camera “Cam” cannot be opened. Another program probably uses it. Close it and try again."
    )


def test_nothing_at_all_works_and_the_window_stays(window, engine, qtbot):
    engine.outcomes[None] = engine.outcomes["sample"] = NO_VIDEO
    window.start(None)
    qtbot.waitUntil(lambda: len(engine.sessions) == 2 and window.banner.isVisible())
    qtbot.waitUntil(lambda: "nothing to show" in window.view.notice)
    assert "no readable video" in window.banner.text
    assert window.isVisible()


# Changing the source


def test_dropped_file_opens(playing, engine, qtbot):
    enter, event = drop(playing, "/videos/Öß 日本/clip one.mp4")
    assert enter.isAccepted()
    assert event.isAccepted()
    until_status(qtbot, playing, "clip one.mp4 · playing")
    assert engine.opened[-1] == "/videos/Öß 日本/clip one.mp4"
    assert playing.panel.sources.currentText() == "clip one.mp4"
    assert not playing.panel.overlays.mirrored.isChecked()
    qtbot.waitUntil(engine.sessions[0].stopped.is_set)


def test_bad_file_keeps_the_old_source(playing, engine, qtbot):
    engine.outcomes["/notes.mp4"] = NO_VIDEO
    drop(playing, "/notes.mp4")
    qtbot.waitUntil(playing.banner.isVisible)
    assert playing.banner.text == "notes.mp4 is no readable video. It is a text. Choose another file."
    assert not engine.sessions[0].stopped.is_set()
    assert playing.panel.sources.currentText() == "Sample"
    until_status(qtbot, playing, "Sample · playing")
    engine.sessions[0].give(colour=(9, 8, 7, 255))
    qtbot.waitUntil(lambda: tuple(playing.view.pixels[0, 0]) == (9, 8, 7, 255))


def test_fault_46_many_files_open_the_first_and_a_link_is_refused(playing, engine, qtbot):
    drop(playing, *(f"/many/{number}.mp4" for number in range(500)))
    assert "500 files were dropped" in playing.status_line.toolTip()
    qtbot.waitUntil(lambda: playing.panel.sources.currentText() == "0.mp4")
    drop(playing, "https://example.org/face.jpg")
    assert "not a file on this computer" in playing.banner.text
    assert engine.opened == ["sample", "/many/0.mp4"]


def test_slow_source_leaves_the_old_one_playing_and_can_be_called_off(playing, engine, qtbot, heartbeat):
    engine.cameras = [camera("Slow")]
    engine.outcomes["Slow"] = threading.Event()
    playing.player.open("Slow")
    until_status(qtbot, playing, "Slow · opening …")
    engine.sessions[0].give(colour=(1, 2, 3, 255))
    qtbot.waitUntil(lambda: tuple(playing.view.pixels[0, 0]) == (1, 2, 3, 255))
    playing.player.open("sample")
    until_status(qtbot, playing, "Sample · playing")
    qtbot.waitUntil(engine.sessions[1].stopped.is_set)
    engine.outcomes["Slow"].set()
    qtbot.wait(50)
    assert playing.panel.sources.currentText() == "Sample"
    heartbeat.stop()
    assert heartbeat.longest_gap < LONGEST_GAP


def test_last_of_many_choices_wins(playing, engine, qtbot):
    for number in range(30):
        playing.player.open(f"/clips/{number}.mp4")
    qtbot.waitUntil(lambda: playing.panel.sources.currentText() == "29.mp4")
    qtbot.waitUntil(lambda: all(session.stopped.is_set() for session in engine.sessions[:-1]))
    assert not engine.sessions[-1].stopped.is_set()


def test_same_camera_is_not_opened_twice(window, engine, qtbot):
    engine.cameras = [camera("C920")]
    window.start(None)
    until_status(qtbot, window, "C920 · live")
    window.player.open("C920")
    assert len(engine.sessions) == 1


def test_reconnecting_never_takes_another_camera(window, engine, qtbot):
    engine.cameras = [camera("C920"), camera("Other", 1)]
    window.start(None)
    until_status(qtbot, window, "C920 · live")
    engine.sessions[0].open_source()  # as a session does after the camera was lost
    assert engine.opened == [None, "C920"]


def test_device_is_free_before_it_is_opened_again(window, engine, qtbot):
    engine.cameras = [camera("C920")]
    window.start("C920")
    until_status(qtbot, window, "C920 · live")
    engine.sessions[0].fail(BUSY)
    qtbot.waitUntil(window.banner.isVisible)
    window.player.open("sample")
    qtbot.waitUntil(lambda: window.panel.sources.currentText() == "Sample")
    window.player.open("C920")
    until_status(qtbot, window, "C920 · live")
    assert engine.sessions[0].stopped.is_set()


def test_ended_file_plays_again_with_space(window, engine, qtbot):
    window.start("/clip.mp4")
    until_status(qtbot, window, "clip.mp4 · playing")
    engine.sessions[0].report(SourceState.ENDED)
    until_status(qtbot, window, "clip.mp4 · ended; Space plays it again, E measures it for a report")
    qtbot.keyClick(window.view, Qt.Key.Key_Space)
    until_status(qtbot, window, "clip.mp4 · playing")
    assert engine.opened == ["/clip.mp4", "/clip.mp4"]


def test_single_picture_is_not_said_to_end(window, engine, qtbot):
    engine.outcomes["/face.jpg"] = FakeSource("face.jpg", SourceKind.PICTURES, frame_count=1)
    window.start("/face.jpg")
    until_status(qtbot, window, "face.jpg · playing")
    engine.sessions[0].report(SourceState.ENDED)
    qtbot.waitUntil(lambda: window.status_line.toolTip() == "face.jpg · 320\u00d7240")


# States of a camera


def test_fault_01_lost_camera_dims_the_picture_and_comes_back(window, engine, qtbot):
    engine.cameras = [camera("C920")]
    window.start(None)
    until_status(qtbot, window, "C920 · live")
    engine.sessions[0].report(SourceState.RECONNECTING, "Camera disconnected. Trying again …")
    until_status(qtbot, window, "Camera disconnected. Trying again …")
    assert window.view.notice == "Camera disconnected. Trying again …"
    engine.sessions[0].report(SourceState.LIVE)
    until_status(qtbot, window, "C920 · live")
    assert window.view.notice == ""


def test_hint_of_a_live_camera_is_only_in_the_status_line(window, engine, qtbot):
    engine.cameras = [camera("C920")]
    window.start(None)
    until_status(qtbot, window, "C920 · live")
    engine.sessions[0].report(SourceState.LIVE, "The picture is black: is the shutter closed?")
    until_status(qtbot, window, "The picture is black")
    assert window.view.notice == ""


def test_camera_that_fails_for_good_raises_the_banner(window, engine, qtbot):
    engine.cameras = [camera("C920")]
    window.start(None)
    until_status(qtbot, window, "C920 · live")
    engine.sessions[0].fail(SourceError("The camera “C920. Rev 2” failed", "its driver gave up", "plug it in again"))
    qtbot.waitUntil(window.banner.isVisible)
    assert window.banner.text == "The camera “C920. Rev 2” failed. Its driver gave up. Plug it in again."
    assert window.banner.error is engine.sessions[0].status.error
    assert window.status_line.toolTip() == "C920 · failed"
    assert window.view.notice == "The picture stopped"


# Models


def test_broken_model_is_listed_with_its_reason_and_cannot_be_chosen(playing, qtbot):
    picker = playing.panel.lanes.first
    qtbot.waitUntil(lambda: picker.count() == 3)
    row = picker.findText("broken")
    assert not picker.model().item(row).isEnabled()
    assert picker.itemData(row, Qt.ItemDataRole.ToolTipRole) == str(BROKEN)
    assert picker.currentText() == "student-68"


def test_model_is_exchanged(playing, engine, qtbot):
    picker = playing.panel.lanes.first
    qtbot.waitUntil(lambda: picker.count() == 3)
    row = picker.findText("student-68-lite")
    picker.setCurrentIndex(row)
    picker.activated.emit(row)
    qtbot.waitUntil(lambda: playing.player.at_work[0] == "student-68-lite")
    assert picker.currentText() == "student-68-lite"
    playing.player.open("/clip.mp4")
    until_status(qtbot, playing, "clip.mp4 · playing")
    assert picker.currentText() == "student-68-lite"


def test_model_that_fails_leaves_the_old_one_at_work(playing, engine, qtbot):
    picker = playing.panel.lanes.first
    qtbot.waitUntil(lambda: picker.count() == 3)
    engine.broken_models.add("student-68-lite")
    row = picker.findText("student-68-lite")
    picker.setCurrentIndex(row)
    picker.activated.emit(row)
    qtbot.waitUntil(playing.banner.isVisible)
    assert "is damaged" in playing.banner.text
    assert picker.currentText() == "student-68"
    playing.player.open("/clip.mp4")
    until_status(qtbot, playing, "clip.mp4 · playing")
    assert playing.player.at_work[0] == "student-68"


def test_fault_13_model_whose_numbers_are_none_is_reported_once(playing, engine, qtbot):
    session = engine.sessions[0]
    session.error = not_finite_error("student-68")
    session.give()
    qtbot.waitUntil(playing.banner.isVisible)
    assert playing.banner.text.startswith("The model student-68 gave numbers that are not finite.")
    assert playing.panel.lanes.first.currentText() == "student-68"
    playing.banner.hide()
    session.give(colour=(3, 2, 1, 255))
    qtbot.waitUntil(lambda: tuple(playing.view.pixels[0, 0]) == (3, 2, 1, 255))
    assert not playing.banner.isVisible()


def test_empty_source_is_reported(playing, engine, qtbot):
    engine.outcomes["/empty.mp4"] = threading.Event()
    playing.player.open("/empty.mp4")
    qtbot.waitUntil(lambda: len(engine.sessions) == 2)
    engine.sessions[1].report(SourceState.ENDED)
    qtbot.waitUntil(playing.banner.isVisible)
    assert "gave no picture. It is empty" in playing.banner.text
    assert playing.panel.sources.currentText() == "Sample"


def test_fault_10_missing_model_at_the_start_is_replaced_and_reported(window, engine, qtbot):
    engine.broken_models.add("student-68")
    window.start("sample")
    qtbot.waitUntil(window.banner.isVisible)
    assert "is damaged" in window.banner.text
    qtbot.waitUntil(lambda: window.view.pixels is not None)
    assert window.panel.lanes.first.currentText() == "student-68-lite"


def test_what_was_wrong_with_the_settings_stays_to_be_read_when_the_first_source_opens(window, engine, qtbot):
    window.store.problem = SettingsError("Some settings are wrong", "the file was edited", "set them again")
    window.start("/clip.mp4")
    until_status(qtbot, window, "clip.mp4 · playing")
    assert window.banner.isVisible()
    assert window.banner.text.startswith("Some settings are wrong.")


# Controls


@pytest.mark.parametrize("name", ["points", "contours", "box", "numbers"])
def test_overlay_toggle_reaches_the_session(playing, engine, qtbot, name):
    box = playing.panel.overlays.boxes[name]
    before = box.isChecked()
    qtbot.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))
    assert getattr(engine.sessions[0].settings.overlay, name) is not before


def test_ground_truth_can_be_shown_only_where_there_is_one(playing, engine, qtbot):
    truth = playing.panel.overlays.boxes["truth"]
    qtbot.waitUntil(lambda: not truth.isEnabled())
    engine.truth = True
    engine.sessions[0].give()
    qtbot.waitUntil(truth.isEnabled)
    qtbot.keyClick(playing, Qt.Key.Key_5)
    qtbot.waitUntil(lambda: engine.sessions[0].settings.overlay.truth)


def test_smoothing_slider(playing, engine, qtbot):
    assert playing.panel.overlays.smoothing_label.text() == "Smoothing 50 %"
    playing.panel.overlays.smoothing.setFocus()
    qtbot.keyClick(playing.panel.overlays.smoothing, Qt.Key.Key_PageUp)
    assert playing.panel.overlays.smoothing_label.text() == "Smoothing 60 %"
    assert engine.sessions[0].settings.smoothing == pytest.approx(0.6)


def test_settings_go_on_with_the_next_source(playing, engine, qtbot):
    playing.panel.overlays.boxes["box"].setChecked(True)
    playing.player.open("/clip.mp4")
    until_status(qtbot, playing, "clip.mp4 · playing")
    assert engine.sessions[1].settings.overlay.box


def test_settings_changed_while_a_source_opens_go_on_with_it(playing, engine, qtbot):
    engine.outcomes["/slow.mp4"] = threading.Event()
    playing.player.open("/slow.mp4")
    playing.panel.overlays.boxes["box"].setChecked(True)
    playing.panel.overlays.smoothing.setValue(80)
    playing.panel.overlays.mirrored.setChecked(True)
    assert not engine.sessions[1].settings.mirrored
    engine.outcomes["/slow.mp4"].set()
    until_status(qtbot, playing, "slow.mp4 · playing")
    settings = engine.sessions[1].settings
    assert settings.overlay.box
    assert settings.smoothing == pytest.approx(0.8)
    assert settings.mirrored
    assert settings == playing.store.settings.session
    assert not settings.overlay.numbers, "the window paints the numbers"


def test_camera_is_mirrored_unless_the_user_said_otherwise_while_it_opened(playing, engine, qtbot):
    for name, touched in (("Untouched", False), ("Touched", True)):
        engine.cameras = [camera(name)]
        engine.outcomes[name] = threading.Event()
        playing.player.open("sample")
        until_status(qtbot, playing, "Sample · playing")
        playing.player.open(name)
        playing.panel.overlays.boxes["box"].toggle()
        if touched:
            playing.panel.overlays.mirrored.click()
            playing.panel.overlays.mirrored.click()
        engine.outcomes[name].set()
        until_status(qtbot, playing, f"{name} · live")
        assert engine.sessions[-1].settings.mirrored is not touched
        assert playing.panel.overlays.mirrored.isChecked() is not touched


def test_mirroring_chosen_by_hand_survives_a_lost_camera(window, engine, qtbot):
    engine.cameras = [camera("C920")]
    window.start(None)
    until_status(qtbot, window, "C920 · live")
    qtbot.keyClick(window, Qt.Key.Key_M)
    qtbot.waitUntil(lambda: not engine.sessions[0].settings.mirrored)
    engine.sessions[0].open_source()
    assert not engine.sessions[0].settings.mirrored


# Keys


def test_space_pauses_and_goes_on(playing, engine, qtbot):
    qtbot.keyClick(playing.view, Qt.Key.Key_Space)
    assert engine.sessions[0].settings.paused
    assert "paused" in playing.status_line.toolTip()
    assert playing.panel.pause.text() == "Resume"
    qtbot.keyClick(playing.view, Qt.Key.Key_Space)
    assert not engine.sessions[0].settings.paused


def test_fault_83_space_on_a_check_box_checks_it_and_does_not_pause(playing, engine, qtbot):
    playing.panel.overlays.boxes["box"].setFocus()
    qtbot.keyClick(playing.panel.overlays.boxes["box"], Qt.Key.Key_Space)
    assert engine.sessions[0].settings.overlay.box
    assert not engine.sessions[0].settings.paused


def test_new_source_is_not_paused(playing, engine, qtbot):
    qtbot.keyClick(playing.view, Qt.Key.Key_Space)
    playing.player.open("/clip.mp4")
    until_status(qtbot, playing, "clip.mp4 · playing")
    assert not engine.sessions[1].settings.paused
    assert not playing.panel.pause.isChecked()


def test_s_saves_the_picture_and_says_where(playing, engine, qtbot, tmp_path):
    qtbot.keyClick(playing, Qt.Key.Key_S)
    until_status(qtbot, playing, "Screenshot saved: ")
    files = list((tmp_path / "Bilder öß").iterdir())
    assert len(files) == 1
    assert str(files[0]) in playing.status_line.toolTip()
    assert (read_picture(files[0]) == (120, 80, 40)).all()


def test_fault_55_screenshot_that_cannot_be_written_is_reported(playing, qtbot, tmp_path):
    (tmp_path / "Bilder öß").write_text("a file where the folder should be")
    qtbot.keyClick(playing, Qt.Key.Key_S)
    qtbot.waitUntil(playing.banner.isVisible)
    assert "cannot be written" in playing.banner.text


def test_screenshot_without_a_picture_is_reported(window, qtbot):
    qtbot.keyClick(window, Qt.Key.Key_S)
    assert "no picture to save" in window.status_line.toolTip()


def test_full_screen_shows_only_the_picture(playing, qtbot):
    qtbot.keyClick(playing, Qt.Key.Key_F)
    assert playing.isFullScreen()
    assert not playing.panel.isVisible()
    assert not playing.status_line.isVisible()
    qtbot.keyClick(playing, Qt.Key.Key_Escape)
    assert not playing.isFullScreen()
    assert playing.panel.isVisible()


def test_escape_closes_the_banner_first(playing, qtbot):
    playing.toggle_full_screen()
    playing.banner.show_error(BUSY)
    qtbot.keyClick(playing, Qt.Key.Key_Escape)
    assert not playing.banner.isVisible()
    assert playing.isFullScreen()


# Access for everyone


def controls(window):
    found = [child for kind in (QAbstractButton, QComboBox, QSlider) for child in window.findChildren(kind)]
    return [control for control in found if control.focusPolicy() & Qt.FocusPolicy.TabFocus]


def test_tool_tips_name_the_keys(playing):
    panel = playing.panel
    for control, key in (
        (panel.pause, "(Space)"),
        (panel.screenshot, "(S)"),
        (panel.full_screen, "(F)"),
        (panel.overlays.mirrored, "(M)"),
        (panel.overlays.boxes["points"], "(1)"),
        (panel.overlays.boxes["truth"], "(5)"),
    ):
        assert key in control.toolTip()


def test_wheel_over_a_list_changes_nothing(playing, engine, qtbot):
    from PySide6.QtGui import QWheelEvent

    picker = playing.panel.sources
    before = picker.currentIndex()
    where = QPointF(10, 10)
    none = Qt.MouseButton.NoButton
    event = QWheelEvent(
        where,
        where,
        QPoint(0, 0),
        QPoint(0, -120),
        none,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    picker.wheelEvent(event)
    assert picker.currentIndex() == before
    assert not event.isAccepted()


def test_camera_list_is_renewed_on_demand(playing, engine, qtbot):
    picker = playing.panel.sources
    qtbot.waitUntil(lambda: "No camera found" in source_texts(playing))
    engine.cameras = [camera("New one")]
    row = picker.findText("Look for cameras again")
    picker.setCurrentIndex(row)
    picker.activated.emit(row)
    assert picker.currentText() == "Sample"
    qtbot.waitUntil(lambda: "New one" in source_texts(playing))
    assert picker.currentText() == "Sample"


def test_file_dialog_does_not_stop_the_picture(playing, engine, qtbot):
    from PySide6.QtWidgets import QFileDialog

    playing.live.ask_for_file()
    dialog = playing.findChild(QFileDialog)
    assert dialog is not None
    engine.sessions[0].give(colour=(5, 5, 5, 255))
    qtbot.waitUntil(lambda: tuple(playing.view.pixels[0, 0]) == (5, 5, 5, 255))
    dialog.fileSelected.emit("/clip.mp4")
    until_status(qtbot, playing, "clip.mp4 · playing")
    dialog.reject()


def test_file_dialogs_list_what_can_be_opened_and_begin_where_the_user_was(playing, tmp_path):
    from PySide6.QtWidgets import QFileDialog

    playing.store.update("source", str(tmp_path / "last.mp4"))
    playing.live.ask_for_file()
    dialog = playing.findChild(QFileDialog)
    first, *others = dialog.nameFilters()
    assert all(f"*{ending}" in first.split() or f"*{ending})" in first for ending in (".mp4", ".MOV", ".jpg"))
    assert others[-1] == "All files (*)"
    assert dialog.directory().absolutePath() == tmp_path.as_posix()
    dialog.reject()
    dialog.deleteLater()
    playing.live.ask_for_folder()
    dialogs = playing.findChildren(QFileDialog)
    assert dialogs[-1].directory().absolutePath() == tmp_path.as_posix()
    dialogs[-1].reject()


# Crashes and closing


def test_fault_15_error_of_our_own_becomes_a_banner(playing, qtbot):
    from PySide6.QtGui import QGuiApplication

    playing.report_crash("Traceback: ValueError: seven")
    assert "inside the program" in playing.banner.text
    playing.banner.copy_button.click()
    assert "ValueError: seven" in QGuiApplication.clipboard().text()


def test_fault_04_closing_stops_the_session(playing, engine, qtbot):
    with qtbot.waitSignal(playing.gone, timeout=3000):
        playing.close()
    assert engine.sessions[0].stopped.is_set()
    assert not playing.isVisible()


def test_fault_05_closing_takes_less_than_three_seconds_while_threads_hang(playing, engine, qtbot, heartbeat):
    engine.hang_on_stop = True
    engine.outcomes["Hanging"] = threading.Event()
    playing.player.open("Hanging")
    start = time.monotonic()
    with qtbot.waitSignal(playing.gone, timeout=4000):
        playing.close()
        assert not playing.isVisible(), "hidden at once"
    assert time.monotonic() - start < 3
    heartbeat.stop()
    assert heartbeat.longest_gap < LONGEST_GAP


def test_fault_25_a_flood_of_pictures_does_not_block(playing, engine, qtbot, heartbeat):
    flooding = threading.Event()

    def flood():
        while not flooding.is_set():
            engine.sessions[0].give(size=(1280, 720))
            time.sleep(0.002)

    thread = threading.Thread(target=flood)
    thread.start()
    qtbot.wait(500)
    flooding.set()
    thread.join()
    heartbeat.stop()
    assert heartbeat.longest_gap < LONGEST_GAP
    assert playing.view.pixels.shape == (720, 1280, 4)


def test_video_is_not_called_live(window, engine, qtbot):
    engine.outcomes["/clip.mp4"] = FakeSource("clip.mp4", SourceKind.VIDEO)
    window.start("/clip.mp4")
    until_status(qtbot, window, "clip.mp4 · playing · 320\u00d7240")


def test_swap_shows_what_another_model_says_though_none_was_chosen(playing, engine, qtbot):
    qtbot.waitUntil(lambda: playing.panel.lanes.first.count() == 3)
    qtbot.keyClick(playing.view, Qt.Key.Key_X)
    qtbot.waitUntil(lambda: playing.player.at_work[0] == "student-68-lite")
    qtbot.keyClick(playing.view, Qt.Key.Key_X)
    qtbot.waitUntil(lambda: playing.player.at_work[0] == "student-68")


def test_recording_is_seen_wherever_one_looks(playing, engine, qtbot):
    mark = playing.view.findChild(OutputMark)
    assert not mark.isVisible()
    qtbot.keyClick(playing.view, Qt.Key.Key_R)
    assert mark.isVisible()
    assert "0:00" in mark.text()
    assert playing.view.rect().contains(mark.geometry())
    qtbot.keyClick(playing.view, Qt.Key.Key_R)
    assert not mark.isVisible()


def test_sending_has_a_mark_beside_that_of_the_recording(playing, engine, qtbot):
    mark, outputs = playing.view.findChild(OutputMark), playing.panel.outputs
    outputs.address.setText("udp://127.0.0.1:9")
    outputs.stream.click()
    assert mark.isVisible()
    assert mark.accessibleName() == "Sending"
    qtbot.keyClick(playing.view, Qt.Key.Key_R)
    assert mark.accessibleName() == "Recording for 0:00, Sending"
    assert playing.view.rect().contains(mark.geometry())
    qtbot.keyClick(playing.view, Qt.Key.Key_P)
    qtbot.keyClick(playing.view, Qt.Key.Key_R)
    assert mark.isVisible(), "for the presenter too"
    outputs.stream.click()
    assert not mark.isVisible()


def test_the_virtual_camera_counts_as_sending(playing, engine, qtbot):
    mark, outputs = playing.view.findChild(OutputMark), playing.live.outputs
    outputs.virtual_changed.emit(True)
    outputs.stream_changed.emit(True)
    outputs.virtual_changed.emit(False)
    assert mark.accessibleName() == "Sending", "the landmarks still go"
    outputs.stream_changed.emit(False)
    assert not mark.isVisible()


def test_a_stream_is_remembered_but_starts_only_when_asked_for(window, engine, qtbot):
    window.store.update("stream", "udp://127.0.0.1:9")
    window.start("sample")
    assert not window.panel.outputs.stream.isChecked()
    window.panel.outputs.address.setText("osc://127.0.0.1:9")
    window.panel.outputs.stream.click()
    window.panel.outputs.stream.click()
    assert window.store.settings.stream == "osc://127.0.0.1:9"


def test_a_stream_of_the_command_line_starts_with_the_window(window, engine, qtbot):
    window.start("sample", "udp://127.0.0.1:9")
    assert window.panel.outputs.stream.isChecked()
    assert window.view.findChild(OutputMark).isVisible()


@pytest.mark.parametrize("vanish", ["minimised", "hidden", "another page"])
def test_fault_54_nothing_is_computed_while_nobody_sees_it(playing, engine, qtbot, vanish):
    session, outputs = engine.sessions[-1], playing.panel.outputs
    leave = {"minimised": playing.showMinimized, "hidden": playing.hide, "another page": lambda: go_to(playing, 1)}
    come_back = {"minimised": playing.showNormal, "hidden": playing.show, "another page": lambda: go_to(playing, 0)}
    leave[vanish]()
    qtbot.waitUntil(lambda: session.settings.paused)
    assert not playing.panel.pause.isChecked(), "the user has not paused it"
    outputs.address.setText("udp://127.0.0.1:9")
    for box in (outputs.log, outputs.stream, outputs.record):
        box.setChecked(True)
        assert not session.settings.paused, "what is written or sent goes on"
        box.setChecked(False)
        assert session.settings.paused
    come_back[vanish]()
    qtbot.waitUntil(lambda: not session.settings.paused)


def go_to(window, page):
    window.top_bar.tabs.setCurrentIndex(page)


def test_a_pause_outlasts_another_page(playing, engine, qtbot):
    session = engine.sessions[-1]
    playing.store.update("live.paused", True)
    go_to(playing, 1)
    go_to(playing, 0)
    assert session.settings.paused
    playing.store.update("live.paused", False)
    assert not session.settings.paused


def test_the_presenter_shows_the_numbers_of_a_picture_that_stands_still(playing, engine, qtbot):
    qtbot.keyClick(playing.view, Qt.Key.Key_Space)
    qtbot.keyClick(playing.view, Qt.Key.Key_P)
    assert "student-68" in playing.live.presenter.text


@pytest.mark.parametrize("state", [SourceState.ENDED, SourceState.FAILED])
def test_at_the_end_there_is_nothing_to_record_or_log(playing, engine, qtbot, state):
    engine.sessions[-1].report(state)
    outputs = playing.panel.outputs
    for box in (outputs.record, outputs.log):
        box.click()
        assert not box.isChecked()
        assert "There is nothing to record" in str(playing.live.banner.error)
    assert not playing.live.outputs.active
    assert not playing.view.findChild(OutputMark).isVisible()
    engine.sessions[-1].report(SourceState.LIVE)
    outputs.record.click()
    assert outputs.record.isChecked()
    assert not playing.live.banner.isVisible(), "it is over"
    outputs.record.click()


def test_theme_is_reported(playing, qtbot):
    playing.top_bar.theme.click()
    assert "Theme: " in playing.status_line.toolTip()


def test_pictures_are_drawn_for_the_pane_that_shows_them(playing, qtbot):
    def shown_in():
        area, ratio = playing.view.picture_area(), playing.view.devicePixelRatioF()
        return Pane(round(area.width() * ratio), round(area.height() * ratio), ratio)

    session = playing.player.current.session
    qtbot.waitUntil(lambda: session.pane == shown_in())
    before = session.pane
    playing.resize(playing.width() + 200, playing.height() + 150)
    qtbot.waitUntil(lambda: shown_in() != before and session.pane == shown_in())
    playing.player.open("/clip.mp4")
    until_status(qtbot, playing, "clip.mp4 · playing")
    assert playing.player.current.session.pane == shown_in()
