"""The signals of a face: right for known faces, alike in both markups, and never an exception."""

import dataclasses
import json
import math
import time

import numpy as np
import pytest

from engine.core.face_signals import SIGNALS
from engine.core.faces import EyeLevels, Face
from engine.core.geometry import landmark_box
from engine.core.schemes import COFW_29, IBUG_68, WFLW_98
from engine.inference.people import HIDDEN_SECONDS
from engine.inference.signals import SignalReader
from engine.sources.sample import RATE, SampleClip
from engine.sources.sample_portrait import LOOP_SECONDS, MovingPortrait, pose_at
from tests.fakes.turned_face import HEIGHT, WIDTH, face_of, result_of, turned_face


def signals_of(face):
    (signals,) = SignalReader().read(result_of(face))
    return signals


def watch(eyes, rate=30.0, reader=None, start=0.0, **face):
    """Return the signals of each frame of a face whose eyes are open by these shares."""
    reader = reader or SignalReader()
    frames = [
        result_of(turned_face(eyes=(share, share), **face), moment=start + i / rate) for i, share in enumerate(eyes)
    ]
    return [reader.read(frame)[0] for frame in frames]


def test_a_face_that_looks_into_the_camera_with_open_eyes_and_closed_mouth():
    signals = signals_of(turned_face())
    assert max(abs(signals.yaw), abs(signals.pitch), abs(signals.roll)) < 1
    assert signals.eye_right > 0.95
    assert signals.eye_left > 0.95
    assert (signals.mouth, signals.blinks, signals.id) == (0, 0, 1)


def test_left_and_right_are_the_persons_own():
    signals = signals_of(turned_face(eyes=(0.0, 1.0)))  # the right eye, on the left of the picture, is closed
    assert signals.eye_right == 0
    assert signals.eye_left > 0.95


def test_openness_grows_with_eyes_and_mouth():
    eyes = [signals_of(turned_face(eyes=(share, share))).eye_left for share in (0.2, 0.45, 0.7, 0.9)]
    mouths = [signals_of(turned_face(mouth=ratio)).mouth for ratio in (0.0, 0.15, 0.3, 0.5, 1.0)]
    assert eyes == sorted(set(eyes))
    assert mouths[:4] == sorted(set(mouths[:4]))
    assert mouths[-1] == 1


@pytest.mark.parametrize("turn", [(30, 0, 0), (-30, 0, 0), (0, 25, 0), (0, -25, 0), (20, 15, 60)])
def test_a_turned_head_neither_closes_the_eyes_nor_opens_the_mouth(turn):
    straight, turned = (signals_of(turned_face(*way, eyes=(0.6, 0.6), mouth=0.3)) for way in ((0, 0, 0), turn))
    for name in ("eye_right", "eye_left", "mouth"):
        assert getattr(turned, name) == pytest.approx(getattr(straight, name), abs=0.15)


def test_an_eye_that_is_seen_from_the_side_shows_nothing():
    signals = signals_of(turned_face(yaw=65))  # towards the right of the picture: the person's left eye is far
    assert math.isnan(signals.eye_left)
    assert signals.eye_right > 0.8
    assert signals.as_record()["eye_left"] is None


@pytest.mark.parametrize("turn", [(0, 0, 0), (30, -10, 20)])
def test_98_points_give_what_68_give(turn):
    face = {"eyes": (0.7, 0.9), "mouth": 0.2}
    of_68, of_98 = (signals_of(turned_face(*turn, points=points, **face)).as_record() for points in (68, 98))
    assert of_68 == of_98
    assert None not in of_68.values()


def test_a_mirrored_picture_swaps_the_eyes_and_turns_yaw_about():
    face = turned_face(25, 8, 10, eyes=(0.5, 0.9))
    mirrored = face.landmarks[list(IBUG_68.mirror)] * np.float32((-1, 1)) + np.float32((WIDTH - 1, 0))
    ours, theirs = signals_of(face), signals_of(face_of(mirrored))
    assert (theirs.yaw, theirs.pitch, theirs.roll) == pytest.approx((-ours.yaw, ours.pitch, -ours.roll), abs=0.05)
    assert (theirs.eye_right, theirs.eye_left) == pytest.approx((ours.eye_left, ours.eye_right), abs=0.02)


def test_blinks_of_each_face_are_counted_for_themselves():
    reader, blinking = SignalReader(), [1, 1, 0, 0, 0, 1] * 3
    for index, share in enumerate(blinking):
        faces = turned_face(eyes=(share, share), number=7), turned_face(number=8)
        signals = reader.read(result_of(*faces, moment=index / 30))
    assert [(face.id, face.blinks) for face in signals] == [(7, 3), (8, 0)]


def test_a_wink_is_no_blink():
    reader = SignalReader()
    for index in range(20):
        face = turned_face(eyes=(0.0 if 5 <= index < 10 else 1.0, 1.0))
        (signals,) = reader.read(result_of(face, moment=index / 30))
    assert signals.blinks == 0


def test_a_face_that_is_gone_is_forgotten():
    reader = SignalReader()
    assert watch([1, 0, 0, 0, 1], reader=reader)[-1].blinks == 1
    assert reader.read(result_of(moment=0.2 + HIDDEN_SECONDS)) == ()
    assert watch([1], reader=reader, start=0.3 + HIDDEN_SECONDS)[-1].blinks == 0


def test_a_face_that_was_hidden_for_a_moment_keeps_its_blinks():
    reader = SignalReader()
    assert watch([1, 0, 0, 0, 1], reader=reader)[-1].blinks == 1
    assert reader.read(result_of(moment=0.2)) == ()
    assert watch([1], reader=reader, start=0.3)[-1].blinks == 1


@pytest.mark.parametrize("jump", [0.7, -3.0])
def test_a_blink_across_a_gap_or_a_seek_does_not_count(jump):
    reader = SignalReader()
    before = watch([1, 0, 0, 1, 1, 0, 0], reader=reader, start=5.0)
    after = watch([0, 0, 1, 1], reader=reader, start=5.2 + jump)
    assert (before[-1].blinks, after[-1].blinks) == (1, 1)
    assert watch([0, 0, 0, 1], reader=reader, start=5.4 + jump)[-1].blinks == 2


def test_eyes_close_and_open_where_the_card_of_the_model_says():
    """Lids whose points stay far apart: half open by the usual levels, closed by those of this model."""
    levels = EyeLevels(closed=0.18, open=0.3, cut=0.24)
    for eyes, blinks, openness in ((EyeLevels(), 0, 0.375), (levels, 1, 0.0)):
        reader, seen = SignalReader(), []
        for index, share in enumerate([1, 0.6, 0.6, 0.6, 1]):
            result = result_of(turned_face(eyes=(share, share)), moment=index / 30)
            seen += reader.read(dataclasses.replace(result, eyes=eyes))
        assert seen[-1].blinks == blinks
        assert seen[2].eye_left == pytest.approx(openness, abs=0.05)
        assert seen[0].eye_left > 0.95


def test_levels_that_are_out_of_order_are_refused():
    with pytest.raises(ValueError, match="not in order"):
        EyeLevels(closed=0.2, open=0.1, cut=0.15)


def test_the_same_result_may_be_read_again():
    reader = SignalReader()
    for index, share in enumerate([1, 0, 0, 0, 1, 1]):
        result = result_of(turned_face(eyes=(share, share)), moment=index / 30)
        first, again = reader.read(result), reader.read(result)
        assert first[0].as_record() == pytest.approx(again[0].as_record(), abs=1e-3)
    assert again[0].blinks == 1


@pytest.mark.parametrize("usual", [0.72, 1.4])
def test_open_eyes_of_narrow_and_wide_form_both_become_fully_open(usual):
    assert watch([usual] * 300, rate=5)[-1].eye_left > 0.9
    assert watch(([usual] * 40 + [0.0] * 4) * 6 + [usual])[-1].blinks == 6


def with_one(point, value):
    face = turned_face()
    landmarks = face.landmarks.copy()
    landmarks[point] = value
    return dataclasses.replace(face, landmarks=landmarks)


def face_with(points):
    return Face(1, landmark_box(points), 0.9, IBUG_68, points.astype(np.float32), np.ones(68, np.float32), 0.0)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("point", [30, 37, 62])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_landmarks_that_are_no_numbers_have_no_signals(point, value):
    reader = SignalReader()
    assert reader.read(result_of(with_one(point, value))) == (None,)
    assert reader.read(result_of(turned_face(), moment=0.1))[0].pose is not None


DEGENERATE = {
    "one place": np.full((68, 2), 50.0),
    "one line": np.stack([np.linspace(0, 600, 68)] * 2, axis=1),
    "anything": np.random.default_rng(0).uniform(0, HEIGHT, (68, 2)),
    "enormous": np.random.default_rng(0).uniform(-1e30, 1e30, (68, 2)),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", list(DEGENERATE))
def test_landmarks_that_are_no_face_have_no_pose(name):
    signals = signals_of(face_with(DEGENERATE[name]))
    assert signals.pose is None
    assert math.isnan(signals.yaw)
    json.dumps(signals.as_record(), allow_nan=False)


def test_one_place_shows_nothing_of_eyes_and_mouth():
    record = signals_of(face_with(DEGENERATE["one place"])).as_record()
    assert record == {**dict.fromkeys(SIGNALS), "blinks": 0}


def test_a_markup_without_the_68_points_has_no_signals():
    points = np.random.default_rng(0).uniform(0, 200, (29, 2)).astype(np.float32)
    face = Face(1, landmark_box(points), 0.9, COFW_29, points, np.ones(29, np.float32), 0.0)
    both = SignalReader().read(result_of(face, turned_face(points=WFLW_98.points, number=2)))
    assert both[0] is None
    assert both[1].id == 2


def test_a_face_takes_less_than_a_millisecond():
    reader, results = SignalReader(), [result_of(turned_face(yaw=i / 2), moment=i / 30) for i in range(60)]
    times = []
    for result in results:
        start = time.thread_time()
        reader.read(result)
        times.append(time.thread_time() - start)
    assert min(times) < 1e-3  # 0.2 ms where nothing else runs


@pytest.fixture(scope="module")
def sample_signals():
    """The signals on the sample's ground truth at 15 frames a second, with the script's pose of each frame."""
    clip, reader, reported = SampleClip(), SignalReader(), []
    with pytest.MonkeyPatch.context() as patch:
        # Only the landmarks are wanted: pictures would take most of the time.
        patch.setattr(MovingPortrait, "_view", lambda *_: np.zeros((HEIGHT, WIDTH, 3), np.uint8))
        patch.setattr(MovingPortrait, "_move_columns", lambda *_: None)
        for number in range(0, round(LOOP_SECONDS * RATE), 2):
            truth = clip.frame(number)[1]
            result = result_of(face_of(truth.points), moment=number / RATE)
            reported.append((reader.read(result)[0], pose_at(number / RATE)))
    return reported


def test_the_blinks_of_the_sample_are_found(sample_signals):
    blinks = [signals.blinks for signals, _ in sample_signals]
    assert blinks[-1] == 7  # the eighth time that its eyes are closed, they stay so for 0.6 s
    moments = [index * 2 / RATE for index in range(1, len(blinks)) if blinks[index] > blinks[index - 1]]
    assert moments == pytest.approx([1.6, 6.7, 9.2, 12.7, 13.1, 18.6, 22.7], abs=0.15)


@pytest.mark.parametrize(
    ("name", "script", "least"),
    [
        ("yaw", lambda pose: pose.yaw, 0.95),
        ("pitch", lambda pose: -pose.nod, 0.9),
        ("roll", lambda pose: pose.roll + pose.tilt, 0.99),
        ("mouth", lambda pose: pose.mouth, 0.95),
    ],
)
def test_the_signals_follow_the_script_of_the_sample(sample_signals, name, script, least):
    found = [getattr(signals, name) for signals, _ in sample_signals]
    assert np.corrcoef(found, [script(pose) for _, pose in sample_signals])[0, 1] > least


def test_the_open_eyes_of_the_sample_are_open_and_its_closed_ones_closed(sample_signals):
    opened = [(s.eye_right + s.eye_left) / 2 for s, pose in sample_signals if pose.blink == 0]
    closed = [max(s.eye_right, s.eye_left) for s, pose in sample_signals if pose.blink > 0.99]
    assert min(opened) > 0.75
    assert max(closed) < 0.15
