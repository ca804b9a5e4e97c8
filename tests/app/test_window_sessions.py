"""The window on real sessions with faulty cameras and slow models: what users see, record and can still do.

The numbers in the names of tests are those of the catalogue of faults.
"""

from __future__ import annotations

import functools
import json
import os
import random
import subprocess
import sys
import threading
import time

import cv2
import numpy as np
import pytest

from app.live import outputs
from engine.core.frame import Frame
from engine.inference.pipeline import Pipeline
from engine.live.state import SourceState
from engine.output.recorder import LiveRecorder
from engine.output.video_writer import RESERVED_BYTES, VideoRecorder
from engine.render.scene import Layout
from engine.sources.discovery import CameraAbsent
from tests.app.conftest import LONGEST_GAP
from tests.fakes.faulty_camera import FaultyCamera, camera_source, fails, gives, hangs, noisy
from tests.fakes.live_fakes import FakeClip, FakePipeline, picture
from tests.fakes.memory import alive
from tests.fakes.models import FakeDetector, FakeLandmarker, FakeScene, face_points
from tests.fakes.threads import no_thread_left
from tests.fakes.window_sessions import SessionEngine

pytestmark = pytest.mark.alone

GONE = CameraAbsent("The camera “Fake Cam” is not plugged in", "it was unplugged", "plug it in again")


@pytest.fixture
def engine():
    with no_thread_left():
        yield SessionEngine()


@pytest.fixture
def hang():
    event = threading.Event()
    yield event
    event.set()


def plug_in(engine, *drivers, name="Fake Cam"):
    """Let the first camera, and the one of this name, be these drivers in turn, then gone."""
    waiting = list(drivers)

    def make():
        if not waiting:
            raise GONE
        return camera_source(waiting.pop(0), name)

    engine.makers[None] = engine.makers[name] = make


def folder_of(window) -> list:
    folder = window.live.outputs._folder
    return sorted(folder.iterdir()) if folder.is_dir() else []


def frames_in(path) -> list[np.ndarray]:
    capture, found = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG), []
    while (got := capture.read())[0]:
        found.append(got[1])
    return found


# Cameras


def test_fault_01_an_unplugged_camera_is_reported_within_a_second_and_comes_back_by_itself(
    window, engine, qtbot, heartbeat
):
    unplugged = threading.Event()
    unplug = noisy()
    plug_in(
        engine,
        FaultyCamera([lambda number: fails(number) if unplugged.is_set() else unplug(number)], period=0.02),
        FaultyCamera([noisy(level=60)], period=0.02),
    )
    window.start(None)
    qtbot.waitUntil(lambda: window.view.pixels is not None)
    unplugged.set()
    reported = time.monotonic()
    qtbot.waitUntil(lambda: "disconnected" in window.view.notice, timeout=1000)
    assert time.monotonic() - reported < 1
    qtbot.waitUntil(lambda: window.view.notice == "", timeout=3000)
    qtbot.waitUntil(lambda: window.view.pixels[30, 60, 0] < 100)
    assert engine.opened == [None, "Fake Cam"], "looked for by its own name"
    heartbeat.stop()
    assert heartbeat.longest_gap < LONGEST_GAP


def test_fault_02_while_a_driver_hangs_everything_else_works_and_another_source_takes_over(
    window, engine, qtbot, heartbeat, hang
):
    plug_in(engine, FaultyCamera([noisy()] * 20 + [hangs(hang)], period=0.01))
    engine.makers["/clip.mp4"] = lambda: FakeClip([picture(200)] * 400, rate=30.0)
    window.start(None)
    qtbot.waitUntil(lambda: window.view.pixels is not None)
    qtbot.waitUntil(lambda: window.view.notice != "")
    window.panel.overlays.boxes["box"].setChecked(True)
    assert engine.sessions[0].settings.overlay.box
    begin = time.monotonic()
    window.player.open("/clip.mp4")
    qtbot.waitUntil(lambda: window.panel.sources.currentText() == "clip.mp4", timeout=3000)
    assert time.monotonic() - begin < 3
    assert window.view.notice == ""
    begin = time.monotonic()
    with qtbot.waitSignal(window.gone, timeout=4000):
        window.close()
    assert time.monotonic() - begin < 3
    heartbeat.stop()
    assert heartbeat.longest_gap < LONGEST_GAP
    hang.set()


def test_fault_28_a_frozen_camera_is_opened_again_at_a_click(window, engine, qtbot):
    plug_in(
        engine,
        FaultyCamera([noisy()] * 10 + [gives(noisy()(1)[1])], period=0.01),
        FaultyCamera([noisy(level=60)], period=0.01),
    )
    window.start(None)
    qtbot.waitUntil(window.banner.isVisible)
    window.banner.remedy_buttons[0].click()
    qtbot.waitUntil(lambda: window.view.pixels[30, 60, 0] < 100)
    assert not window.banner.isVisible()


def test_fault_39_a_camera_that_opens_for_ever_is_reported_and_can_be_called_off(
    window, engine, qtbot, heartbeat, hang
):
    late = FaultyCamera(period=0.01)

    def open_slowly():
        hang.wait(20)
        return camera_source(late, "Slow")

    engine.makers["Slow"] = open_slowly
    engine.makers["/clip.mp4"] = lambda: FakeClip([picture(200)] * 4000, rate=100.0)
    window.start("/clip.mp4")
    qtbot.waitUntil(lambda: window.view.pixels is not None)
    window.player.open("Slow")
    qtbot.waitUntil(lambda: "Opening is taking a long time" in window.status_line.toolTip())
    frames = []
    window.player.viewed.connect(lambda view: frames.append(view.first.result.frame.id))
    qtbot.waitUntil(lambda: len(frames) > 5)
    window.player.open("/clip.mp4")
    qtbot.waitUntil(lambda: "clip.mp4" in window.status_line.toolTip())
    hang.set()
    qtbot.waitUntil(lambda: late.released == 1)
    assert window.panel.sources.currentText() == "clip.mp4"
    heartbeat.stop()
    assert heartbeat.longest_gap < LONGEST_GAP


def test_fault_40_a_hundred_switches_from_camera_to_file_and_back_leave_one_reader(window, engine, qtbot, heartbeat):
    drivers: list[FaultyCamera] = []
    crowded = []

    def open_camera():
        crowded.extend(driver for driver in drivers if not driver.released)
        drivers.append(FaultyCamera(period=0.002))
        return camera_source(drivers[-1], "Cam")

    engine.makers["Cam"] = open_camera
    engine.makers["/clip.mp4"] = lambda: FakeClip([picture(200)] * 4000, rate=100.0)
    pauses = random.Random(0)
    window.start("Cam")
    for number in range(100):
        qtbot.wait(pauses.choice((0, 0, 5, 20, 40)))
        window.player.open(("/clip.mp4", "Cam")[number % 2])
    qtbot.waitUntil(lambda: window.panel.sources.currentText() == "Cam" or window.player.current.name == "Cam")
    qtbot.waitUntil(lambda: sum(not driver.released for driver in drivers) == 1)
    assert crowded == [], "never two readers on one device"
    assert not any(driver.released_during_read for driver in drivers)
    assert not drivers[-1].released, "the last choice wins"
    heartbeat.stop()
    assert heartbeat.longest_gap < LONGEST_GAP


# Models


def test_fault_09_the_drops_of_a_slow_model_are_shown_and_its_pictures_stay_young(window, engine, qtbot, heartbeat):
    plug_in(engine, FaultyCamera(period=1 / 30))
    engine.make_pipeline = functools.partial(FakePipeline, delay=0.3)
    ages = []
    window.view.painted.connect(lambda lane, moment, age: ages.append(age))
    window.start(None)
    qtbot.waitUntil(lambda: len(ages) >= 8, timeout=8000)
    assert max(ages) < 2 * 300 + 1000 / 30 + 150
    plate = window.view.lane_plates.plates[0]
    assert plate.report.stats.dropped > 5 * 8
    assert f"dropped {plate.report.stats.dropped} frames" in plate.accessibleDescription()
    heartbeat.stop()
    assert heartbeat.longest_gap < LONGEST_GAP


def test_fault_24_the_name_on_the_plate_is_that_of_the_model_that_made_the_result(window, engine, qtbot):
    plug_in(engine, FaultyCamera(period=0.003))
    window.start(None)
    wrong = []

    def check(view):
        named = window.view.lane_plates.plates[0].report.lines[0].text
        if named != view.first.result.model:
            wrong.append((named, view.first.result.model))

    window.player.viewed.connect(check)  # after the page, which is connected first
    qtbot.waitUntil(lambda: window.view.pixels is not None)
    for number in range(60):
        window.player.use_model(f"model {number}")
        qtbot.wait(2)
    qtbot.waitUntil(lambda: window.player.at_work[0] == "model 59")
    assert wrong == []


def test_fault_79_on_a_busy_processor_frames_are_dropped_and_the_window_stays_alive(window, engine, qtbot, heartbeat):
    plug_in(engine, FaultyCamera(period=1 / 30))
    engine.make_pipeline = functools.partial(FakePipeline, delay=0.05)
    busy = [
        subprocess.Popen(
            [sys.executable, "-c", "import time\nend = time.monotonic() + 60\nwhile time.monotonic() < end: 0"]
        )
        for _ in range(2 * (os.cpu_count() or 1))
    ]
    try:
        ages = []
        window.view.painted.connect(lambda lane, moment, age: ages.append(age))
        window.start(None)
        qtbot.waitUntil(lambda: len(ages) >= 12, timeout=20_000)
        window.panel.overlays.boxes["box"].setChecked(True)
        qtbot.waitUntil(lambda: engine.sessions[0].settings.overlay.box)
        # Each frame is the newest there was: a queue of them would be seconds old by now.
        assert np.median(ages) < 1500
        qtbot.waitUntil(lambda: window.view.lane_plates.plates[0].report.stats.dropped > 0)
        heartbeat.stop()
        assert heartbeat.longest_gap < LONGEST_GAP
    finally:
        for process in busy:
            process.kill()
            process.wait()


# What leaves the program


def test_fault_16_a_disk_that_fills_up_ends_the_recording_while_the_picture_goes_on(window, engine, qtbot, monkeypatch):
    space = iter([10**9] * 4 + [RESERVED_BYTES - 1] * 99)
    recorder = functools.partial(VideoRecorder, free_bytes=lambda _: next(space))
    monkeypatch.setattr(outputs, "LiveRecorder", functools.partial(LiveRecorder, open_recorder=recorder))
    plug_in(engine, FaultyCamera(period=0.01))
    window.start(None)
    qtbot.waitUntil(lambda: window.view.pixels is not None)
    window.panel.outputs.record.setChecked(True)
    qtbot.waitUntil(window.banner.isVisible)
    assert "32 MB are left" in window.banner.text
    assert not window.panel.outputs.record.isChecked()
    (path,) = folder_of(window)
    assert str(path) in window.banner.text
    assert len(frames_in(path)) >= 30
    taken = []
    window.player.viewed.connect(lambda view: taken.append(view.first.result.frame.id))
    qtbot.waitUntil(lambda: len(taken) > 10)


def test_fault_52_what_is_seen_mirrored_is_written_as_it_is(window, engine, qtbot):
    face = (18, 24, 20, 0)  # in the left half
    half = np.zeros((48, 64, 3), np.uint8)
    half[:, :32] = 250
    scene = FakeScene(face)
    engine.make_pipeline = lambda name: Pipeline(FakeDetector(scene), FakeLandmarker(scene), smoothing=0.0)
    plug_in(engine, FaultyCamera([gives(half)], period=0.01))
    window.start(None)
    qtbot.waitUntil(lambda: window.view.pixels is not None)
    assert window.panel.overlays.mirrored.isChecked(), "as cameras are"
    for control in ("points", "contours", "box"):
        window.panel.overlays.boxes[control].setChecked(False)
    section = window.panel.outputs
    section.recordings.setCurrentIndex(section.recordings.findText("both"))
    section.record.setChecked(True)
    section.log.setChecked(True)
    qtbot.wait(600)
    seen = window.view.composed_pixels()
    section.record.setChecked(False)
    section.log.setChecked(False)
    qtbot.waitUntil(lambda: len([path for path in folder_of(window) if not path.name.startswith(".")]) == 3)
    log, clean, shown = sorted(
        folder_of(window), key=lambda path: ("landmarks" not in path.name, "clean" not in path.name)
    )
    assert (seen[40, 60, 0] > 200, seen[40, 4, 0] < 50) == (True, True), "mirrored on screen"
    assert frames_in(shown)[-1][40, 60, 0] > 200, "and in a recording of the screen"
    assert frames_in(clean)[-1][40, 4, 0] > 200, "not in the clean frames"
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert len(lines) > 5
    for line in lines:
        (found,) = line["faces"]
        # Each index keeps its meaning: 36 to 41 are the person's right eye, on the left of the picture.
        assert np.allclose(found["landmarks"], face_points(*face), atol=0.05)


def test_fault_54_a_hidden_window_paints_nothing_but_goes_on_recording(window, engine, qtbot):
    plug_in(engine, FaultyCamera(period=0.01))
    window.start(None)
    painted, viewed = [], []
    window.view.painted.connect(lambda lane, moment, age: painted.append(moment))
    window.player.viewed.connect(lambda view: viewed.append(view.first.result.frame.id))
    qtbot.waitUntil(lambda: len(painted) > 3)
    for vanish in (window.showMinimized, window.hide):
        vanish()
        window.panel.outputs.record.setChecked(True)
        window.panel.outputs.log.setChecked(True)
        qtbot.wait(100)
        painted.clear()
        viewed.clear()
        before = alive(Frame)
        qtbot.wait(600)
        assert painted == [], "nothing is painted"
        assert len(viewed) > 10, "frames go on"
        assert viewed == sorted(viewed), "and none is made up for"
        assert alive(Frame) <= before + 4, "nothing gathers"
        window.panel.outputs.record.setChecked(False)
        window.panel.outputs.log.setChecked(False)
        window.showNormal()
        qtbot.waitUntil(lambda: bool(painted))
        assert viewed[-1] - viewed[-2] < 30, "no queue was waiting"
    qtbot.waitUntil(lambda: len(folder_of(window)) >= 2)
    videos = [path for path in folder_of(window) if path.suffix == ".mp4"]
    assert all(len(frames_in(path)) > 10 for path in videos)


def test_fault_54_a_switch_of_layout_while_hidden_does_no_harm(window, engine, qtbot):
    plug_in(engine, FaultyCamera(period=0.005))
    window.start(None)
    qtbot.waitUntil(lambda: window.view.pixels is not None)
    window.hide()
    for layout in Layout:
        window.store.update("live.layout", layout)
        qtbot.wait(30)
    window.show()
    seen = []
    window.view.painted.connect(lambda lane, moment, age: seen.append(lane))
    qtbot.waitUntil(lambda: bool(seen))
    assert engine.sessions[0].status.state is SourceState.LIVE
