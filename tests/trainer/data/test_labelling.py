"""Pseudo-labels for faces with five points: right where a model agrees with people, left out where not."""

import json
import math
import shutil
from dataclasses import replace

import numpy as np
import pytest

from engine.core.errors import ModelError, PackError, SourceError
from engine.core.schemes import IBUG_68, eye_centres
from engine.formats.images import write_picture
from engine.formats.packs import read_pack
from engine.inference.library import ModelLibrary
from tests.fakes.models import FakeLandmarker, FakeScene, face_points
from trainer.data.labelling import distance_of, first_crop, label_pack, locate

FACE = (90.0, 80.0, 60.0, 0.2)
LIMIT = 10.0


def five_of(points):
    """The five manual points that 68 landmarks amount to."""
    return np.stack([*eye_centres(IBUG_68, points), points[30], points[48], points[54]]).astype(np.float32)


@pytest.fixture
def five():
    """Points as people would set them: mouth below the eyes, unlike the ring of the fake face."""
    return np.array([(78, 64), (102, 68), (88, 82), (74, 96), (98, 100)], np.float32)


@pytest.fixture
def landmarker(five):
    """A model that finds exactly the five points, wherever the face is seen."""

    def place(found):
        points = found.points.copy()
        points[36:42], points[42:48], points[30], points[48], points[54] = five
        return replace(found, points=points)

    return FakeLandmarker(FakeScene(FACE), spoil=place)


@pytest.fixture
def make_pack(tmp_path, five):
    def make(faces, **arrays):
        folder = tmp_path / "fünf"
        folder.mkdir()
        names = [f"images/face {index}.png" for index in range(len(faces))]
        for name in names:
            write_picture(folder / name, np.full((160, 180, 3), 90, np.uint8))
        np.savez(folder / "annotations.npz", image=np.array(names), landmarks=np.array(faces, np.float32), **arrays)
        (folder / "meta.json").write_text('{"licence": "research only"}', encoding="utf-8")
        return folder

    return make


def test_faces_that_agree_are_labelled_and_the_others_left_out(tmp_path, make_pack, landmarker, five):
    wrong, incomplete = five + (30, 0), five.copy()
    incomplete[2] = np.nan
    folder = make_pack([five, wrong, incomplete, five + 1], identity=np.array(["a", "b", "c", "d"]))
    out = tmp_path / "new" / "labelled"
    done = label_pack(folder, landmarker, out, LIMIT)
    assert (done.faces, done.kept, done.disagreeing, done.incomplete) == (4, 2, 1, 1)
    with np.load(out / "annotations.npz", allow_pickle=False) as arrays:
        assert arrays["landmarks"].shape == (2, 68, 2)
        assert arrays["confidence"].shape == (2, 68)
        assert arrays["identity"].tolist() == ["a", "d"]
        assert arrays["split"].tolist() == ["train", "train"]
        assert arrays["disagreement"] == pytest.approx(
            [0, math.sqrt(2) / np.linalg.norm(five[1] - five[0]) * 100], abs=0.01
        )
        assert (arrays["bbox"][0] == [*arrays["landmarks"][0].min(0), *arrays["landmarks"][0].max(0)]).all()
        assert all((out / name).read_bytes() == (folder / name).read_bytes() for name in arrays["image"])
    assert not (out / "images" / "face 1.png").exists()
    meta = json.loads((out / "meta.json").read_text(encoding="utf-8"))
    assert "machine-made by the model fake" in meta["labels"]
    assert meta["made_from"] == {"pack": "fünf", "licence": "research only"}
    assert meta["left_out"] == {"disagreeing": 1, "incomplete": 1}


def test_the_new_pack_is_one_that_training_reads(tmp_path, make_pack, landmarker, five):
    label_pack(make_pack([five]), landmarker, tmp_path / "out", LIMIT)
    pack = read_pack(tmp_path / "out", split="train")
    assert (pack.scheme, len(pack.faces)) == (IBUG_68, 1)


def test_distance_is_a_mean_in_percent_of_the_eye_distance():
    points = face_points(50, 50, 100)
    five = five_of(points)
    assert distance_of(IBUG_68, points, five) == pytest.approx(0, abs=1e-4)
    moved = five.copy()
    moved[2] += (0, 10)  # one point of five
    assert distance_of(IBUG_68, points, moved) == pytest.approx(
        100 * 10 / np.linalg.norm(five[1] - five[0]) / 5, rel=1e-5
    )
    assert math.isnan(distance_of(IBUG_68, points, np.full((5, 2), 3.0)))


def test_the_first_crop_turns_and_grows_with_the_face(five, landmarker):
    crop = first_crop(five, landmarker)
    middle = (five[:2].mean(0) + five[3:].mean(0)) / 2
    assert crop.roll == pytest.approx(math.atan2(4, 24))
    assert crop.side > 2 * np.linalg.norm(five[1] - five[0])
    assert np.linalg.norm(np.array((crop.centre_x, crop.centre_y)) - middle) < 0.2 * crop.side
    twice = first_crop(five * 2, landmarker)
    assert (twice.side, twice.centre_x, twice.roll) == pytest.approx((2 * crop.side, 2 * crop.centre_x, crop.roll))


def test_it_looks_again_until_the_crop_stands_still(five):
    landmarker = FakeLandmarker(FakeScene(FACE))
    found = locate(np.zeros((160, 180, 3), np.uint8), five, landmarker)
    assert len(landmarker.crops) == 2  # the first look finds the face, the second confirms its crop
    assert np.allclose(found.points, face_points(*FACE), atol=1e-3)


def test_a_crop_that_never_rests_does_not_hold_it_up(five):
    landmarker = FakeLandmarker(FakeScene(), spoil=lambda found: replace(found, points=found.points * 1.1))
    locate(np.zeros((160, 180, 3), np.uint8), five, landmarker)
    assert len(landmarker.crops) == 4


def test_faces_of_the_real_model_agree_with_the_five_points(data_folder, tmp_path):
    with np.load(data_folder / "faces5" / "annotations.npz") as archive:
        arrays = {name: archive[name][:40] for name in ("image", "landmarks", "split")}
    for name in arrays["image"]:
        (tmp_path / "few" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(data_folder / "faces5" / name, tmp_path / "few" / name)
    np.savez(tmp_path / "few" / "annotations.npz", **arrays)
    done = label_pack(tmp_path / "few", ModelLibrary().load("student-68"), tmp_path / "out", LIMIT)
    assert done.kept >= 38
    assert done.median < 5


def test_a_folder_that_holds_a_pack_is_left_alone(tmp_path, make_pack, landmarker, five):
    folder = make_pack([five])
    before = (folder / "annotations.npz").read_bytes()
    with pytest.raises(PackError, match="already exists"):
        label_pack(folder, landmarker, folder, LIMIT)
    assert (folder / "annotations.npz").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fünf"]


@pytest.mark.parametrize(
    ("spoil", "error", "match"),
    [
        (lambda folder: (folder / "annotations.npz").unlink(), PackError, "is not a pack"),
        (lambda folder: (folder / "annotations.npz").write_bytes(b"PK cut off"), PackError, "cannot be read"),
        (lambda folder: (folder / "images" / "face 0.png").unlink(), SourceError, "face 0.png cannot be opened"),
        (lambda folder: (folder / "images" / "face 0.png").write_bytes(b"x"), SourceError, "no readable picture"),
    ],
)
def test_a_damaged_pack_leaves_nothing_behind(tmp_path, make_pack, landmarker, five, spoil, error, match):
    folder = make_pack([five])
    spoil(folder)
    with pytest.raises(error, match=match):
        label_pack(folder, landmarker, tmp_path / "out", LIMIT)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fünf"]


@pytest.mark.parametrize(
    ("faces", "match"),
    [
        (np.zeros((0, 5, 2)), "holds no face"),
        (np.zeros((1, 68, 2)), r"no five points.*\(1, 68, 2\)"),
        (np.full((1, 5, 2), np.nan), "No face .* is left. 1 lack one"),
        (np.arange(10.0).reshape(1, 5, 2), "No face .* is left. 0 lack one .* more than 10 %"),
    ],
)
def test_packs_without_use_get_a_sentence(tmp_path, make_pack, landmarker, faces, match):
    with pytest.raises(PackError, match=match):
        label_pack(make_pack(faces), landmarker, tmp_path / "out", LIMIT)
    assert not (tmp_path / "out").exists()


def test_a_broken_model_is_reported(tmp_path, make_pack, five):
    broken = FakeLandmarker(FakeScene(FACE), spoil=lambda found: replace(found, points=found.points * np.nan))
    with pytest.raises(ModelError, match="not finite"):
        label_pack(make_pack([five]), broken, tmp_path / "out", LIMIT)
