"""Evaluation: the figures of a model that is off by a known amount."""

import numpy as np
import pytest

from engine.core.errors import ModelError, PackError
from engine.core.geometry import landmark_box
from engine.core.schemes import COFW_29, IBUG_68, WFLW_98
from engine.evaluation.evaluate import Task, evaluate, evaluate_points
from engine.evaluation.tables import as_markdown
from engine.formats.images import write_picture
from engine.formats.packs import read_pack
from engine.inference.landmarker import Landmarks
from tests.fakes.models import FAKE_CARD, face_points

TASK = Task("fake")


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
    done = evaluate(OffByOne(truths, confidence), pack, TASK, None)
    assert done.n == 3
    assert done.nme_faces == 2, "the face with a hidden eye corner has no eye distance"
    assert done.nme == pytest.approx(1 / 60 * 100, rel=1e-3)
    box = landmark_box(truths[0])
    assert done.nme_box == pytest.approx(100 / np.sqrt(box.width * box.height), rel=0.01)
    assert done.fr10 == 0
    assert done.auc10 == pytest.approx(1 - 1.667 / 10, abs=0.002)
    assert done.visibility_auc == 1.0
    assert done.split == "all"


def test_labels_of_other_pictures_are_refused_and_one_face_outside_is_not(pack):
    model = OffByOne([face.landmarks for face in pack.faces], np.ones((3, 68), np.float32))
    write_picture(pack.faces[0].image, np.zeros((60, 70, 3), np.uint8))
    done = evaluate(model, pack, TASK, None)
    assert (done.n, done.outside) == (3, 1)
    assert "Labels outside their pictures: 1 faces" in as_markdown(done)
    write_picture(pack.faces[1].image, np.zeros((60, 70, 3), np.uint8))
    with pytest.raises(PackError, match="2 of 3 faces lie outside"):
        evaluate(model, pack, TASK, None)


def test_missed_faces_are_failures_but_not_errors(pack):
    done = evaluate(OffByOne([], []), pack, TASK, Blind())
    assert done.missed == 3
    assert done.nme is None
    assert done.fr10 == 100
    assert done.auc10 == 0


def test_fault_13_a_model_whose_output_is_no_number_is_refused_not_scored(pack):
    confidence = np.full((3, 68), np.nan, np.float32)
    broken = OffByOne([face.landmarks for face in pack.faces], confidence)
    with pytest.raises(ModelError, match="not finite"):
        evaluate(broken, pack, TASK, None)


def test_scheme_of_the_report(pack):
    truths = [face.landmarks for face in pack.faces]
    done = evaluate(OffByOne(truths, np.ones((3, 68), np.float32)), pack, TASK, None)
    assert done.points == IBUG_68.points


def test_a_pack_without_pictures_is_refused(pack):
    pack.faces[0].image.unlink()
    with pytest.raises(PackError):
        read_pack(pack.folder)


def test_each_face_keeps_its_errors_and_what_they_rest_on(pack):
    truths = [face.landmarks for face in pack.faces]
    done = evaluate(OffByOne(truths, np.ones((3, 68), np.float32)), pack, TASK, None)
    first, _, hidden = done.faces
    assert (first.image, first.length) == ("0.png", pytest.approx(60))
    assert first.nme == pytest.approx(1 / 60 * 100, rel=1e-3)
    assert first.parts == pytest.approx(
        dict.fromkeys(("jaw", "brows", "nose", "eyes", "mouth"), 1 / 60 * 100), rel=1e-3
    )
    assert np.isnan(hidden.nme)
    assert np.isfinite(hidden.nme_box)


@pytest.mark.parametrize(("kind", "length"), [("eyes", 60), ("pupils", (2 * 60 + 10 * 40) / 12)])
def test_errors_are_percent_of_the_chosen_normaliser(pack, kind, length):
    found = [face.landmarks + (3, 0) for face in pack.faces]
    done = evaluate_points(found, IBUG_68, pack, Task("fake", normaliser=kind))
    assert done.faces[0].nme == pytest.approx(3 / length * 100, rel=1e-4)
    by_box = evaluate_points(found, IBUG_68, pack, Task("fake", normaliser="box"))
    assert by_box.nme == pytest.approx(by_box.nme_box)
    assert by_box.nme_faces == 3


def test_98_points_are_compared_with_68_on_the_shared_ones(pack):
    found = []
    for face in pack.faces:
        points = np.full((98, 2), -1000, np.float32)  # what 68 points lack must not count
        points[list(WFLW_98.as_68)] = face.landmarks + (0, 6)
        found.append(points)
    done = evaluate_points(found, WFLW_98, pack, TASK)
    assert (done.points, done.nme) == (68, pytest.approx(10, rel=1e-4))


def test_markups_without_common_points_get_a_sentence(pack):
    with pytest.raises(PackError, match="29 points cannot be compared with the 68 points"):
        evaluate_points([np.zeros((29, 2), np.float32)] * 3, COFW_29, pack, TASK)
