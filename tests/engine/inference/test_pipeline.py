"""The pipeline: smoothing per face, accuracy against truth, no state kept where there must be none."""

import numpy as np
import pytest

from engine.core.frame import Frame, Truth
from engine.core.schemes import COFW_29, IBUG_68
from engine.inference.pipeline import Pipeline
from engine.inference.tracking import TrackingSettings
from tests.fakes.models import FakeDetector, FakeLandmarker, FakeScene, face_points

IMAGE = np.zeros((480, 640, 3), np.uint8)


def make(*faces, smoothing=0.5):
    scene = FakeScene(*faces)
    return Pipeline(FakeDetector(scene), FakeLandmarker(scene), smoothing), scene


def frame(number=0, **fields):
    return Frame(id=number, captured=10 + number / 30, image=IMAGE, source="test", **fields)


def test_a_result_carries_frame_model_stages_and_faces():
    pipeline, _ = make((300, 200, 100, 0))
    given = frame()
    result = pipeline.process(given, capture_ms=1.5)
    assert result.frame is given
    assert result.model == "fake"
    assert result.stages["capture"] == 1.5
    assert {"detect", "landmark", "smooth"} <= set(result.stages)
    face = result.faces[0]
    assert face.landmarks.shape == (68, 2)
    assert np.allclose(face.landmarks, face_points(300, 200, 100), atol=1e-3)
    assert result.nme is None


@pytest.mark.parametrize("name", ["", "a.png"], ids=["video", "picture"])
def test_settings_of_the_tracker_can_be_given(name):
    scene = FakeScene((150, 200, 100, 0), (450, 200, 100, 0))
    landmarker = FakeLandmarker(scene)
    pipeline = Pipeline(FakeDetector(scene), landmarker, tracking=TrackingSettings(max_faces=1))
    assert len(pipeline.process(frame(name=name)).faces) == 1


def test_smoothing_lags_behind_a_jump_and_zero_does_not():
    for smoothing, near in ((0.0, True), (0.9, False)):
        pipeline, scene = make((300, 200, 100, 0), smoothing=smoothing)
        pipeline.process(frame(0))
        scene.faces = [(303, 200, 100, 0)]
        found = pipeline.process(frame(1)).faces[0].landmarks
        assert np.allclose(found, face_points(303, 200, 100), atol=0.01) == near


def test_smoothing_can_be_changed_while_running():
    pipeline, scene = make((300, 200, 100, 0), smoothing=0.9)
    pipeline.process(frame(0))
    pipeline.smoothing = 0.0
    scene.faces = [(303, 200, 100, 0)]
    assert np.allclose(pipeline.process(frame(1)).faces[0].landmarks, face_points(303, 200, 100), atol=0.01)


def test_accuracy_is_that_of_the_face_that_lies_on_the_truth():
    pipeline, _ = make((150, 200, 120, 0), (450, 200, 100, 0))
    truth = Truth(IBUG_68, face_points(451, 200, 100))
    result = pipeline.process(frame(truth=truth))
    assert len(result.faces) == 2
    assert result.nme == pytest.approx(1 / 60 * 100, rel=0.01)


def test_without_a_face_there_is_no_error_to_show():
    pipeline, _ = make()
    assert pipeline.process(frame(truth=Truth(IBUG_68, face_points(1, 2, 3)))).nme is None


def test_a_face_elsewhere_does_not_stand_for_the_one_that_was_missed():
    pipeline, _ = make((150, 200, 120, 0))
    result = pipeline.process(frame(truth=Truth(IBUG_68, face_points(450, 200, 100))))
    assert len(result.faces) == 1
    assert result.nme is None


def test_each_picture_of_a_folder_is_looked_at_afresh():
    pipeline, scene = make((300, 200, 100, 0), smoothing=1.0)
    first = pipeline.process(frame(0, name="a.png"))
    scene.faces = [(302, 200, 100, 0)]
    second = pipeline.process(frame(1, name="b.png"))
    assert second.detected
    assert second.faces[0].id != first.faces[0].id
    assert np.allclose(second.faces[0].landmarks, face_points(302, 200, 100), atol=0.01)


def test_exchanging_the_model_keeps_the_face_and_uses_the_new_model():
    pipeline, scene = make((300, 200, 100, 0))
    before = pipeline.process(frame(0))
    other = FakeLandmarker(scene)
    pipeline.landmarker = other
    after = pipeline.process(frame(1))
    assert after.faces[0].id == before.faces[0].id
    assert other.crops, "the new model was used"


def test_filters_of_lost_faces_are_forgotten():
    pipeline, scene = make((300, 200, 100, 0))
    for number in range(30):
        scene.faces = [(300, 200, 100, 0)] if number % 2 else []
        pipeline.process(frame(number))
    assert len(pipeline._filters) <= 1


def test_the_29_points_of_cofw_are_not_compared_with_68():
    pipeline, _ = make((450, 200, 100, 0))
    result = pipeline.process(frame(truth=Truth(COFW_29, face_points(450, 200, 100)[:29])))
    assert len(result.faces) == 1
    assert result.nme is None
