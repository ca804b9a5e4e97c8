"""The worst frames are kept, apart from one another, with a picture of each lane."""

import cv2
import numpy as np

from engine.core.geometry import Box
from engine.evaluation.session_report.worst_frames import COUNT, SIDE, WorstFrames
from tests.fakes.sessions import random_session

SHOWN = Box(60, 60, 140, 140)


def kept(values, apart):
    worst = WorstFrames(apart)
    for (frame, results), value in zip(random_session(frames=len(values)), values, strict=True):
        worst.add(value, frame.time, frame, SHOWN, results, ["a", "b", "c"])
    return worst.frames


def test_the_largest_are_kept_the_worst_first():
    values = np.random.default_rng(0).permutation(40).astype(float).tolist()
    assert [its.value for its in kept(values, apart=0.0)] == [39, 38, 37, 36, 35, 34][:COUNT]


def test_one_moment_is_shown_once_by_its_worst_frame():
    values = [5.0, 7.0, 6.0] + [0.0] * 57 + [3.0, 4.0, float("inf")] + [0.0] * 10
    worst = kept(values, apart=1.0)
    assert [its.value for its in worst[:2]] == [float("inf"), 7.0]
    moments = sorted(its.moment for its in worst)
    assert min(np.diff(moments)) >= 1.0


def test_each_lane_has_a_picture_and_one_without_a_result_none():
    worst = WorstFrames()
    frame, results = random_session()[0]
    worst.add(1.0, 0.0, frame, SHOWN, [results[0], None, results[2]], ["a", "b", "c"])
    first, missing, third = worst.frames[0].pictures
    assert missing is None
    shown = [cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) for data in (first, third)]
    assert [picture.shape for picture in shown] == [(SIDE, SIDE, 3)] * 2
    assert np.abs(shown[0].astype(int) - shown[1]).max() > 60, "each shows its own landmarks"
