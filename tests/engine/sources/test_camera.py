from __future__ import annotations

import os
import platform
import threading

import cv2
import numpy as np
import pytest

from engine.core.errors import SourceError
from engine.sources.base import CameraFormat, SourceKind
from engine.sources.camera import MOST_BAD_READS, CameraDenied, CameraSource
from engine.sources.discovery import Camera
from tests.fakes.faulty_camera import FaultyCamera, camera_source, empty, fails, gives, hangs, noisy, raises
from tests.fakes.live_fakes import wait_until
from tests.fakes.threads import no_thread_left

CAMERA = Camera(3, cv2.CAP_V4L2, "Fake Cam", "/dev/video3")
GONE = Camera(0, 0, "Fake Cam", "")


def test_frames_are_rgb_and_numbered():
    blue = np.zeros((48, 64, 3), np.uint8)
    blue[..., 0] = 200
    source = camera_source(FaultyCamera([gives(blue)]))
    frames = [source.read() for _ in range(3)]
    assert [frame.id for frame in frames] == [0, 1, 2]
    assert frames[0].image[0, 0].tolist() == [0, 0, 200]
    assert frames[0].captured < frames[1].captured
    assert (frames[0].source, frames[0].name, frames[0].time, frames[0].truth) == ("Fake Cam", "", None, None)
    assert (source.name, source.kind, source.rate, source.frame_count) == ("Fake Cam", SourceKind.CAMERA, None, None)


def test_it_is_opened_on_the_backend_that_listed_it_with_a_fast_format():
    opened = []
    driver = FaultyCamera()

    def open_capture(index, backend):
        opened.append((index, backend))
        return driver

    CameraSource(CAMERA, CameraFormat(1280, 720, 60), open_capture=open_capture)
    assert opened == [(3, cv2.CAP_V4L2)]
    assert driver.properties == {
        cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*"MJPG"),
        cv2.CAP_PROP_FRAME_WIDTH: 1280,
        cv2.CAP_PROP_FRAME_HEIGHT: 720,
        cv2.CAP_PROP_FPS: 60,
        cv2.CAP_PROP_BUFFERSIZE: 1,
    }


def test_it_is_asked_for_other_pixels():
    driver = FaultyCamera()
    CameraSource(CAMERA, CameraFormat(640, 480, 30, pixels="YUYV"), open_capture=lambda index, backend: driver)
    assert driver.properties[cv2.CAP_PROP_FOURCC] == cv2.VideoWriter.fourcc(*"YUYV")


@pytest.mark.parametrize(("turn", "corner"), [(0, (0, 0)), (90, (0, -1)), (180, (-1, -1)), (270, (-1, 0))])
def test_pictures_are_turned_clockwise_without_asking_the_camera(turn, corner):
    marked = np.zeros((48, 64, 3), np.uint8)
    marked[0, 0] = 255
    driver = FaultyCamera([gives(marked)])
    source = camera_source(driver)
    driver.properties.clear()
    source.ask(CameraFormat(640, 480, 30, turn=turn))
    image = source.read().image
    assert image.shape == ((48, 64, 3) if turn in (0, 180) else (64, 48, 3))
    assert np.argwhere(image.any(-1)).tolist() == [[corner[0] % image.shape[0], corner[1] % image.shape[1]]]
    assert driver.properties == {}
    source.ask(CameraFormat(1280, 720, 30, turn=turn))
    source.read()
    assert driver.properties[cv2.CAP_PROP_FRAME_WIDTH] == 1280


def test_fault_70_a_camera_that_refuses_every_request_is_used_as_it_is():
    wishes = (cv2.CAP_PROP_FOURCC, cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_BUFFERSIZE)
    assert camera_source(FaultyCamera([noisy(96, 72)], refuses=wishes)).read().width == 96


def test_fault_29_the_very_first_picture_is_thrown_away():
    assert camera_source(FaultyCamera([noisy(level=0), noisy(level=100)])).read().image.min() >= 100


def test_fault_30_the_size_may_change():
    source = camera_source(FaultyCamera([noisy(), noisy(64, 48), noisy(128, 72), noisy(48, 64)]))
    assert [(frame.width, frame.height) for frame in (source.read(), source.read(), source.read())] == [
        (64, 48),
        (128, 72),
        (48, 64),
    ]


@pytest.mark.parametrize("step", [fails, empty, raises(cv2.error("USB")), raises(RuntimeError("driver"))])
def test_faults_01_26_five_bad_reads_in_a_row_are_the_end(step):
    driver = FaultyCamera([noisy(), noisy(), step])
    source = camera_source(driver)
    source.read()
    with pytest.raises(SourceError, match="“Fake Cam” was disconnected"):
        source.read()
    assert driver.reads == 2 + MOST_BAD_READS


@pytest.mark.parametrize("step", [fails, empty, raises(cv2.error("USB"))])
def test_fault_26_a_hiccup_is_not_the_end(step):
    source = camera_source(FaultyCamera([noisy(), *[step] * (MOST_BAD_READS - 1), noisy()]))
    assert source.read().id == 0


def test_fault_31_an_unknown_kind_of_picture_is_refused():
    source = camera_source(FaultyCamera([gives(np.zeros((48, 64, 2), np.uint8))]))
    with pytest.raises(SourceError, match="of the kind"):
        source.read()


@pytest.mark.parametrize("driver", [FaultyCamera(opens=False), FaultyCamera([fails]), FaultyCamera([empty])])
def test_fault_08_a_busy_camera_says_so_and_is_released(driver):
    with pytest.raises(SourceError, match="(?i)another program"):
        camera_source(driver)
    assert driver.released == 1


def test_fault_08_a_driver_that_throws_at_opening_is_busy_too():
    def open_capture(index, backend):
        raise cv2.error("0x80070005")

    with pytest.raises(SourceError, match="cannot be opened"):
        CameraSource(GONE, open_capture=open_capture)


@pytest.mark.parametrize(
    ("system", "advice"),
    [("Darwin", "System Settings > Privacy"), ("Windows", "Settings > Privacy"), ("Linux", "close the other")],
)
def test_fault_07_the_advice_is_that_of_the_system(monkeypatch, system, advice):
    monkeypatch.setattr(platform, "system", lambda: system)
    with pytest.raises(SourceError, match=f"(?i){advice}"):
        camera_source(FaultyCamera(opens=False))


def test_fault_07_a_device_without_permission_names_the_group(monkeypatch):
    device = Camera(0, cv2.CAP_V4L2, "Fake Cam", "/dev/null")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    opened = []
    with pytest.raises(CameraDenied, match="group video"):
        CameraSource(device, open_capture=lambda *which: opened.append(which))
    assert not opened, "it is not even tried"


def test_fault_39_the_second_backend_is_used_when_the_first_fails():
    second = Camera(1, cv2.CAP_MSMF, "Fake Cam", "")
    drivers = {cv2.CAP_V4L2: FaultyCamera([fails]), cv2.CAP_MSMF: FaultyCamera()}
    source = CameraSource(CAMERA, open_capture=lambda index, backend: drivers[backend], fallbacks=[second])
    assert source.read() is not None
    assert drivers[cv2.CAP_V4L2].released == 1
    assert not drivers[cv2.CAP_MSMF].released


def test_when_every_backend_fails_the_first_one_is_heard():
    second = Camera(1, cv2.CAP_MSMF, "Fake Cam", "")
    drivers = {cv2.CAP_V4L2: FaultyCamera([fails]), cv2.CAP_MSMF: FaultyCamera(opens=False)}
    with pytest.raises(SourceError, match="opens but gives no picture"):
        CameraSource(CAMERA, open_capture=lambda index, backend: drivers[backend], fallbacks=[second])


def test_closing_twice_is_fine_and_ends_the_source():
    driver = FaultyCamera()
    source = camera_source(driver)
    source.close()
    source.close()
    assert source.read() is None
    assert driver.released >= 1


def test_a_device_is_never_released_under_a_read():
    until = threading.Event()
    driver = FaultyCamera([noisy(), hangs(until)])
    with no_thread_left():
        source = camera_source(driver)
        reader = threading.Thread(target=source.read)
        reader.start()
        wait_until(lambda: driver.inside)
        closer = threading.Thread(target=source.close)
        closer.start()
        closer.join(0.1)
        assert closer.is_alive()
        assert not driver.released
        until.set()
        reader.join(5)
        closer.join(5)
    assert driver.released
    assert not driver.released_during_read


def test_fault_70_another_format_is_asked_for_while_it_runs_and_what_comes_is_shown():
    driver = FaultyCamera([noisy(64, 48), noisy(64, 48), noisy(128, 72), noisy(80, 60)])
    source = camera_source(driver)
    assert source.read().width == 64
    source.ask(CameraFormat(1920, 1080, 30))
    assert cv2.CAP_PROP_FRAME_WIDTH in driver.properties
    assert source.read().width == 128, "not what was asked for, but what came"
    assert driver.properties[cv2.CAP_PROP_FRAME_WIDTH] == 1920
    assert driver.properties[cv2.CAP_PROP_FRAME_HEIGHT] == 1080
    driver.properties.clear()
    assert source.read().width == 80
    assert driver.properties == {}, "it is asked once"
