"""Hints on a camera's pictures, and cameras that are read without a live session."""

from __future__ import annotations

import numpy as np
import pytest

from engine.core.errors import SourceError
from engine.core.frame import Epoch, Frame
from engine.live import camera_reader
from engine.live.camera_reader import BLACK, FROZEN, CameraReader, GuardedCamera, PictureHints, open_guarded
from engine.live.feed import Context, Feed
from engine.live.reader import SourceThread
from engine.live.settings import LiveSettings
from tests.fakes.faulty_camera import FaultyCamera, camera_source, hangs, noisy
from tests.fakes.live_fakes import FakeClip, picture, wait_until

RNG = np.random.default_rng(0)


def scene(mean: float = 120.0, noise: float = 2.0) -> np.ndarray:
    return np.clip(RNG.normal(mean, noise, (480, 640, 3)), 0, 255).astype(np.uint8)


def observe(pictures, period: float = 0.1) -> list[str]:
    hints = PictureHints(after=2.0)
    return [hints.observe(picture, 10.0 + number * period) for number, picture in enumerate(pictures)]


def test_fault_27_black_pictures_are_reported_after_two_seconds_and_no_longer_than_they_last():
    reported = observe([scene(3, 1.5) for _ in range(30)] + [scene() for _ in range(3)])
    assert reported[:20] == [""] * 20
    assert reported[20:30] == [BLACK] * 10
    assert reported[30:] == [""] * 3


def test_a_short_darkness_is_not_worth_a_word():
    assert not any(observe([scene(2, 1) for _ in range(15)] + [scene()] + [scene(2, 1) for _ in range(15)]))


@pytest.mark.parametrize("picture", [scene(12, 1), scene(5, 12)], ids=["dim", "dark with lights"])
def test_a_dark_room_is_not_a_black_picture(picture):
    noisy = [
        np.clip(picture.astype(int) + RNG.integers(-1, 2, picture.shape), 0, 255).astype(np.uint8) for _ in range(30)
    ]
    assert not any(observe(noisy))


def test_fault_28_the_same_picture_again_and_again_is_frozen():
    still = scene()
    reported = observe([scene()] + [still] * 25 + [scene()] * 2)
    assert reported[21] == ""
    assert reported[22:26] == [FROZEN] * 4
    assert reported[26] == ""


def test_a_scene_at_rest_is_not_frozen():
    assert not any(observe([scene(noise=0.8) for _ in range(40)]))


def test_a_frozen_black_picture_is_called_black():
    assert observe([np.zeros((480, 640, 3), np.uint8)] * 30)[-1] == BLACK


def test_another_size_is_not_frozen():
    grey = [np.full((48 + 16 * (number % 2), 64, 3), 90, np.uint8) for number in range(40)]
    assert not any(observe(grey))


def test_the_picture_is_not_kept():
    picture = scene()
    hints = PictureHints(after=0.0)
    hints.observe(picture, 0.0)
    picture[:] = 0
    assert hints.observe(scene(), 1.0) == ""


def read_on(camera):
    while camera.read() is not None:
        pass


@pytest.fixture
def impatient(monkeypatch):
    for limit in ("OPEN_LIMIT", "READ_LIMIT", "CLOSE_LIMIT"):
        monkeypatch.setattr(camera_reader, limit, 0.1)


@pytest.mark.usefixtures("no_thread_left")
def test_a_guarded_camera_gives_its_newest_frame_and_is_closed():
    driver = FaultyCamera(period=0.002)
    camera = open_guarded(lambda: camera_source(driver))
    first = camera.read()
    wait_until(lambda: driver.reads > 5)
    assert camera.read().id > first.id + 1, "what nobody read in time makes room for the newest"
    camera.close()
    assert driver.released == 1
    assert camera.read() is None


@pytest.mark.usefixtures("no_thread_left", "impatient")
def test_a_guarded_camera_that_hangs_says_so_and_is_left_behind(hang):
    driver = FaultyCamera([noisy()] * 3 + [hangs(hang)])
    camera = open_guarded(lambda: camera_source(driver))
    with pytest.raises(SourceError, match="stopped answering"):
        read_on(camera)
    camera.close()
    assert not driver.released
    hang.set()
    wait_until(lambda: driver.released)
    assert not driver.released_during_read


@pytest.mark.usefixtures("no_thread_left", "impatient")
def test_opening_that_hangs_is_given_up_and_closed_once_it_comes(hang):
    driver = FaultyCamera()

    def open_source():
        hang.wait(20)
        return camera_source(driver)

    with pytest.raises(SourceError, match="did not open in time"):
        open_guarded(open_source)
    hang.set()
    wait_until(lambda: driver.released)


@pytest.mark.usefixtures("no_thread_left")
def test_an_error_of_opening_is_raised_as_it_is():
    error = SourceError("There is none", "it was deleted", "choose another")

    def open_source():
        raise error

    with pytest.raises(SourceError) as raised:
        open_guarded(open_source)
    assert raised.value is error


@pytest.mark.usefixtures("no_thread_left")
def test_an_error_of_a_guarded_camera_is_raised_when_it_is_read():
    camera = open_guarded(lambda: camera_source(FaultyCamera([noisy()] * 2 + [lambda number: (False, None)])))
    assert isinstance(camera, GuardedCamera)
    with pytest.raises(SourceError, match="disconnected"):
        read_on(camera)
    camera.close()


class EndsWhenAsked:
    """A source's thread that ends just as it is asked whether it still runs.

    Args:
        as_it_ends: does what it still has to do.
    """

    error: SourceError | None = None

    def __init__(self, as_it_ends):
        self._as_it_ends = as_it_ends

    def is_alive(self) -> bool:
        self._as_it_ends(self)
        return False


def ending_camera(as_it_ends):
    """Return a guarded camera whose thread ends while it is read, and the feed into which it reads."""
    feed = Feed(LiveSettings)
    feed.add()
    return GuardedCamera(FakeClip([picture()]), EndsWhenAsked(as_it_ends), feed), feed


def test_an_error_at_the_last_moment_is_no_regular_end():
    def fail(thread):
        thread.error = SourceError("The camera is gone", "it was unplugged", "plug it in")

    with pytest.raises(SourceError, match="is gone"):
        ending_camera(fail)[0].read()


def test_a_frame_at_the_last_moment_is_not_lost():
    last = Frame(7, 0.0, picture(), "x", epoch=Epoch(is_camera=True))
    camera, feed = ending_camera(lambda _: feed.replace(last))
    assert camera.read() is last


@pytest.mark.usefixtures("no_thread_left")
def test_files_come_back_as_they_are_and_open():
    clip = FakeClip([picture()])
    assert open_guarded(lambda: clip) is clip
    assert not clip.closed


def test_the_period_is_that_of_the_pictures_and_not_of_the_waiting_for_them():
    thread = SourceThread(lambda: FakeClip([]), lambda *_: None, clock=lambda: 0.0)
    reader = CameraReader(thread, FakeClip([]), Context(Feed(LiveSettings)))
    for number in range(60):
        reader._count(number / 30, 0.7 if number == 0 else 0.005)
    assert reader.period == pytest.approx(1 / 30)


def count_frames(intervals) -> CameraReader:
    """Return a reader that has counted a frame, and one more after each interval in seconds."""
    thread = SourceThread(lambda: FakeClip([]), lambda *_: None, clock=lambda: 0.0)
    reader, moment = CameraReader(thread, FakeClip([]), Context(Feed(LiveSettings))), 0.0
    reader._count(moment, 0.02)
    for interval in intervals:
        moment += interval
        reader._count(moment, interval)
    return reader


def test_a_hiccup_of_a_camera_is_not_its_period():
    reader = count_frames([1 / 30] * 30 + [2.5])
    assert reader.period == pytest.approx(1 / 30)
    first = reader.epoch
    reader._count(3.5 + 1 / 30, 1 / 30)
    assert reader.epoch is first
    assert reader.period == pytest.approx(1 / 30)


@pytest.mark.parametrize("before", [[], [1 / 30] * 30])
def test_a_camera_that_is_slow_for_good_is_not_late_for_ever(before):
    reader = count_frames([*before, *[2.5] * 20])
    epoch = reader.epoch
    reader._count(sum(before) + 2.5 * 21, 2.5)
    assert reader.epoch is epoch
    assert reader.period == pytest.approx(2.5, rel=0.05)


def test_a_late_frame_of_a_camera_that_is_given_up_at_this_moment_is_not_shown():
    feed = Feed(LiveSettings)
    thread = SourceThread(lambda: FakeClip([]), lambda *_: None, clock=lambda: 0.0)
    reader = CameraReader(thread, FakeClip([]), Context(feed))

    def give_up() -> bool:
        reader.epoch.over = True
        return False  # as it was asked a moment before

    reader._count(1.0, 0.02)
    thread.abandoned.is_set = give_up
    before = reader.epoch
    reader._count(11.0, 10.0)
    assert reader.epoch is not before
    assert reader.epoch.over
