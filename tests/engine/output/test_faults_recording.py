"""Recordings at rates that cameras really have.

The numbers in the names of tests are those of the catalogue of faults.
"""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.output.recorder import LiveRecorder
from engine.output.video_writer import VideoRecorder

pytestmark = pytest.mark.usefixtures("no_thread_left")


@pytest.mark.parametrize("ending", [".mp4", ".avi"])
@pytest.mark.parametrize(
    "rate", [1.0, 23.976, 29.97003, 64.9876, 65.5361, 119.88012, 123.4567, 143.8561, 239.9991, 240.0]
)
def test_fault_17_every_rate_of_a_camera_can_be_encoded(tmp_path, ending, rate):
    path = tmp_path / f"a{ending}"
    with VideoRecorder(path, rate, (64, 48)) as recorder:
        for level in range(5):
            recorder.write(np.full((48, 64, 3), level, np.uint8))
    assert cv2.VideoCapture(str(path), cv2.CAP_FFMPEG).get(cv2.CAP_PROP_FPS) == pytest.approx(rate, rel=1e-3)


def test_fault_17_a_recording_that_ends_after_two_pictures_is_kept_whatever_their_distance(tmp_path):
    for number, distance in enumerate((0.0041777, 0.0052631, 0.0133, 0.2)):
        recorder = LiveRecorder(tmp_path / f"{number}.mp4")
        for moment in (5.0, 5.0 + distance):
            assert recorder.add(np.zeros((48, 64, 4), np.uint8), moment)
        assert recorder.stop().frames == 2
