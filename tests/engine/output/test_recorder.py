"""Live recordings: correct in time, complete or reported, and never slowing a frame."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.core.errors import RecordingError
from engine.output.recorder import LONGEST_FILE_HOLD, LONGEST_HOLD, MOST_WAITING_BYTES, LiveRecorder, TimedRecorder
from engine.output.video_writer import RESERVED_BYTES, VideoRecorder
from tests.fakes.live_fakes import wait_until


def view(level: int, width: int = 64, height: int = 48) -> np.ndarray:
    """Return a BGRA picture whose blue is its number."""
    made = np.full((height, width, 4), 255, np.uint8)
    made[..., :3] = (level, 0, 0)
    return made


def blues(path) -> list[int]:
    """Return the blue of each frame in the file."""
    capture, found = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG), []
    while (got := capture.read())[0]:
        found.append(int(got[1][24, 32, 0]))
    return found


@pytest.fixture
def folder(tmp_path, no_thread_left):
    path = tmp_path / "Aufnahmen öß 日本"
    path.mkdir()
    return path


@pytest.mark.parametrize("ending", [".mp4", ".avi"])
def test_views_are_recorded_whole_in_their_order(folder, ending):
    recorder = LiveRecorder(folder / f"a{ending}", rate=25)
    for number in range(20):
        assert recorder.add(view(12 * number), 100 + number / 25)
    recorded = recorder.stop()
    assert (recorded.path, recorded.frames, recorded.seconds, recorded.dropped) == (folder / f"a{ending}", 20, 0.8, 0)
    assert np.abs(np.array(blues(recorded.path)) - 12 * np.arange(20)).max() < 20
    assert [file.name for file in folder.iterdir()] == [f"a{ending}"]


def test_clean_frames_keep_their_colours(folder):
    recorder = LiveRecorder(folder / "a.mp4", rate=25)
    frame = np.zeros((48, 64, 3), np.uint8)
    frame[..., 2] = 250  # blue in RGB
    recorder.add(frame, 0.0)
    recorder.stop()
    assert blues(folder / "a.mp4")[0] > 220


@pytest.mark.parametrize("filmed", [10.0, 15.0, 24.0, 30.0, 48.0, 60.0])
def test_the_video_lasts_as_long_as_what_it_shows(folder, filmed):
    recorder = LiveRecorder(folder / "a.avi", rate=30)
    jitter = np.random.default_rng(0).uniform(-0.2, 0.2, 200)
    for number in range(int(2 * filmed)):
        recorder.add(view(number), 50 + (number + jitter[number]) / filmed)
    recorded = recorder.stop()
    assert recorded.seconds == pytest.approx(2, abs=2.5 / min(filmed, 30))
    assert recorded.dropped == 0


def test_at_the_rate_of_the_source_jitter_neither_repeats_nor_leaves_out_a_picture(folder):
    recorder = LiveRecorder(folder / "a.mp4", rate=30)
    jitter = np.random.default_rng(1).uniform(-0.3, 0.3, 60)
    for number in range(60):
        recorder.add(view(4 * number), (number + jitter[number]) / 30)
    assert recorder.stop().frames == 60


def test_without_a_rate_it_is_measured(folder):
    recorder = LiveRecorder(folder / "a.mp4")
    for number in range(40):
        recorder.add(view(number), 7 + number / 12.5)
    assert recorder.stop().frames == 40
    assert cv2.VideoCapture(str(folder / "a.mp4")).get(cv2.CAP_PROP_FPS) == pytest.approx(12.5, abs=0.01)


def test_of_pictures_of_one_moment_the_last_one_counts_and_the_rate_is_that_of_the_moments(folder):
    recorder = LiveRecorder(folder / "a.mp4")
    for number in range(40):
        for late in (0, 100):
            recorder.add(view(late + number), 7 + number / 25)
    recorded = recorder.stop()
    assert (recorded.frames, recorded.dropped) == (40, 0)
    assert cv2.VideoCapture(str(folder / "a.mp4")).get(cv2.CAP_PROP_FPS) == pytest.approx(25, abs=0.01)
    assert min(blues(folder / "a.mp4")) > 80


def test_a_pause_in_the_first_pictures_says_nothing_of_the_rate(folder):
    recorder = LiveRecorder(folder / "a.mp4")
    for number in range(40):
        recorder.add(view(number), 7 + number / 25 + (60 if number else 0))
    assert recorder.stop().frames == pytest.approx(40 + 25 * LONGEST_HOLD, abs=2)
    assert cv2.VideoCapture(str(folder / "a.mp4")).get(cv2.CAP_PROP_FPS) == pytest.approx(25, abs=0.01)


def test_fewer_pictures_than_the_measuring_needs_are_kept(folder):
    recorder = LiveRecorder(folder / "a.mp4")
    recorder.add(view(5), 3.0)
    assert recorder.stop().frames == 1


@pytest.mark.parametrize("jump", [600.0, -600.0])
def test_a_long_pause_is_shortened_and_a_clock_that_jumps_back_does_no_harm(folder, jump):
    recorder = LiveRecorder(folder / "a.avi", rate=10)
    for number in range(20):
        recorder.add(view(number), 1000 + number / 10 + (jump if number >= 10 else 0))
    recorded = recorder.stop()
    assert recorded.frames == pytest.approx(20 + (50 if jump > 0 else 0), abs=2)


def test_fault_30_another_size_goes_on_in_the_same_video_with_black_bars(folder):
    recorder = LiveRecorder(folder / "a.avi", rate=25)
    recorder.add(view(250), 0.0)
    recorder.add(view(250, 480, 640), 0.04)
    recorder.add(np.full((8, 32, 3), 250, np.uint8), 0.08)
    assert recorder.stop().frames == 3
    capture = cv2.VideoCapture(str(folder / "a.avi"), cv2.CAP_FFMPEG)
    _, tall, wide = (capture.read()[1] for _ in range(3))
    assert tall[24, 32, 0] > 220
    assert tall[24, 3, 0] < 30
    assert wide[3, 32].max() < 30


def test_fault_16_a_full_disk_ends_the_recording_is_reported_and_keeps_what_there_is(folder):
    space = iter([10**9, 10**9, 10**9] + [RESERVED_BYTES - 1] * 9)
    reported = []
    recorder = LiveRecorder(
        folder / "a.mp4",
        25,
        lambda _, error: reported.append(error),
        lambda *arguments, **keywords: VideoRecorder(*arguments, free_bytes=lambda _: next(space), **keywords),
    )
    for number in range(100):
        recorder.add(view(number), number / 25)
    wait_until(lambda: reported)
    assert not recorder.add(view(0), 5.0), "no picture is taken any more, and none is waited for"
    recorded = recorder.stop()
    (error,) = reported
    assert str(folder / "a.mp4") in str(error)
    assert "32 MB are left" in str(error)
    assert recorder.error is error
    assert len(blues(recorded.path)) == recorded.frames == 30


def test_fault_16_a_disk_that_is_full_from_the_beginning_leaves_nothing(folder):
    space = iter([10**9] + [0] * 9)
    reported = []

    def open_recorder(*arguments, **keywords):
        return VideoRecorder(*arguments, free_bytes=lambda _: next(space), **keywords)

    recorder = LiveRecorder(folder / "a.mp4", 25, lambda _, error: reported.append(error), open_recorder)
    for number in range(2):
        recorder.add(view(number), number / 25)
    wait_until(lambda: reported)
    assert "The disk is full" in str(reported[0])
    assert recorder.stop().frames == 0
    assert list(folder.iterdir()) == []


class Forgetful:
    """A writer that writes nothing, in silence, as OpenCV does when something is wrong."""

    opens = True

    def __init__(self, path, *arguments) -> None:
        self._file = Path(path).open("wb")  # noqa: SIM115

    def write(self, frame) -> None:
        pass

    def isOpened(self) -> bool:
        return self.opens

    def release(self) -> None:
        self._file.close()


class Closed(Forgetful):
    opens = False


def recorder_with(writer):
    return lambda *arguments, **keywords: VideoRecorder(*arguments, open_writer=writer, **keywords)


def test_fault_17_a_missing_codec_is_reported_while_frames_go_on(folder):
    reported = []
    recorder = LiveRecorder(folder / "a.mp4", 25, lambda _, error: reported.append(error), recorder_with(Closed))
    for number in range(2):
        recorder.add(view(number), number / 25)
    wait_until(lambda: reported)
    assert "cannot be encoded here" in str(reported[0])
    assert recorder.stop().frames == 0
    assert list(folder.iterdir()) == []


def test_fault_17_a_recording_into_which_nothing_is_written_is_never_a_success(folder):
    recorder = LiveRecorder(folder / "a.mp4", 25, None, recorder_with(Forgetful))
    for number in range(5):
        recorder.add(view(0), number / 25)
    with pytest.raises(RecordingError, match="Only 0 of 5 frames"):
        recorder.stop()
    assert list(folder.iterdir()) == []


class Broken(VideoRecorder):
    """Fails at the first picture, and again at finishing what there is."""

    def write(self, picture) -> None:
        raise ValueError("no picture")

    def close(self) -> None:
        super().close()
        raise OSError("gone")


def test_a_recording_that_cannot_even_be_rescued_has_ended_and_is_reported(folder):
    reported = []
    recorder = LiveRecorder(folder / "a.mp4", 25, lambda _, error: reported.append(error), Broken)
    for number in range(2):
        recorder.add(view(number), number / 25)
    wait_until(lambda: reported)
    assert "no picture" in str(reported[0])
    assert not recorder.add(view(0), 1.0)


def test_nothing_recorded_says_so(folder):
    with pytest.raises(RecordingError, match="No picture came, as in a pause"):
        LiveRecorder(folder / "a.mp4").stop()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["a.gif", "gone/a.mp4"])
def test_a_place_that_cannot_be_written_is_refused_at_once(folder, name):
    with pytest.raises(RecordingError):
        LiveRecorder(folder / name)


class Slow(VideoRecorder):
    """Writes once it is let go."""

    go = threading.Event()

    def write(self, picture) -> None:
        self.go.wait(20)
        super().write(picture)


def test_a_slow_disk_drops_pictures_and_counts_them_but_never_holds_a_frame_up(folder):
    Slow.go.clear()
    recorder = LiveRecorder(folder / "a.avi", 30, None, Slow)
    picture = view(9, 640, 480)
    begin = time.perf_counter()
    kept = sum(recorder.add(picture, number / 30) for number in range(120))
    assert time.perf_counter() - begin < 2
    assert kept * picture.nbytes <= MOST_WAITING_BYTES + 2 * picture.nbytes
    Slow.go.set()
    recorded = recorder.stop(10)
    assert recorded.dropped - (120 - kept) in (0, 1), "the last one is given as it ends"
    assert recorded.dropped > 0


def test_fault_04_quitting_does_not_wait_for_a_disk_that_hangs(folder):
    Slow.go.clear()
    recorder = LiveRecorder(folder / "a.avi", 30, None, Slow)
    recorder.add(view(0), 0.0)
    begin = time.monotonic()
    with pytest.raises(RecordingError, match="not finished yet"):
        recorder.stop(0.2)
    assert time.monotonic() - begin < 1
    Slow.go.set()
    assert recorder.stop().frames == 1


def test_fault_04_two_recordings_at_once_are_finished_within_the_time_to_quit(folder):
    recorders = [LiveRecorder(folder / name, 30) for name in ("view.mp4", "frames.avi")]
    for number in range(150):
        for recorder in recorders:
            recorder.add(view(number, 320, 240), number / 30)
    begin = time.monotonic()
    for recorder in recorders:
        recorder.end()
    found = [recorder.stop() for recorder in recorders]
    assert time.monotonic() - begin < 3
    assert [recorded.frames for recorded in found] == [150, 150]


def test_fault_42_times_of_a_file_that_jump_never_fill_the_disk(folder):
    with TimedRecorder(folder / "a.mp4", 1.0) as recorder:
        for moment in (0.0, 1.0, 2.0, 1e6, 1e6 + 1):
            recorder.write(view(100), moment)
        recorder.hold_until(1e9)
    assert recorder.frames <= 2 + 2 * LONGEST_FILE_HOLD + 3


def test_the_last_picture_is_held_until_the_end_of_its_file(folder):
    with TimedRecorder(folder / "a.mp4", 10.0) as recorder:
        recorder.write(view(100), 0.0)
        recorder.write(view(200), 0.5)
        recorder.hold_until(1.2)
    assert recorder.frames == 12
    assert [level > 150 for level in blues(folder / "a.mp4")] == [False] * 5 + [True] * 7


@pytest.mark.parametrize(("step", "rate"), [(0.001, 240.0), (0.02, 50.0), (0.033, 30.0)])
def test_the_rate_of_a_file_is_raised_where_its_first_frames_come_closer(folder, step, rate):
    with TimedRecorder(folder / "a.avi", 30.0) as recorder:
        for number in range(30):
            recorder.write(view(100), number * step)
    assert cv2.VideoCapture(str(folder / "a.avi")).get(cv2.CAP_PROP_FPS) == pytest.approx(rate)
