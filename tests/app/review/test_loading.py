"""The moments at which the frames of a log are played."""

from __future__ import annotations

import json
import math

import pytest

from app.review.loading import load


def log_of(folder, times, numbers=None, pictures=()):
    """Write the log of a camera, or of pictures, whose frames have these times."""
    path = folder / "camera.jsonl"
    with path.open("w", encoding="utf-8") as stream:
        for place, time in enumerate(times):
            name = {"image": pictures[place]} if pictures else {"source": "Cam", "frame": (numbers or range(99))[place]}
            known = {} if math.isnan(time) else {"time": time}
            stream.write(json.dumps({**name, **known, "model": "student-68", "faces": []}) + "\n")
    return path


@pytest.mark.parametrize(
    ("times", "moments"),
    [
        ([0.0, 0.04, 0.1], [0.0, 0.04, 0.1]),
        ([5.0, 5.04, 5.08, 0.0, 0.04, 0.08], [0.0, 0.04, 0.08, 0.12, 0.16, 0.2]),
        ([math.nan, 0.1, 0.15], [0.0, 0.05, 0.1]),
        ([math.nan] * 3, [0.0, 1 / 30, 2 / 30]),
        ([math.nan], [0.0]),
    ],
    ids=["known", "the clock went back", "one is missing", "none is known", "a single frame"],
)
def test_frames_whose_times_are_unknown_or_go_back_are_as_far_apart_as_most(tmp_path, times, moments):
    assert load(log_of(tmp_path, times), None).moments == pytest.approx(moments)


def test_frames_that_were_left_out_leave_their_time(tmp_path):
    log = log_of(tmp_path, [math.nan, 0.1, 0.15], numbers=[0, 2, 3])
    assert load(log, None).moments == pytest.approx([0.0, 0.1, 0.15])


def test_pictures_are_a_second_apart(tmp_path):
    log = log_of(tmp_path, [math.nan] * 3, pictures=("a.png", "b.png", "c.png"))
    assert load(log, None).moments == pytest.approx([0.0, 1.0, 2.0])
