"""Recordings of programs that were killed play after all."""

from __future__ import annotations

import subprocess
import sys

import cv2
import numpy as np
import pytest

from engine.output.rescue import rescue_recordings
from engine.output.video_writer import VideoRecorder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows does not say whether a process has ended")

KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from engine.output.video_writer import VideoRecorder
size = 322, 240
recorder = VideoRecorder(Path(sys.argv[1]), float(sys.argv[2]), size)
noise = np.random.default_rng(0).integers(0, 255, (240, 322, 3), np.uint8)
for number in range(120):
    picture = np.roll(noise, 7 * number, axis=0)
    picture[:, :32] = 2 * number
    recorder.write(picture)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("rate", ["30.0", "29.97", "12.5"])
@pytest.mark.parametrize("ending", [".mp4", ".avi"])
def test_a_recording_that_was_killed_is_mended(tmp_path, ending, rate):
    path = tmp_path / f"my clip. 2{ending}"
    subprocess.run([sys.executable, "-c", KILLED, path, rate], check=False)
    assert not path.exists()
    (rescued,) = rescue_recordings(tmp_path)
    assert rescued == tmp_path / f"my clip. 2 (rescued){ending}"
    assert list(tmp_path.iterdir()) == [rescued]
    video, count = cv2.VideoCapture(str(rescued)), 0
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(float(rate), rel=1e-3)
    while True:
        read, picture = video.read()
        if not read:
            break
        assert picture.shape == (240, 322, 3)
        assert abs(np.median(picture[:, :24]) - 2 * count) < 20, "whole and in order, though coded twice"
        count += 1
    video.release()
    assert count >= 100
    assert rescue_recordings(tmp_path) == []


def test_what_is_being_recorded_and_what_holds_nothing_is_left_alone(tmp_path):
    recorder = VideoRecorder(tmp_path / "now.avi", 25, (64, 48))
    recorder.write(np.zeros((48, 64, 3), np.uint8))
    (tmp_path / ".own.64x48x25.recording.mp4").write_bytes(b"mine")
    empty = subprocess.run(
        [sys.executable, "-c", "import sys; from pathlib import Path\nfrom engine.core.files import partial_path\n"
         "partial_path(Path(sys.argv[1]), 'recording').write_bytes(b'\\0' * 99)", tmp_path / "e.64x48x25.mp4"],
        check=True,
    )  # fmt: skip
    assert empty.returncode == 0
    assert rescue_recordings(tmp_path) == []
    recorder.close()
    assert (tmp_path / "now.avi").exists()
    assert len(list(tmp_path.iterdir())) == 3
