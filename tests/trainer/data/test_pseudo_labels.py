"""The pseudo-label of a face: the mean of two views, and their distance."""

import numpy as np
import pytest

from engine.core.geometry import Crop, crop_of_box, landmark_box
from engine.core.schemes import IBUG_68
from engine.formats.images import read_picture
from engine.inference.detector import make_detector
from engine.inference.landmarker import Landmarks
from engine.inference.library import ModelLibrary
from engine.inference.tracking import FaceTracker, TrackingSettings
from tests.conftest import ROOT
from tests.fakes.models import FAKE_CARD, face_points
from trainer.data.pseudo_labels import find_labels, label_of


class SidestepLandmarker:
    """Places every point of a face of 50 pixels at (80, 70) three pixels to the right of where it is."""

    card = FAKE_CARD

    def predict(self, picture, crop):
        x = 80.0 if picture[0, 0, 0] == 1 else picture.shape[1] - 1 - 80.0
        return Landmarks(face_points(x, 70, 50) + (3, 0), np.full(68, 0.9, np.float32), 0.0)


def test_the_mean_of_both_views_has_no_side_and_their_distance_is_the_spread():
    picture = np.zeros((140, 200, 3), np.uint8)
    picture[0, 0] = 1
    mirror = list(IBUG_68.mirror)
    symmetric = face_points(80, 70, 50)
    other = symmetric[mirror] * (-1, 1) + (160, 0)
    found = label_of(SidestepLandmarker(), picture, picture[:, ::-1], Crop(80, 70, 65, 0.2))
    expected = (symmetric + other) / 2
    assert np.allclose(found.points, expected, atol=1e-4)
    box = np.sqrt(np.prod(expected.max(0) - expected.min(0)))
    moved = np.linalg.norm(symmetric + (3, 0) - (other - (3, 0)), axis=1).mean()
    assert found.spread == pytest.approx(100 * moved / box, rel=1e-4)


def test_the_real_model_agrees_with_itself_on_a_portrait():
    picture = read_picture(ROOT / "tests" / "data" / "portrait.jpg")
    landmarker = ModelLibrary().load("student-68")
    landmarker.as_labelled = True  # so that both views have their side
    tracker = FaceTracker(make_detector(), landmarker, TrackingSettings(None, thorough=True))
    (face,) = find_labels(picture, tracker)
    opposite, last = np.ascontiguousarray(picture[:, ::-1]), picture.shape[1] - 1
    (mirrored,) = find_labels(opposite, tracker)

    def back(label):
        return (label.points * (-1, 1) + (last, 0))[list(IBUG_68.mirror)]

    box = np.sqrt(np.prod(np.ptp(face.points, axis=0)))
    distance = 100 * np.linalg.norm(face.points - back(mirrored), axis=1).mean() / box
    assert distance < face.spread, "only the crops differ, as the detector finds the mirror image a little elsewhere"
    crop = crop_of_box(landmark_box(face.points), 1.5)
    crop_there = Crop(last - crop.centre_x, crop.centre_y, crop.side, -crop.roll)
    here = label_of(tracker.landmarker, picture, opposite, crop)
    there = label_of(tracker.landmarker, opposite, picture, crop_there)
    assert back(there) == pytest.approx(here.points, abs=1e-2), "the mean has no side"
    assert there.spread == pytest.approx(here.spread, abs=1e-3)
    assert 0 < face.spread < 3
