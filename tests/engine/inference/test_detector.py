"""BlazeFace: finds the face, says where its eyes are, and merges what overlaps."""

import math

import numpy as np
import pytest

from engine.core.errors import ModelError, UsageError
from engine.core.geometry import Box, landmark_box
from engine.core.schemes import IBUG_68, eye_centres
from engine.inference import blazeface as module
from engine.inference.blazeface import BlazeFace
from engine.inference.card import CropRule
from engine.inference.detector import Detection, crop_of_detection, make_detector, mediapipe_tells
from engine.sources.sample import SampleClip


@pytest.fixture(scope="module")
def blazeface():
    return BlazeFace()


@pytest.fixture(scope="module")
def sample():
    return SampleClip().frame(0)


def test_finds_the_face_of_the_sample_and_its_eyes(blazeface, sample):
    picture, truth = sample
    found = blazeface.detect(picture)
    assert len(found) == 1
    assert found[0].box.overlap(landmark_box(truth.points)) > 0.6
    right, left = eye_centres(IBUG_68, truth.points)
    eyes = float(np.linalg.norm(left - right))
    assert np.linalg.norm(right - found[0].right_eye) < 0.15 * eyes
    assert np.linalg.norm(left - found[0].left_eye) < 0.15 * eyes


def test_an_empty_picture_holds_no_face(blazeface):
    assert blazeface.detect(np.zeros((480, 640, 3), np.uint8)) == []
    assert blazeface.detect(np.full((1, 4000, 3), 128, np.uint8)) == []


def test_a_tall_picture_after_a_wide_one_leaves_no_trace_of_it(blazeface, sample):
    picture, _ = sample
    before = blazeface.detect(picture)
    blazeface.detect(np.full((640, 100, 3), 255, np.uint8))
    after = blazeface.detect(picture)
    assert after[0].box == before[0].box


def test_two_faces_side_by_side_are_two(blazeface, sample):
    picture, _ = sample
    both = np.concatenate([picture, picture[:, ::-1]], axis=1)
    assert len(blazeface.detect(both)) == 2


def test_fault_48_impossible_boxes_are_dropped(blazeface, monkeypatch):
    outputs = [np.full((1, 896, 16), np.nan, np.float32), np.full((1, 896, 1), 5.0, np.float32)]
    monkeypatch.setattr(blazeface._runtime, "run", lambda: outputs)
    assert blazeface.detect(np.zeros((100, 100, 3), np.uint8)) == []
    outputs[0][:] = -10.0
    assert blazeface.detect(np.zeros((100, 100, 3), np.uint8)) == []


def test_the_crop_is_level_with_the_eyes_and_below_the_box_in_their_frame():
    upright = Detection(Box(0, 0, 100, 100), 1.0, (30, 40), (70, 40))
    crop = crop_of_detection(upright, CropRule(1.3))
    assert crop.roll == 0
    assert crop.centre_x == pytest.approx(50)
    assert crop.centre_y > 50
    lying = Detection(Box(0, 0, 100, 100), 1.0, (50, 30), (50, 70))  # eyes one above the other
    crop = crop_of_detection(lying, CropRule(1.3))
    assert crop.roll == pytest.approx(math.pi / 2)
    assert crop.centre_x < 50
    assert crop.centre_y == pytest.approx(50)


def test_a_missing_detector_file_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "asset_path", lambda *parts: tmp_path / parts[-1])
    with pytest.raises(ModelError, match="face detector .* cannot be opened"):
        BlazeFace()


def test_a_damaged_detector_file_is_named(monkeypatch, tmp_path):
    content = bytearray(module.model_content())
    content[5000] ^= 1
    (tmp_path / module.MODEL_FILE).write_bytes(content)
    monkeypatch.setattr(module, "asset_path", lambda *parts: tmp_path / parts[-1])
    with pytest.raises(ModelError, match=r"face detector .* is damaged"):
        BlazeFace()


def test_detectors_by_name(monkeypatch):
    assert isinstance(make_detector(), BlazeFace)
    with pytest.raises(UsageError, match="no face detector “haar”.*blazeface, mediapipe"):
        make_detector("haar")
    monkeypatch.setattr("engine.inference.detector.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="needs the package mediapipe"):
        make_detector("mediapipe")


def test_a_mediapipe_that_sends_usage_figures_is_refused(monkeypatch):
    monkeypatch.setattr("engine.inference.detector.find_spec", lambda name: True)
    monkeypatch.setattr("engine.inference.detector.version", lambda name: "1.2.2")
    with pytest.raises(UsageError, match=r"MediaPipe 1\.2\.2 sends usage figures"):
        make_detector("mediapipe")
    assert mediapipe_tells()
    monkeypatch.setattr("engine.inference.detector.version", lambda name: "0.10.31")
    assert mediapipe_tells() is False


def test_mediapipe_agrees_with_our_own_decoding(blazeface, sample):
    pytest.importorskip("mediapipe", reason="needs the extra [mediapipe]")
    picture, _ = sample
    ours, theirs = blazeface.detect(picture)[0], make_detector("mediapipe").detect(picture)[0]
    assert ours.box.overlap(theirs.box) > 0.85
    assert np.linalg.norm(np.subtract(ours.right_eye, theirs.right_eye)) < 0.05 * ours.box.width
    assert abs(ours.roll - theirs.roll) < math.radians(3)
