from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.core.errors import RecordingError
from engine.output.video_writer import RESERVED_BYTES, VideoRecorder

SIZE = (64, 48)
REPOSITORY = Path(__file__).resolve().parents[3]


def picture(level: int, width: int = 64, height: int = 48, channels: int = 4) -> np.ndarray:
    made = np.full((height, width, channels), 255, np.uint8)
    made[..., :3] = (level, 0, 255 - level)
    return made


def frames_of(path: Path) -> list[np.ndarray]:
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    frames = []
    while (got := capture.read())[0]:
        frames.append(got[1])
    capture.release()
    return frames


@pytest.fixture
def folder(tmp_path):
    """Return a folder with spaces and letters of many kinds in its path."""
    path = tmp_path / "Aufnahmen öß 日本"
    path.mkdir()
    return path


@pytest.mark.parametrize("ending", [".mp4", ".avi", ".MP4"])
@pytest.mark.parametrize("channels", [3, 4])
def test_every_picture_is_in_the_file(folder, ending, channels):
    path = folder / f"clip{ending}"
    with VideoRecorder(path, 25.0, SIZE) as recorder:
        for number in range(12):
            recorder.write(picture(20 * number, channels=channels))
        assert not path.exists(), "nothing half done stands under its name"
    frames = frames_of(path)
    assert len(frames) == 12
    assert [file.name for file in folder.iterdir()] == [path.name]
    for number, frame in enumerate(frames):
        assert np.abs(frame[24, 32].astype(int) - (20 * number, 0, 255 - 20 * number)).max() < 25, "BGR it is"


def test_the_rate_is_kept(folder):
    with VideoRecorder(folder / "a.mp4", 12.5, SIZE) as recorder:
        recorder.write(picture(0))
        recorder.write(picture(9))
    assert cv2.VideoCapture(str(folder / "a.mp4")).get(cv2.CAP_PROP_FPS) == 12.5


def test_fault_30_another_size_is_fitted_in_with_black_bars(folder):
    with VideoRecorder(folder / "a.avi", 25.0, SIZE) as recorder:
        recorder.write(picture(0))
        recorder.write(picture(0, width=480, height=640))
        recorder.write(picture(0, width=32, height=8, channels=3))
        recorder.write(picture(0))
    first, tall, wide, last = frames_of(folder / "a.avi")
    assert first[24, 32][2] > 220
    assert tall[24, 32][2] > 220
    assert tall[24, 4].max() < 30
    assert tall[2, 32][2] > 200
    assert wide[24, 32][2] > 220
    assert wide[4, 32].max() < 30
    assert np.abs(first.astype(int) - last).max() < 30, "no bar is left behind"


@pytest.mark.parametrize("size", [(65, 49), (2, 2), (641, 3)])
def test_fault_17_odd_sizes_work(folder, size):
    with VideoRecorder(folder / "a.mp4", 25.0, size) as recorder:
        for level in range(3):
            recorder.write(picture(level, *size))
    assert len(frames_of(folder / "a.mp4")) == 3


@pytest.mark.parametrize("name", ["clip.mkv", "clip.gif", "clip"])
def test_other_formats_are_refused_by_name(folder, name):
    with pytest.raises(RecordingError, match=r"Only .mp4 and .avi") as caught:
        VideoRecorder(folder / name, 25.0, SIZE)
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("rate", "size"),
    [(0.0, SIZE), (float("nan"), SIZE), (-1.0, SIZE), (1000.0, SIZE), (25.0, (1, 1)), (25.0, (0, 48))],
)
def test_numbers_without_sense_are_refused(folder, rate, size):
    with pytest.raises(RecordingError, match="cannot be recorded"):
        VideoRecorder(folder / "a.mp4", rate, size)


def test_a_missing_folder_is_named(folder):
    with pytest.raises(RecordingError, match="gone for the recording does not exist"):
        VideoRecorder(folder / "gone" / "a.mp4", 25.0, SIZE)


def test_a_name_that_a_folder_has_is_refused(folder):
    (folder / "a.mp4").mkdir()
    with pytest.raises(RecordingError, match="A folder has this name"):
        VideoRecorder(folder / "a.mp4", 25.0, SIZE)


def test_a_folder_without_permission_is_refused(folder, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(RecordingError, match="cannot be written to"):
        VideoRecorder(folder / "a.mp4", 25.0, SIZE)


def test_fault_17_a_size_that_cannot_be_encoded_is_refused_at_the_start(folder):
    with pytest.raises(RecordingError, match="cannot be encoded"):
        VideoRecorder(folder / "a.mp4", 25.0, (9000, 100))
    assert list(folder.iterdir()) == []


def test_nothing_recorded_leaves_nothing_and_says_so(folder):
    with pytest.raises(RecordingError, match="Nothing was recorded"), VideoRecorder(folder / "a.mp4", 25.0, SIZE):
        pass
    assert list(folder.iterdir()) == []


class ForgetfulWriter:
    """Writes only the first frames, in silence, as OpenCV does when something is wrong."""

    def __init__(self, *arguments) -> None:
        self._writer = cv2.VideoWriter(*arguments)
        self._left = self.remembers

    remembers = 0

    def write(self, frame) -> None:
        if self._left > 0:
            self._writer.write(frame)
        self._left -= 1

    def isOpened(self) -> bool:
        return self._writer.isOpened()

    def release(self) -> None:
        self._writer.release()


def test_fault_17_a_recording_in_which_nothing_is_written_is_noticed(folder):
    recorder = VideoRecorder(folder / "a.mp4", 25.0, SIZE, open_writer=ForgetfulWriter)
    for level in range(10):
        recorder.write(picture(level))
    with pytest.raises(RecordingError, match="Only 0 of 10 frames"):
        recorder.close()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("ending", [".mp4", ".avi"])
def test_a_long_recording_is_checked_in_a_short_time_and_frames_are_still_missed(folder, ending):
    class Halfway(ForgetfulWriter):
        remembers = 60

    for writer, found in ((cv2.VideoWriter, 90), (Halfway, 60)):
        recorder = VideoRecorder(folder / f"a{ending}", 25.0, SIZE, open_writer=writer, patience=0.0)
        for level in range(90):
            recorder.write(picture(level))
        if found == 90:
            recorder.close()
        else:
            with pytest.raises(RecordingError, match="Only 60 of 90 frames"):
                recorder.close()


def test_fault_16_a_part_that_plays_is_kept_and_named_and_an_older_file_stays(folder):
    class Halfway(ForgetfulWriter):
        remembers = 6

    older = folder / "a.avi"
    older.write_bytes(b"older recording")
    recorder = VideoRecorder(older, 25.0, SIZE, open_writer=Halfway)
    for level in range(10):
        recorder.write(picture(level))
    with pytest.raises(RecordingError, match="Only 6 of 10 frames") as caught:
        recorder.close()
    recorder.close()
    assert older.read_bytes() == b"older recording"
    part = folder / "a.part.avi"
    assert str(part) in str(caught.value)
    assert len(frames_of(part)) == 6


def test_a_whole_recording_replaces_an_older_one(folder):
    (folder / "a.mp4").write_bytes(b"older recording")
    with VideoRecorder(folder / "a.mp4", 25.0, SIZE) as recorder:
        recorder.write(picture(0))
    assert len(frames_of(folder / "a.mp4")) == 1


def test_fault_16_a_disk_that_fills_up_ends_the_recording_while_it_can_be_finished(folder):
    space = iter([10**9, 10**9, 10**9, RESERVED_BYTES - 1])
    recorder = VideoRecorder(folder / "a.mp4", 25.0, SIZE, free_bytes=lambda _: next(space))

    def fill() -> None:
        for _ in range(100):
            recorder.write(picture(0))

    with pytest.raises(RecordingError, match="The disk is full") as caught:
        fill()
    written = recorder.frames
    assert 0 < written < 100
    assert f"the first {written} frames are safe in {folder / 'a.mp4'}" in str(caught.value)
    assert len(frames_of(folder / "a.mp4")) == written
    with pytest.raises(RecordingError, match="has ended already"):
        recorder.write(picture(0))
    recorder.close()


def test_fault_16_a_full_disk_is_noticed_before_anything_is_written(folder):
    with pytest.raises(RecordingError, match="The disk is full"):
        VideoRecorder(folder / "a.mp4", 25.0, SIZE, free_bytes=lambda _: 1000)
    assert list(folder.iterdir()) == []


WRITE_BEYOND_A_LIMIT = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from engine.core.errors import RecordingError
from engine.output.video_writer import VideoRecorder
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
noise = np.random.default_rng(0).integers(0, 255, (20, 240, 320, 3), np.uint8)
try:
    with VideoRecorder(Path(sys.argv[1]), 25.0, (320, 240)) as recorder:
        for frame in noise:
            recorder.write(frame)
except RecordingError as error:
    sys.stdout.reconfigure(encoding="utf-8")
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file size are not known to Windows")
@pytest.mark.parametrize("ending", [".mp4", ".avi"])
def test_fault_16_writes_that_really_fail_are_noticed(folder, ending):
    path = folder / f"a{ending}"
    command = [sys.executable, "-c", WRITE_BEYOND_A_LIMIT, str(path)]
    ran = subprocess.run(command, cwd=REPOSITORY, capture_output=True, timeout=60, check=True)
    reported = ran.stdout.decode()
    assert "of 20 frames are in the recording" in reported
    assert not path.exists()
    for part in folder.iterdir():
        assert str(part) in reported
        assert 0 < len(frames_of(part)) < 20


def test_an_error_in_between_is_not_hidden_and_what_was_recorded_is_kept(folder):
    class BrokenError(Exception):
        pass

    def record(name: str, pictures: int) -> None:
        with VideoRecorder(folder / name, 25.0, SIZE) as recorder:
            for _ in range(pictures):
                recorder.write(picture(0))
            raise BrokenError

    with pytest.raises(BrokenError):
        record("a.mp4", 1)
    assert len(frames_of(folder / "a.mp4")) == 1
    with pytest.raises(BrokenError):
        record("b.mp4", 0)
    assert not (folder / "b.mp4").exists()


def test_a_name_that_cannot_be_taken_keeps_the_recording(folder, monkeypatch):
    recorder = VideoRecorder(folder / "a.mp4", 25.0, SIZE)
    recorder.write(picture(0))

    def refuse(self, target):
        raise PermissionError(13, "in use")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(RecordingError, match="cannot be named") as caught:
        recorder.close()
    (kept,) = folder.iterdir()
    assert str(kept) in str(caught.value)
    assert len(frames_of(kept)) == 1
