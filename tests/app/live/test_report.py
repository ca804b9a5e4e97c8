"""The session report of the window: begun and written by a key, a switch or an option, offered where a file ends."""

from __future__ import annotations

import json
import threading

import pytest
from PySide6.QtCore import Qt

from app.live import outputs
from app.shell import main_window
from engine.formats.images import write_picture
from engine.live import session_reporter
from engine.live.settings import Pace
from engine.live.state import SourceState
from engine.render.scene import Layout
from engine.sources.pictures import PicturesSource
from engine.sources.video import VideoSource
from tests.app.conftest import LONGEST_GAP
from tests.fakes.clips import write_clip
from tests.fakes.live_fakes import FakeClip, picture
from tests.fakes.threads import no_thread_left
from tests.fakes.window_sessions import SessionEngine


@pytest.fixture
def engine(tmp_path):
    with no_thread_left():
        made = SessionEngine()
        clip = write_clip(tmp_path / "clip.avi", frames=40, rate=50.0)
        made.makers["/clip.mp4"] = lambda: VideoSource(clip)
        made.makers["/long.mp4"] = lambda: FakeClip([picture(20)] * 4000, rate=50.0)
        yield made


def has_ended(window):
    return window.player.current is not None and window.player.current.session.status.state is SourceState.ENDED


def pages(folder):
    return sorted(folder.rglob("report.html"))


def frames(folder):
    return json.loads((folder / "report.json").read_text("utf-8"))["frames"]


def wait_for_pictures(window, qtbot, number=5):
    """Wait until so many further pictures were shown, each of which had been measured before."""
    shown = []
    window.player.viewed.connect(shown.append)
    qtbot.waitUntil(lambda: len(shown) >= number)
    window.player.viewed.disconnect(shown.append)


def test_the_key_measures_and_writes_the_report_of_both_lanes(window, qtbot, tmp_path, heartbeat):
    window.store.update("live.layout", Layout.SIDE_BY_SIDE)
    window.store.update("live.pace", Pace.LOCKED)
    window.start("/long.mp4")
    qtbot.waitUntil(lambda: window.view.pixels is not None)
    qtbot.waitUntil(lambda: window.player.current.session.card(1) is not None)
    said = []
    window.live.outputs.reported.connect(said.append)
    qtbot.keyClick(window, Qt.Key.Key_E)
    assert window.panel.outputs.report.isChecked()
    assert "Measuring" in window.live._output_mark.text()
    qtbot.wait(500)
    qtbot.keyClick(window, Qt.Key.Key_E)
    qtbot.waitUntil(lambda: len(pages(tmp_path)) == 1)
    qtbot.waitUntil(lambda: any("Report of" in words for words in said))
    values = json.loads(pages(tmp_path)[0].with_name("report.json").read_text("utf-8"))
    assert [lane["name"] for lane in values["lanes"]] == ["student-68", "teacher-68"]
    assert values["frames"] > 5
    assert values["pace"] == "locked"
    assert pages(tmp_path)[0].parent.parent.name == "Videos öß", "beside the recordings"
    heartbeat.stop()
    assert heartbeat.longest_gap < LONGEST_GAP


def test_a_file_that_ends_while_it_is_measured_offers_the_report(window, qtbot, tmp_path):
    window.start("/clip.mp4")
    qtbot.waitUntil(lambda: window.view.pixels is not None)
    window.panel.outputs.report.click()
    qtbot.waitUntil(lambda: has_ended(window) and window.banner.isVisible())
    assert pages(tmp_path) == [], "offered, not forced"
    (button,) = window.banner.remedy_buttons
    assert button.text() == "Write the report"
    button.click()
    qtbot.waitUntil(lambda: len(pages(tmp_path)) == 1)
    assert not window.panel.outputs.report.isChecked()


def test_a_file_that_has_ended_is_measured_from_its_beginning_and_reported_by_itself(window, qtbot, tmp_path):
    window.start("/clip.mp4")
    qtbot.waitUntil(lambda: has_ended(window))
    qtbot.waitUntil(lambda: "E measures it for a report" in window.status_line.text())
    assert not window.banner.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_E)
    qtbot.waitUntil(lambda: len(pages(tmp_path)) == 1)
    assert json.loads(pages(tmp_path)[0].with_name("report.json").read_text("utf-8"))["frames"] == 40


def test_only_the_report_that_was_wanted_at_the_end_is_written_there_by_itself(window, qtbot, tmp_path):
    window.start("/clip.mp4")
    qtbot.waitUntil(lambda: has_ended(window))
    qtbot.keyClick(window, Qt.Key.Key_E)
    qtbot.waitUntil(lambda: window.player.current.session.status.state is SourceState.LIVE)
    qtbot.keyClick(window, Qt.Key.Key_E)  # before the end
    assert not window.panel.outputs.report.isChecked()
    window.panel.outputs.report.click()
    qtbot.waitUntil(lambda: has_ended(window) and window.banner.isVisible())
    assert [button.text() for button in window.banner.remedy_buttons] == ["Write the report"]


def test_settings_that_change_while_it_is_measured_begin_again(window, qtbot, tmp_path):
    window.start("/long.mp4", report=tmp_path / "wanted")
    qtbot.waitUntil(lambda: window.panel.outputs.report.isChecked())
    wait_for_pictures(window, qtbot)
    window.store.update("live.smoothing", 0.9)
    wait_for_pictures(window, qtbot)
    window.live.toggle_report()
    qtbot.waitUntil(lambda: len(pages(tmp_path)) == 1)
    values = json.loads((tmp_path / "wanted" / "report.json").read_text("utf-8"))
    assert (values["smoothing"], values["remark"]) == (0.9, "Measuring began again when smoothing was set to 0.9.")


def test_the_option_writes_the_report_of_the_first_source_at_its_end(window, qtbot, tmp_path):
    window.start("/clip.mp4", report=tmp_path / "wanted")
    qtbot.waitUntil(lambda: len(pages(tmp_path)) == 1)
    assert pages(tmp_path) == [tmp_path / "wanted" / "report.html"]
    assert frames(tmp_path / "wanted") == 40
    assert not window.banner.isVisible()


def test_the_option_writes_the_report_of_a_single_picture(window, engine, qtbot, tmp_path):
    write_picture(tmp_path / "photo.png", picture(20))
    engine.makers["/photo.png"] = lambda: PicturesSource(tmp_path / "photo.png")
    window.start("/photo.png", report=tmp_path / "wanted")
    qtbot.waitUntil(lambda: len(pages(tmp_path)) == 1)
    assert frames(tmp_path / "wanted") == 1


def test_a_single_picture_that_has_ended_is_measured_by_the_key(window, engine, qtbot, tmp_path):
    write_picture(tmp_path / "photo.png", picture(20))
    engine.makers["/photo.png"] = lambda: PicturesSource(tmp_path / "photo.png")
    window.start("/photo.png")
    qtbot.waitUntil(lambda: has_ended(window))
    qtbot.keyClick(window, Qt.Key.Key_E)
    qtbot.waitUntil(lambda: len(pages(tmp_path)) == 1)
    assert frames(pages(tmp_path)[0].parent) == 1


def test_another_source_and_closing_write_the_report_too(window, qtbot, tmp_path):
    window.start("/long.mp4", report=tmp_path / "wanted")
    qtbot.waitUntil(lambda: window.panel.outputs.report.isChecked())
    wait_for_pictures(window, qtbot)
    window.player.open("/clip.mp4")
    qtbot.waitUntil(lambda: len(pages(tmp_path)) == 1)
    assert not window.panel.outputs.report.isChecked()
    window.panel.outputs.report.click()
    wait_for_pictures(window, qtbot)
    window.close()
    qtbot.waitUntil(lambda: len(pages(tmp_path)) == 2)


def test_closing_waits_for_a_report_that_takes_longer_than_everything_else(window, qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr(outputs, "FINISH_SECONDS", 0.1)
    monkeypatch.setattr(main_window, "CLOSING_MS", 200)
    go_on, write = threading.Event(), session_reporter.write_report
    monkeypatch.setattr(session_reporter, "write_report", lambda *its: go_on.wait(20) and write(*its))
    window.start("/long.mp4", report=tmp_path / "wanted")
    qtbot.waitUntil(lambda: window.panel.outputs.report.isChecked())
    wait_for_pictures(window, qtbot)
    gone = []
    window.gone.connect(lambda: gone.append(pages(tmp_path)))
    window.close()
    assert not window.isVisible()
    qtbot.wait(600)
    assert gone == []
    go_on.set()
    qtbot.waitUntil(lambda: bool(gone))
    assert gone == [[tmp_path / "wanted" / "report.html"]]


def test_a_lane_that_rests_is_left_out_and_named(window, qtbot, tmp_path):
    window.store.update("lanes.models", ("student-68", "teacher-68", "student-68"))
    window.store.update("live.layout", Layout.SPLIT)
    window.store.update("live.pair", (0, 2))
    window.start("/long.mp4")
    qtbot.waitUntil(lambda: window.player.current is not None and window.player.current.session.card(2) is not None)
    window.live.toggle_report()
    qtbot.wait(500)
    window.live.toggle_report()
    qtbot.waitUntil(lambda: len(pages(tmp_path)) == 1)
    values = json.loads(pages(tmp_path)[0].with_name("report.json").read_text("utf-8"))
    assert [lane["name"] for lane in values["lanes"]] == ["student-68", "student-68 (3)"]
    assert [lane["name"] for lane in values["left_out"]] == ["teacher-68"]
    assert "the layout did not show it, so it rested" in values["left_out"][0]["why"]
