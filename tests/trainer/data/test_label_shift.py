"""The shift of labels is found whatever the model's own, and put into words that `--set packs` takes."""

import json

import numpy as np
import pytest

from app.cli.main import main
from engine.core.errors import PackError
from engine.core.schemes import IBUG_68
from engine.formats.images import write_picture
from engine.inference.landmarker import Landmarks
from engine.inference.library import ModelLibrary
from tests.fakes.models import FAKE_CARD
from trainer.data.label_shift import measure_pack_shift
from trainer.recipes.overrides import trainings_by_name

SIDE = 200
OWN, SHIFT = 1.5, 0.75  # pixels that the model's points, and the labels, lie to the right of the face


@pytest.fixture
def face():
    """A face `[68, 2]` that is its own mirror image in a picture of `SIDE`."""
    points = np.random.default_rng(4).uniform(60, 140, (68, 2))
    mirrored = np.stack([SIDE - 1 - points[:, 0], points[:, 1]], 1)[list(IBUG_68.mirror)]
    return ((points + mirrored) / 2).astype(np.float32)


@pytest.fixture
def pack(tmp_path, face):
    folder, random = tmp_path / "mine", np.random.default_rng(5)
    names = [f"images/{index}.png" for index in range(4)]
    for name in names:
        write_picture(folder / name, np.full((SIDE, SIDE, 3), 90, np.uint8))
    labels = np.stack([face + np.array([SHIFT, 0]) + random.normal(0, 0.01, face.shape) for _ in names])
    labels[1, 5] = np.nan
    np.savez(folder / "annotations.npz", image=np.array(names), landmarks=labels.astype(np.float32))
    return folder


@pytest.fixture
def landmarker(face):
    class Shifted:
        card = FAKE_CARD

        def locate(self, picture, box):
            return Landmarks(face + np.array([OWN, 0], np.float32), np.ones(68, np.float32), 0.0)

    return Shifted()


def test_it_is_half_the_difference_of_the_errors_in_x(pack, landmarker):
    found = measure_pack_shift(pack, landmarker, None, "landmarks")
    assert found.label_shift == pytest.approx(SHIFT, abs=0.01)
    assert found.low <= found.label_shift <= found.high
    assert found.high - found.low < 0.02
    assert (found.pack, found.faces) == ("mine", 4)


def test_the_verb_prints_what_a_training_takes(pack, landmarker, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(ModelLibrary, "load", lambda self, name: landmarker)
    assert main(["data", "shift", str(pack), "--json", str(tmp_path / "shift.json")]) == 0
    printed = capsys.readouterr().out
    change = printed.partition("--set '")[2].partition("'")[0]
    assert trainings_by_name("student-68:last", [change])[0].packs[0].label_shift == 0.75
    assert json.loads((tmp_path / "shift.json").read_text())["label_shift"] == pytest.approx(SHIFT, abs=0.01)


def test_a_link_to_a_pack_keeps_its_name_in_what_a_training_takes(pack, landmarker, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(ModelLibrary, "load", lambda self, name: landmarker)
    (tmp_path / "linked").symlink_to(pack)
    assert main(["data", "shift", str(tmp_path / "linked")]) == 0
    assert '"name": "linked"' in capsys.readouterr().out


def test_a_pack_of_another_markup_and_one_face_are_refused(pack, landmarker, tmp_path):
    with np.load(pack / "annotations.npz") as arrays:
        one = {name: array[:1] for name, array in arrays.items()}
        wide = {"image": arrays["image"], "landmarks": np.ones((4, 98, 2), np.float32)}
    np.savez(pack / "annotations.npz", **one)
    with pytest.raises(PackError, match="too few faces"):
        measure_pack_shift(pack, landmarker, None, "landmarks")
    np.savez(pack / "annotations.npz", **wide)
    with pytest.raises(PackError, match="has 98 points and the model"):
        measure_pack_shift(pack, landmarker, None, "landmarks")


def test_labels_outside_their_picture_are_refused_as_by_a_training(pack, landmarker):
    with np.load(pack / "annotations.npz") as archive:
        arrays = dict(archive)
    arrays["landmarks"][1] += 5000
    np.savez(pack / "annotations.npz", **arrays)
    with pytest.raises(PackError, match="lie outside the picture of"):
        measure_pack_shift(pack, landmarker, None, "landmarks")
