"""Going to any frame of a video, a folder or the sample.

The numbers in the names of tests are those of the catalogue of faults.
"""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.sources.base import Seekable
from engine.sources.frame_times import FrameTimes
from engine.sources.pictures import PicturesSource
from engine.sources.sample import SampleSource
from engine.sources.video import VideoSource
from tests.fakes.clips import cut, turn_half, vary_rate, write_clip
from tests.fakes.faulty_camera import FaultyCamera

ORDER = (17, 3, 3, 29, 0, 1, 28, 14, 13, 12)


def frames_of(source) -> list:
    frames = []
    while (frame := source.read()) is not None:
        frames.append(frame)
    return frames


def expect_same(source, place: int, frames: list) -> None:
    """Check that going to a place gives the frame that reading from the start gave there, and the next one after."""
    source.seek(place)
    for expected in frames[place : place + 2]:
        frame = source.read()
        assert frame.id == expected.id
        assert frame.time == pytest.approx(expected.time, abs=1e-4)
        assert np.array_equal(frame.image, expected.image)


@pytest.mark.parametrize("ending", [".mp4", ".avi"])
def test_any_frame_of_a_video_is_found_exactly(tmp_path, ending):
    path = write_clip(tmp_path / f"größe {ending}", frames=30, rate=25.0)
    frames, source = frames_of(VideoSource(path)), VideoSource(path)
    assert isinstance(source, Seekable)
    for place in ORDER:
        expect_same(source, place, frames)
        assert source.place_at(place / 25) == place
    assert (source.frame_count, source.duration) == (30, pytest.approx(1.2))
    source.close()


def test_fault_42_frames_of_a_variable_rate_are_found_exactly(tmp_path):
    path = vary_rate(write_clip(tmp_path / "clip.mp4", frames=30, rate=25.0), change_at=10, shorter=4)
    frames, source = frames_of(VideoSource(path)), VideoSource(path)
    for place in ORDER:
        expect_same(source, place, frames)
        assert source.place_at(frames[place].time) == place
        assert source.place_at(frames[place].time + 0.004) == place, "shown until the next one"
    assert frames[-1].time < source.duration < frames[-1].time + 0.1
    source.close()


def test_fault_43_a_turned_video_stays_upright(tmp_path):
    path = turn_half(write_clip(tmp_path / "clip.mp4", frames=30))
    frames, source = frames_of(VideoSource(path)), VideoSource(path)
    for place in (20, 4):
        expect_same(source, place, frames)
    source.close()


def test_beyond_the_end_is_the_last_frame_and_then_the_end(tmp_path):
    source = VideoSource(write_clip(tmp_path / "clip.mp4", frames=30, rate=25.0))
    for _ in range(2):
        source.seek(10**6)
        assert source.read().id == 29
        assert source.read() is None
    source.seek(source.place_at(1e9))
    assert source.read().id == 29
    source.seek(source.place_at(-5.0))
    assert source.read().id == 0
    source.close()


@pytest.mark.parametrize("reported", [0.0, -1.0, math.nan, 1e18, 2.0, 5000.0])
def test_fault_42_a_wrong_number_of_frames_is_safe(tmp_path, reported):
    path = write_clip(tmp_path / "clip.avi", frames=30, rate=25.0)
    frames = frames_of(VideoSource(path))

    class Liar:
        def __init__(self, name, backend) -> None:
            self._real = cv2.VideoCapture(name, backend)

        def __getattr__(self, name):
            return getattr(self._real, name)

        def get(self, prop):
            return reported if prop == cv2.CAP_PROP_FRAME_COUNT else self._real.get(prop)

    source = VideoSource(path, Liar)
    assert source.duration is None or source.duration > 0
    for place in (17, 3, 29):
        expect_same(source, place, frames)
    source.seek(source.place_at(150.0))
    assert source.read().id == 29
    assert (source.frame_count, source.duration) == (30, pytest.approx(1.2)), "the truth, once the end was seen"
    source.close()


@pytest.mark.parametrize("ending", [".avi", ".mp4"])
def test_fault_41_damage_does_not_lead_astray(tmp_path, ending):
    path = write_clip(tmp_path / f"clip{ending}", frames=30, rate=25.0)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 300] = bytes(300)
    path.write_bytes(data)
    frames, source = frames_of(VideoSource(path)), VideoSource(path)
    for place in (0, len(frames) - 1, 3):
        source.seek(place)
        assert source.read().id == place
    source.seek(10**6)
    assert 1 <= len(frames_of(source)) <= 2, "it ends, however many frames the damage took away"
    source.close()


def test_fault_41_a_video_that_is_cut_off_ends_where_it_can_be_decoded(tmp_path):
    path = cut(write_clip(tmp_path / "clip.avi", frames=30, rate=25.0), 0.6)
    count = len(frames_of(VideoSource(path)))
    assert 5 < count < 30
    source = VideoSource(path)
    source.seek(source.place_at(1.19))
    assert source.read().id == count - 1
    assert source.read() is None
    source.close()


def test_without_useful_times_frames_are_counted(tmp_path):
    class Timeless:
        def __init__(self, name, backend) -> None:
            self._real = cv2.VideoCapture(name, backend)

        def __getattr__(self, name):
            return getattr(self._real, name)

        def get(self, prop):
            return 0.0 if prop == cv2.CAP_PROP_POS_MSEC else self._real.get(prop)

    path = write_clip(tmp_path / "clip.mp4", frames=30, rate=25.0)
    frames, source = frames_of(VideoSource(path)), VideoSource(path, Timeless)
    for place in (20, 7, 29):
        source.seek(place)
        frame = source.read()
        assert frame.id == place
        assert np.array_equal(frame.image, frames[place].image)
    assert [source.place_at(seconds) for seconds in (0.4, 0.439, 0.44)] == [10, 10, 11]
    source.seek(100)
    assert source.read().id == 29
    source.close()


def test_steps_back_seldom_decode_again(tmp_path):
    seeks = []

    class Counting:
        def __init__(self, name, backend) -> None:
            self._real = cv2.VideoCapture(name, backend)

        def __getattr__(self, name):
            return getattr(self._real, name)

        def set(self, prop, value):
            if prop == cv2.CAP_PROP_POS_MSEC:
                seeks.append(value)
            return self._real.set(prop, value)

    path = write_clip(tmp_path / "clip.mp4", frames=50, rate=25.0)
    frames, source = frames_of(VideoSource(path)), VideoSource(path, Counting)
    source.seek(45)
    source.read()
    for place in range(44, 14, -1):
        source.seek(place)
        frame = source.read()
        assert frame.id == place
        assert np.array_equal(frame.image, frames[place].image)
    assert len(seeks) < 8
    expect_same(source, 15, frames)
    source.close()


def test_closed_sources_do_nothing(tmp_path):
    source = VideoSource(write_clip(tmp_path / "clip.mp4", frames=3))
    source.seek(1)
    source.close()
    source.seek(0)
    assert source.read() is None


def test_times_are_read_no_further_than_asked():
    driver = FaultyCamera(period=0)
    reads = iter(range(10**6))
    driver.get = lambda prop: next(reads) * 40.0
    times = FrameTimes(lambda: driver)
    assert times.time(100) == pytest.approx(4.0)
    assert driver.reads < 200
    assert times.count is None
    times.close()
    assert driver.released


def write_pictures(folder: Path, count: int) -> Path:
    for number in range(count):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((8, 8, 3), number * 10, np.uint8))
    return folder


def test_any_picture_of_a_folder_is_found(tmp_path):
    source = PicturesSource(write_pictures(tmp_path, 12))
    for place in (7, 0, 11, 3):
        source.seek(place)
        frame = source.read()
        assert (frame.id, frame.name) == (place, f"{place}.png")
    assert source.duration == 12.0
    assert [source.place_at(seconds) for seconds in (-1, 0, 3.9, 11.99, 500)] == [0, 0, 3, 11, 11]


def test_pictures_that_cannot_be_read_have_no_place(tmp_path):
    write_pictures(tmp_path, 6)
    (tmp_path / "2.png").write_bytes(b"no picture")
    source = PicturesSource(tmp_path)
    names = [frame.name for frame in frames_of(source)]
    for place, name in enumerate(names):
        source.seek(place)
        frame = source.read()
        assert (frame.id, frame.name) == (place, name)
    assert (source.frame_count, source.duration, len(source.skipped)) == (5, 5.0, 1)


def test_the_sample_goes_to_any_moment():
    source = SampleSource()
    first = source.read()
    source.seek(source.place_at(5.0))
    frame = source.read()
    assert (frame.id, frame.time) == (150, 5.0)
    source.seek(0)
    assert np.array_equal(source.read().image, first.image)
