from __future__ import annotations

import threading

import cv2
import numpy as np
import pytest

from engine.core.errors import SourceError
from engine.sources import video
from engine.sources.base import SourceKind, to_rgb
from engine.sources.video import VideoSource
from tests.fakes.clips import HEIGHT, WIDTH, cut, turn_half, vary_rate, write_clip
from tests.fakes.faulty_camera import FaultyCamera, empty, fails, hangs, noisy, raises
from tests.fakes.live_fakes import wait_until
from tests.fakes.threads import no_thread_left


def play(source: VideoSource, limit: int = 1000) -> list:
    frames = []
    while (frame := source.read()) is not None:
        frames.append(frame)
        assert len(frames) <= limit, "it never ends"
    return frames


@pytest.fixture
def folder(tmp_path):
    """Return a folder with spaces and letters of many kinds in its path (fault 45)."""
    path = tmp_path / "Öß 日本 🎬 clips"
    path.mkdir()
    return path


@pytest.mark.parametrize("ending", [".mp4", ".avi"])
def test_every_frame_comes_in_order_with_its_time(folder, ending):
    source = VideoSource(write_clip(folder / f"größe{ending}", frames=30, rate=25))
    assert source.frame_count is None, "a header's number is only a hint"
    frames = play(source)
    assert [frame.id for frame in frames] == list(range(30))
    assert np.allclose([frame.time for frame in frames], np.arange(30) / 25, atol=1e-3)
    assert (source.name, source.kind, source.rate) == (f"größe{ending}", SourceKind.VIDEO, 25.0)
    assert source.frame_count == 30
    assert source.remark == ""
    greys = [frame.image[-2, -2].mean() for frame in frames]
    assert greys == sorted(greys)


def test_frames_are_rgb(folder):
    frame = VideoSource(write_clip(folder / "a.mp4")).read()
    assert frame.image.shape == (HEIGHT, WIDTH, 3)
    red, green, blue = frame.image[HEIGHT - 5, 5].tolist()
    assert red > 150
    assert max(green, blue) < 50


def test_fault_43_a_phone_video_is_turned_upright(folder):
    frame = VideoSource(turn_half(write_clip(folder / "phone.mp4"))).read()
    assert frame.image[HEIGHT - 5, 5].mean() > 220, "the bright edge was flagged to be the lower one"
    red, green, _ = frame.image[5, WIDTH - 5].tolist()
    assert red > 150 > green


def test_fault_41_a_video_cut_in_the_middle_plays_what_is_there_and_says_so(folder):
    source = VideoSource(cut(write_clip(folder / "cut.avi", frames=30), 0.6))
    frames = play(source)
    assert 3 <= len(frames) < 28
    assert f"ended after {len(frames) / 25:.2f} of 1.20 seconds" in source.remark
    assert source.read() is None, "the end stays the end"


def test_closing_early_is_no_damage(folder):
    source = VideoSource(write_clip(folder / "a.avi"))
    source.read()
    source.close()
    source.close()
    assert source.read() is None
    assert source.remark == ""


@pytest.mark.parametrize("share", [0.9, 0.5, 0.01])
def test_fault_41_an_mp4_without_its_index_is_refused(folder, share):
    with pytest.raises(SourceError, match="cannot be played"):
        VideoSource(cut(write_clip(folder / "cut.mp4"), share))


def test_fault_41_files_that_are_no_videos_are_refused(folder):
    text, noise, playlist = folder / "notes.mp4", folder / "noise.mp4", folder / "list.m3u8"
    text.write_text("dear diary\n" * 500, encoding="utf-8")
    noise.write_bytes(np.random.default_rng(0).bytes(50_000))
    playlist.write_text("#EXTM3U\n#EXTINF:1,\nfile:///clip.ts\n", encoding="utf-8")
    for path in (text, noise, playlist):
        with pytest.raises(SourceError, match="cannot be played"):
            VideoSource(path)


def test_a_text_is_not_played_as_the_screen_of_an_old_terminal(folder):
    notes = folder / "notes.txt"
    notes.write_text("dear diary\n" * 500, encoding="utf-8")
    with pytest.raises(SourceError, match="cannot be played"):
        VideoSource(notes)


@pytest.mark.parametrize("name", ["really an avi.mp4", "really an avi.mkv", "no ending"])
def test_fault_41_a_video_with_a_wrong_ending_plays(folder, name):
    path = write_clip(folder / "a.avi", frames=5).rename(folder / name)
    assert len(play(VideoSource(path))) == 5


@pytest.mark.parametrize("damage", [0.2, 0.5, 0.9])
def test_fault_41_damage_in_the_middle_never_hangs_and_what_can_be_decoded_is_played(folder, damage):
    path = write_clip(folder / "a.avi", frames=30)
    data = bytearray(path.read_bytes())
    start = int(len(data) * damage * 0.9)
    data[start : start + 2000] = np.random.default_rng(0).bytes(2000)
    path.write_bytes(data)
    assert 0 < len(play(VideoSource(path), limit=40)) <= 30


def test_fault_42_frames_of_a_variable_rate_come_at_their_own_times(folder):
    path = vary_rate(write_clip(folder / "phone.mp4", frames=30, rate=25), change_at=10, shorter=4)
    frames = play(VideoSource(path))
    assert len(frames) == 30
    steps = np.diff([frame.time for frame in frames])
    assert steps[:10] == pytest.approx(np.full(10, 0.04), abs=1e-3)
    assert steps[10:] == pytest.approx(np.full(19, 0.01), abs=1e-3)


def test_fault_41_an_empty_file_says_that_it_is_empty(folder):
    empty_file = folder / "empty.mp4"
    empty_file.touch()
    with pytest.raises(SourceError, match="is empty"):
        VideoSource(empty_file)


@pytest.mark.parametrize("name", ["gone.mp4", "", "x" * 300 + ".mp4"])
def test_fault_45_a_missing_file_or_a_folder_says_so(folder, name):
    with pytest.raises(SourceError, match="no video"):
        VideoSource(folder / name)


def faulty(folder, driver: FaultyCamera) -> VideoSource:
    return VideoSource(write_clip(folder / "real.mp4", frames=1), open_capture=lambda name, backend: driver)


@pytest.mark.parametrize("rate", [0.0, float("nan"), 1000.0, -1.0, float("inf"), 1e-9])
def test_fault_32_a_rate_that_cannot_be_true_becomes_30(folder, rate):
    driver = FaultyCamera([noisy()] * 4 + [fails], answers={cv2.CAP_PROP_FPS: rate}, period=0)
    source = faulty(folder, driver)
    assert source.rate == 30.0
    assert [frame.time for frame in play(source)] == pytest.approx([0, 1 / 30, 2 / 30, 3 / 30])


@pytest.mark.parametrize("count", [0.0, -1.0, float("nan"), 1e18, 2.0])
def test_fault_42_a_wrong_number_of_frames_changes_nothing_in_what_is_played(folder, count):
    answers = {cv2.CAP_PROP_FRAME_COUNT: count, cv2.CAP_PROP_FPS: 25.0}
    source = faulty(folder, FaultyCamera([noisy()] * 4 + [fails], answers=answers, period=0))
    assert source.frame_count is None
    assert len(play(source)) == 4
    assert source.frame_count == 4


@pytest.mark.parametrize("moment", [float("nan"), float("inf"), -40.0, 0.0])
def test_fault_42_times_that_cannot_be_true_become_those_of_the_rate(folder, moment):
    answers = {cv2.CAP_PROP_POS_MSEC: moment, cv2.CAP_PROP_FPS: 50.0}
    source = faulty(folder, FaultyCamera([noisy()] * 3 + [fails], answers=answers, period=0))
    assert [frame.time for frame in play(source)] == pytest.approx([0, 0.02, 0.04])


@pytest.mark.parametrize("step", [fails, empty, raises(cv2.error("corrupt"))])
def test_decoding_that_fails_is_the_end(folder, step):
    assert len(play(faulty(folder, FaultyCamera([noisy()] * 3 + [step], period=0)))) == 3


def test_a_released_file_is_never_asked_how_its_picture_is_shown(folder, monkeypatch):
    driver = FaultyCamera(period=0)
    source = faulty(folder, driver)
    closer = threading.Thread(target=source.close)

    def convert(picture, name):
        closer.start()
        closer.join(0.1)
        return to_rgb(picture, name)

    monkeypatch.setattr(video, "to_rgb", convert)
    source.read()
    closer.join(5)
    assert driver.released == 1
    assert not driver.asked_after_release


def test_a_file_is_never_released_under_a_read(folder):
    until = threading.Event()
    driver = FaultyCamera([noisy(), hangs(until)], period=0)
    with no_thread_left():
        source = faulty(folder, driver)
        source.read()
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
    assert driver.released == 1
    assert not driver.released_during_read
    assert source.read() is None
    assert driver.reads == 2, "nothing is read after the end"
