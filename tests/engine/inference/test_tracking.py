"""Tracking: found once, followed by place, size and roll; lost and found again; ids that stay."""

import math
from dataclasses import replace

import numpy as np
import pytest

from engine.inference.tracking import FaceTracker, TrackingSettings
from tests.fakes.models import FakeDetector, FakeLandmarker, FakeScene

PICTURE = np.zeros((480, 640, 3), np.uint8)


def make(*faces, spoil=None, **settings):
    scene = FakeScene(*faces)
    detector, landmarker = FakeDetector(scene), FakeLandmarker(scene, spoil)
    return FaceTracker(detector, landmarker, TrackingSettings(**settings)), scene, detector, landmarker


def test_the_detector_runs_once_and_then_rests():
    tracker, _, detector, _ = make((300, 200, 100, 0), detect_every=1000)
    frames = [tracker.track(PICTURE) for _ in range(20)]
    assert detector.calls == 1
    assert [frame.detected for frame in frames] == [True] + [False] * 19
    assert {track.id for frame in frames for track in frame.tracks} == {1}


def test_a_face_that_moves_grows_and_turns_is_followed_all_the_way_round():
    tracker, scene, detector, landmarker = make((200, 200, 100, 0), detect_every=1000)
    for step in range(60):
        roll = math.remainder(step * math.radians(6), 2 * math.pi)
        scene.faces = [(200 + 3 * step, 200, 100 + step, roll)]
        found = tracker.track(PICTURE)
        assert [track.id for track in found.tracks] == [1]
    assert detector.calls == 1
    assert abs(math.remainder(landmarker.crops[-1].roll - roll, 2 * math.pi)) < math.radians(10)


def test_the_crop_holds_still_while_the_face_trembles():
    tracker, scene, _, landmarker = make((300, 200, 100, 0), detect_every=1000)
    random = np.random.default_rng(0)
    tracker.track(PICTURE)
    landmarker.crops.clear()
    for _ in range(20):
        scene.faces = [(300 + random.normal(0, 0.3), 200 + random.normal(0, 0.3), 100, 0)]
        tracker.track(PICTURE)
    assert len(set(landmarker.crops)) == 1


def test_a_lost_face_is_looked_for_at_once_and_comes_back_with_a_new_id():
    tracker, scene, detector, _ = make((300, 200, 100, 0), detect_every=1000)
    tracker.track(PICTURE)
    scene.faces = []
    assert tracker.track(PICTURE).tracks == []
    assert detector.calls == 2
    tracker.track(PICTURE)
    assert detector.calls == 3, "without a face every picture is searched"
    scene.faces = [(100, 100, 80, 0)]
    assert [track.id for track in tracker.track(PICTURE).tracks] == [2]


def test_fault_49_further_faces_are_found_and_ids_stay_when_faces_come_and_go():
    tracker, scene, _, _ = make((100, 200, 100, 0), detect_every=5)
    tracker.track(PICTURE)
    scene.faces.append((400, 200, 160, 0))
    for _ in range(6):
        found = tracker.track(PICTURE)
    assert [track.id for track in found.tracks] == [2, 1], "largest first"
    scene.faces.pop(0)
    assert [track.id for track in tracker.track(PICTURE).tracks] == [2]


def test_fault_49_the_limit_of_faces_is_kept():
    faces = [(60 + 60 * index, 200, 50, 0) for index in range(8)]
    tracker, _, _, _ = make(*faces, max_faces=3, detect_every=1)
    for _ in range(4):
        assert len(tracker.track(PICTURE).tracks) == 3


def test_one_face_never_becomes_two():
    tracker, _, _, _ = make((300, 200, 100, 0), detect_every=1)
    for _ in range(10):
        assert len(tracker.track(PICTURE).tracks) == 1


def test_two_tracks_that_slide_onto_one_face_become_one():
    tracker, scene, _, _ = make((200, 200, 100, 0), (330, 200, 100, 0), detect_every=1000)
    assert len(tracker.track(PICTURE).tracks) == 2
    scene.faces = [(265, 200, 100, 0)]
    found = tracker.track(PICTURE)
    assert len(found.tracks) <= 1


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e9])
def test_fault_13_impossible_landmarks_are_no_face_and_numbers_that_are_none_are_noted(value):
    def spoil(landmarks):
        points = landmarks.points.copy()
        points[5] = value
        return replace(landmarks, points=points)

    tracker, _, _, landmarker = make((300, 200, 100, 0), spoil=spoil)
    found = tracker.track(PICTURE)
    assert found.tracks == []
    assert found.not_finite == (not np.isfinite(value))
    landmarker.spoil = None
    assert len(tracker.track(PICTURE).tracks) == 1, "the next good picture works"


def test_fault_60_a_constant_output_is_no_face():
    tracker, _, _, _ = make(
        (300, 200, 100, 0), spoil=lambda found: replace(found, points=np.full((68, 2), 300, np.float32))
    )
    assert tracker.track(PICTURE).tracks == []


def test_reset_forgets():
    tracker, _, detector, _ = make((300, 200, 100, 0), detect_every=1000)
    tracker.track(PICTURE)
    tracker.reset()
    assert tracker.track(PICTURE).detected
    assert detector.calls == 2
