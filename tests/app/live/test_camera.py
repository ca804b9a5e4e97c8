"""Cameras in the window: those that come and go, the formats they are asked for, and whether they are slow.

The numbers in the names of tests are those of the catalogue of faults.
"""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QInputDialog

from app.live import camera as camera_module
from app.live.camera import pace_words
from engine.core.stats import Meter, Spread
from engine.live.state import SourceState
from engine.sources.base import CameraFormat, SourceKind
from engine.sources.camera import DEFAULT_FORMAT
from tests.app.conftest import LONGEST_GAP
from tests.fakes.window_fakes import FakeSource, camera


class FormatSource(FakeSource):
    """A camera that remembers what it was asked for."""

    def __init__(self, name: str) -> None:
        super().__init__(name, SourceKind.CAMERA)
        self.asked: list[CameraFormat] = []

    def ask(self, wanted: CameraFormat) -> None:
        self.asked.append(wanted)


@pytest.fixture
def quick(monkeypatch):
    """Look for cameras often."""
    monkeypatch.setattr(camera_module, "POLL_MS", 20)


@pytest.fixture
def filmed(quick, request, engine, qtbot):
    """Return the window while the camera “Cam” plays, and that camera."""
    engine.cameras = [camera("Cam")]
    source = engine.outcomes["Cam"] = FormatSource("Cam")
    window = request.getfixturevalue("window")
    window.start("Cam")
    qtbot.waitUntil(lambda: window.view.pixels is not None)
    qtbot.waitUntil(lambda: window.panel.sources.currentText() == "Cam")
    return window, source


def listed(window) -> list[str]:
    sources = window.panel.sources
    return [sources.itemText(row) for row in range(sources.count())]


def test_fault_38_a_new_camera_is_listed_and_the_active_one_not_touched(filmed, engine, qtbot):
    window, _ = filmed
    session = engine.sessions[0]
    engine.cameras = [camera("Brio", 0), camera("Cam", 1)]
    qtbot.waitUntil(lambda: "Brio" in listed(window))
    assert window.panel.sources.currentText() == "Cam", "the selection follows the name"
    assert engine.sessions == [session]
    assert not session.stopped.is_set()
    engine.cameras = [camera("Cam", 1)]
    qtbot.waitUntil(lambda: "Brio" not in listed(window))
    assert window.panel.sources.currentText() == "Cam"


def test_fault_36_the_selection_stays_when_the_order_of_the_cameras_changes(filmed, engine, qtbot):
    window, _ = filmed
    engine.cameras = [camera("A", 0), camera("B", 1), camera("Cam", 2)]
    qtbot.waitUntil(lambda: "B" in listed(window))
    assert window.panel.sources.currentText() == "Cam"
    assert engine.opened == ["Cam"]


def test_nobody_looks_while_the_list_cannot_be_seen(filmed, engine, qtbot):
    window, _ = filmed
    window.live.show_only_picture(True)
    qtbot.wait(60)
    engine.cameras = []
    qtbot.wait(100)
    assert "Cam" in listed(window)
    window.live.show_only_picture(False)
    qtbot.waitUntil(lambda: "Cam" not in listed(window))


def test_a_look_that_hangs_is_not_joined_by_others(quick, window, qtbot, heartbeat):
    hang, looks = threading.Event(), []

    def look():
        looks.append(1)
        hang.wait(10)
        return []

    window.live.cameras._list_cameras = look
    window.live.cameras.poll()
    qtbot.wait(150)
    assert len(looks) == 1
    hang.set()
    qtbot.waitUntil(lambda: len(looks) > 2)
    heartbeat.stop()
    assert heartbeat.longest_gap < LONGEST_GAP


def test_a_format_is_asked_for_and_remembered_for_the_camera(filmed, engine, qtbot):
    window, source = filmed
    formats = window.panel.source.formats
    assert formats.isVisible()
    assert formats.currentData() == DEFAULT_FORMAT
    formats.setCurrentIndex(1)
    formats.activated.emit(1)
    wanted = CameraFormat(1280, 720, 30)
    assert source.asked == [wanted]
    window.player.open("sample")
    qtbot.waitUntil(lambda: not formats.isVisible())
    window.player.open("Cam")
    qtbot.waitUntil(lambda: formats.isVisible())
    assert formats.currentData() == wanted
    assert engine.formats == {"Cam": wanted}, "it is asked for when the camera is opened"


def test_a_camera_on_its_side_is_turned_and_that_is_remembered_for_it(filmed, engine, qtbot):
    window, source = filmed
    turns = window.panel.source.turns
    assert turns.isVisible()
    assert turns.currentData() == 0
    turns.setCurrentIndex(turns.findData(90))
    turns.activated.emit(turns.currentIndex())
    assert source.asked == [replace(DEFAULT_FORMAT, turn=90)]
    assert window.store.settings.turns == (("Cam", 90),)
    window.player.open("sample")
    qtbot.waitUntil(lambda: not turns.isVisible())
    window.player.open("Cam")
    qtbot.waitUntil(lambda: turns.isVisible())
    assert turns.currentData() == 90
    assert engine.formats == {"Cam": replace(DEFAULT_FORMAT, turn=90)}
    turns.activated.emit(0)
    assert window.store.settings.turns == (), "only what differs from the default is stored"


def test_a_remembered_turn_is_asked_for_when_the_camera_is_opened_the_first_time(window, engine, qtbot):
    window.store.update("turns", (("Cam", 180),))
    engine.cameras = [camera("Cam"), camera("Other", 1)]
    window.start("Cam")
    qtbot.waitUntil(lambda: window.view.pixels is not None)
    assert {name: wanted.turn for name, wanted in engine.formats.items()} == {"Cam": 180, "Other": 0}


def test_what_the_command_line_says_holds_for_all_cameras_and_is_not_stored(filmed, engine, qtbot):
    window, _ = filmed
    window.store.update("turns", (("Cam", 180),))
    wanted = CameraFormat(640, 480, 30, pixels="YUYV")
    window.player._api = replace(window.player._api, camera_format=wanted, turn=270)
    window.player.open("sample")
    qtbot.waitUntil(lambda: engine.opened[-1] == "sample")
    assert engine.formats == {"Cam": replace(wanted, turn=270)}
    assert window.store.settings.turns == (("Cam", 180),)


def test_the_address_of_a_camera_is_typed_or_pasted(playing, engine, qtbot, qapp):
    address = "http://192.168.1.20:8080/video"
    sources = playing.panel.sources
    sources._on_activated(sources.findText("Open camera in the network …"))
    dialog = playing.findChild(QInputDialog)
    dialog.setTextValue(address)
    dialog.accept()
    qtbot.waitUntil(lambda: engine.opened[-1] == address)
    qapp.clipboard().setText("  rtsp://192.168.1.20/live\n")
    qtbot.keyClick(playing.view, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: engine.opened[-1] == "rtsp://192.168.1.20/live")
    qapp.clipboard().clear()


def numbers(total_ms: float, frames: int = 100):
    return replace(Meter().stats(), latency_ms={"total": Spread(total_ms, total_ms)}, frames=frames)


def test_fault_35_the_slower_one_is_named():
    assert pace_words(5.0, numbers(16.0)).startswith("the camera sends 5 pictures a second, the model could do 62")
    assert pace_words(30.0, numbers(100.0)) == "the camera sends 30 pictures a second, the model manages 10"
    assert pace_words(30.0, numbers(10.0)) == "30 pictures a second", "both are fine"
    assert pace_words(12.0, numbers(80.0)) == "12 pictures a second", "both are slow"
    assert pace_words(None, numbers(16.0)) == ""
    assert pace_words(5.0, numbers(16.0, frames=5)) == "", "too early to know"


def test_fault_35_the_status_line_shows_that_the_camera_is_slow(filmed, engine, qtbot, monkeypatch):
    window, _ = filmed
    session = engine.sessions[0]
    monkeypatch.setattr("app.live.camera.pace_words", lambda rate, stats: f"camera {rate:.0f}" if rate else "")
    session.camera_rate = 5.0
    window.live.cameras._pace_updated = 0.0
    session.give()
    qtbot.waitUntil(lambda: window.status_line.toolTip().endswith("camera 5"))
    session.report(SourceState.STALLED, "“Cam” has sent no new picture for a moment.")
    qtbot.waitUntil(lambda: window.status_line.toolTip() == "“Cam” has sent no new picture for a moment.")
