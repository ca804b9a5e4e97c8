"""Evaluation: the figures of a model that is off by a known amount."""

import numpy as np
import pytest

from engine.errors import ModelError, PackError
from engine.evaluation import evaluate
from engine.geometry import landmark_box
from engine.landmarks.schemes import IBUG_68
from engine.models.landmarker import Landmarks
from engine.packs import read_pack
from engine.pictures import write_picture
from tests.fakes.models import FAKE_CARD, face_points


class OffByOne:
    """Answers with the truth of the box moved right by one pixel; its confidence follows `confidence`."""

    card = FAKE_CARD

    def __init__(self, truths, confidence):
        self.truths = truths
        self.confidence = confidence

    def locate(self, picture, box):
        index = next(i for i, truth in enumerate(self.truths) if landmark_box(truth) == box)
        points = np.nan_to_num(self.truths[index], nan=-50) + (1, 0)
        return Landmarks(points.astype(np.float32), self.confidence[index], 0.0)


class Blind:
    def detect(self, picture):
        return []


@pytest.fixture
def pack(tmp_path):
    """Three faces; the last has a hidden eye corner."""
    truths = np.stack([face_points(100 + 10 * index, 100, 100) for index in range(3)])
    truths[2, 45] = np.nan
    visibility = np.full((3, 68), 2, np.uint8)
    visibility[:, :20] = 1
    names = [f"{index}.png" for index in range(3)]
    for name in names:
        write_picture(tmp_path / name, np.zeros((200, 250, 3), np.uint8))
    np.savez(tmp_path / "annotations.npz", image=np.array(names), landmarks=truths, visibility=visibility)
    return read_pack(tmp_path)


def test_figures_of_a_known_error(pack):
    truths = [face.landmarks for face in pack.faces]
    confidence = np.tile(np.arange(68, dtype=np.float32) / 68, (3, 1))
    done = evaluate(OffByOne(truths, confidence), pack, None, "landmarks", "truth", None)
    assert done.n == 3
    assert done.nme_faces == 2, "the face with a hidden eye corner has no eye distance"
    assert done.nme == pytest.approx(1 / 60 * 100, rel=1e-3)
    box = landmark_box(truths[0])
    assert done.nme_box == pytest.approx(100 / np.sqrt(box.width * box.height), rel=0.01)
    assert done.fr10 == 0
    assert done.auc10 == pytest.approx(1 - 1.667 / 10, abs=0.002)
    assert done.visibility_auc == 1.0
    assert done.split == "all"


def test_missed_faces_are_failures_but_not_errors(pack):
    done = evaluate(OffByOne([], []), pack, None, "landmarks", "detector", Blind())
    assert done.missed == 3
    assert done.nme is None
    assert done.fr10 == 100
    assert done.auc10 == 0


def test_fault_13_a_model_whose_output_is_no_number_is_refused_not_scored(pack):
    confidence = np.full((3, 68), np.nan, np.float32)
    broken = OffByOne([face.landmarks for face in pack.faces], confidence)
    with pytest.raises(ModelError, match="not finite"):
        evaluate(broken, pack, None, "landmarks", "truth", None)


def test_scheme_of_the_report(pack):
    truths = [face.landmarks for face in pack.faces]
    done = evaluate(OffByOne(truths, np.ones((3, 68), np.float32)), pack, None, "landmarks", "truth", None)
    assert done.points == IBUG_68.points


def test_a_pack_without_pictures_is_refused(pack):
    pack.faces[0].image.unlink()
    with pytest.raises(PackError):
        read_pack(pack.folder)
