"""Packs of 98 points from packs of 68: what is kept, what is left out, and what the new pack says of itself."""

import json
from dataclasses import replace

import numpy as np
import pytest

from engine.core.errors import ModelError, PackError, SourceError, UsageError
from engine.core.schemes import IBUG_68, SCHEMES, WFLW_98
from engine.formats.images import write_picture
from engine.formats.landmark_readers import Predictions
from engine.formats.packs import read_pack
from engine.inference.landmarker import Landmarks
from tests.fakes.faces98 import face_98, namesakes, shapes_98
from tests.fakes.models import FAKE_CARD
from trainer.data.contour_warp import NAMESAKES
from trainer.data.derived98 import DERIVED, MANUAL, MOVED, derive_pack

FACES = 4


@pytest.fixture
def truths():
    """Real-looking faces: shapes like those that say what is plausible."""
    return shapes_98(FACES, seed=9)


@pytest.fixture
def shapes(tmp_path):
    file = tmp_path / "shapes.npz"
    np.savez(file, landmarks=shapes_98())
    return file


@pytest.fixture
def make_pack(tmp_path):
    def make(landmarks, pictures=True, **arrays):
        folder = tmp_path / "achtundsechzig ö"
        folder.mkdir()
        names = [f"images/face {index}.png" for index in range(len(landmarks))]
        for name in names if pictures else ():
            write_picture(folder / name, np.full((300, 300, 3), 90, np.uint8))
        np.savez(folder / "annotations.npz", image=np.array(names), landmarks=np.array(landmarks, np.float32), **arrays)
        (folder / "meta.json").write_text('{"licence": "research only"}', encoding="utf-8")
        return folder

    return make


def proposals_of(points, leave_out=()):
    """The predictions of a tool that found `points` and missed some faces."""
    indices = [index for index in range(len(points)) if index not in leave_out]
    images = tuple(f"images/face {index}.png" for index in indices)
    landmarks = np.stack([points[index] for index in indices]).astype(np.float32)
    return Predictions("tool", SCHEMES[landmarks.shape[1]], images, landmarks)


class Proposer:
    """A model of 98 points that always gives `points`."""

    def __init__(self, points):
        self.card = replace(FAKE_CARD, scheme=98, name="proposer")
        self.points = points
        self.boxes = []

    def locate(self, picture, box):
        self.boxes.append(box)
        return Landmarks(self.points.astype(np.float32), np.ones(98, np.float32), 0.0)


def leftovers(tmp_path):
    return sorted(path.name for path in tmp_path.iterdir() if path.name not in {"achtundsechzig ö", "shapes.npz"})


def test_manual_points_are_kept_and_the_others_near_the_truth(tmp_path, make_pack, shapes, truths):
    wrong = 1.1 * truths + (12, -7) + 0.1 * np.random.default_rng(0).normal(size=truths.shape)
    folder = make_pack(namesakes(truths), split=np.array(["train"] * 3 + ["test"]))
    done = derive_pack(folder, proposals_of(wrong), shapes, tmp_path / "out")
    assert (done.faces, done.kept, done.coinciding, done.shift) == (3, 3, 68, 0)
    pack = read_pack(tmp_path / "out", split="train")
    assert (pack.scheme, len(pack.faces)) == (WFLW_98, 3)
    for face, truth in zip(pack.faces, truths, strict=False):
        assert np.abs(face.landmarks - truth)[NAMESAKES].max() < 0.01
        assert np.linalg.norm(face.landmarks - truth, axis=1).mean() < 0.3
        assert face.image.read_bytes() == (folder / "images" / face.image.name).read_bytes()
    assert not (tmp_path / "out" / "images" / "face 3.png").exists()


def test_the_pack_says_what_is_derived_and_by_what(tmp_path, make_pack, shapes, truths):
    derive_pack(make_pack(namesakes(truths)), proposals_of(truths), shapes, tmp_path / "out", split=None)
    with np.load(tmp_path / "out" / "annotations.npz", allow_pickle=False) as arrays:
        origin = arrays["origin"]
        assert origin.shape == (FACES, 98)
        assert (origin[:, NAMESAKES] == MANUAL).all()
        assert (np.delete(origin, NAMESAKES, 1) == DERIVED).all()
        assert arrays["source"][0] == "achtundsechzig ö/images/face 0.png"
        assert (arrays["bbox"][0] == [*arrays["landmarks"][0].min(0), *arrays["landmarks"][0].max(0)]).all()
    meta = json.loads((tmp_path / "out" / "meta.json").read_text(encoding="utf-8"))
    assert "proposed by tool" in meta["labels"]
    assert meta["made_from"] == {"pack": "achtundsechzig ö", "array": "landmarks", "licence": "research only"}
    assert len(meta["shifts"]["values"]) == 68


def test_where_the_markups_differ_manual_points_are_moved(tmp_path, make_pack, shapes):
    truths = shapes_98(60, seed=5)
    manual = namesakes(truths)
    manual[:, 30] += (0, 9)  # this people's nose tip is lower
    done = derive_pack(make_pack(manual), proposals_of(truths), shapes, tmp_path / "out", split=None)
    assert done.coinciding == 67
    with np.load(tmp_path / "out" / "annotations.npz", allow_pickle=False) as arrays:
        nose = NAMESAKES[30]
        assert (arrays["origin"][:, nose] == MOVED).all()
        assert np.linalg.norm(arrays["landmarks"][:, nose] - truths[: done.kept, nose], axis=1).mean() < 2
    shifts = json.loads((tmp_path / "out" / "meta.json").read_text(encoding="utf-8"))["shifts"]["values"]
    assert shifts[30][1] < -4  # upwards
    assert shifts[0] == [0, 0]


def test_faces_without_proposal_too_few_points_or_of_no_real_shape_are_left_out(tmp_path, make_pack, shapes, truths):
    manual = namesakes(truths)
    manual[1, 10:] = np.nan
    manual[2] += 40 * np.random.default_rng(1).normal(size=(68, 2))
    folder = make_pack(manual)
    done = derive_pack(folder, proposals_of(truths, leave_out=[0]), shapes, tmp_path / "out", split=None)
    assert (done.kept, done.without_proposal, done.sparse, done.implausible) == (1, 1, 1, 1)
    (face,) = read_pack(tmp_path / "out").faces
    assert face.image.name == "face 3.png"


def test_hidden_points_stay_hidden_and_so_do_their_neighbours(tmp_path, make_pack, shapes, truths):
    manual, flags = namesakes(truths), np.full((FACES, 68), 2, np.uint8)
    manual[0, 14:17], flags[0, 14:17] = np.nan, 0  # the end of the jaw, 28 to 32 of 98
    flags[1, 36:42] = 1
    folder = make_pack(manual, visibility=flags)
    derive_pack(folder, proposals_of(truths), shapes, tmp_path / "out", split=None)
    faces = read_pack(tmp_path / "out").faces
    hidden = np.isnan(faces[0].landmarks).any(1)
    assert hidden[28:33].all()
    assert not hidden[:27].any()
    assert (faces[0].visibility[hidden] == 0).all()
    assert np.flatnonzero(faces[1].visibility == 1).tolist() == [*range(60, 68), 96]


def test_a_model_proposes_from_the_box_of_the_manual_points(tmp_path, make_pack, shapes):
    truth = shapes_98(1, seed=9)[0]
    model = Proposer(truth)
    done = derive_pack(make_pack([namesakes(truth)]), model, shapes, tmp_path / "out", split=None)
    assert (done.proposal, done.kept) == ("proposer", 1)
    (box,) = model.boxes
    manual = namesakes(truth)
    assert [box.x0, box.y0, box.x1, box.y1] == pytest.approx([*manual.min(0), *manual.max(0)], abs=1e-3)


def test_the_array_of_the_labels_can_be_chosen(tmp_path, make_pack, shapes, truths):
    other = namesakes(truths)
    other[0] = np.nan
    folder = make_pack(np.zeros((FACES, 68, 2)), landmarks_2d=other.astype(np.float32))
    done = derive_pack(folder, proposals_of(truths), shapes, tmp_path / "out", split=None, labels="landmarks_2d")
    assert (done.faces, done.kept) == (FACES - 1, FACES - 1)


def test_test_faces_in_the_same_photograph_stay_flagged(tmp_path, make_pack, shapes, truths):
    folder = make_pack(namesakes(truths), same_picture_as_test=np.array([True, False, False, False]))
    derive_pack(folder, proposals_of(truths), shapes, tmp_path / "out", split=None)
    assert [face.same_picture_as_test for face in read_pack(tmp_path / "out").faces] == [True, False, False, False]


def test_proposals_of_another_markup_are_refused(tmp_path, make_pack, shapes, truths):
    with pytest.raises(UsageError, match="proposals of tool have 68 points"):
        derive_pack(make_pack(namesakes(truths)), proposals_of(namesakes(truths)), shapes, tmp_path / "out", None)
    assert leftovers(tmp_path) == []


def test_shapes_of_another_markup_are_refused(tmp_path, make_pack, shapes, truths):
    np.savez(shapes, landmarks=namesakes(shapes_98()))
    with pytest.raises(PackError, match="shapes .* have 68 points"):
        derive_pack(make_pack(namesakes(truths)), proposals_of(truths), shapes, tmp_path / "out", None)


def test_a_pack_that_has_98_points_already_is_refused(tmp_path, make_pack, shapes, truths):
    with pytest.raises(PackError, match=f"faces of 98 points.*derived from the {IBUG_68.points}"):
        derive_pack(make_pack(truths), proposals_of(truths), shapes, tmp_path / "out", None)


def test_proposals_for_other_faces_leave_nothing_behind(tmp_path, make_pack, shapes, truths):
    scrambled = np.random.default_rng(2).permuted(truths, axis=1)
    with pytest.raises(PackError, match=r"No face .* is left. 4 of its 4 faces .* real faces have"):
        derive_pack(make_pack(namesakes(truths)), proposals_of(scrambled), shapes, tmp_path / "out", None)
    assert leftovers(tmp_path) == []


def test_no_proposal_at_all_is_reported(tmp_path, make_pack, shapes, truths):
    manual = namesakes(truths)
    manual[:, 10:] = np.nan
    with pytest.raises(PackError, match="No face .* is left. 0 of its 4"):
        derive_pack(make_pack(manual), proposals_of(truths), shapes, tmp_path / "out", None)


def test_a_taken_place_is_left_alone(tmp_path, make_pack, shapes, truths):
    folder = make_pack(namesakes(truths))
    before = (folder / "annotations.npz").read_bytes()
    with pytest.raises(PackError, match="already exists"):
        derive_pack(folder, proposals_of(truths), shapes, folder, None)
    assert (folder / "annotations.npz").read_bytes() == before


def test_a_broken_model_and_a_broken_picture_leave_nothing_behind(tmp_path, make_pack, shapes, truths):
    folder = make_pack(namesakes(truths))
    with pytest.raises(ModelError, match="not finite"):
        derive_pack(folder, Proposer(np.full((98, 2), np.nan)), shapes, tmp_path / "out", None)
    (folder / "images" / "face 2.png").write_bytes(b"x")
    with pytest.raises(SourceError, match="no readable picture"):
        derive_pack(folder, Proposer(face_98(200)), shapes, tmp_path / "out", None)
    assert leftovers(tmp_path) == []
