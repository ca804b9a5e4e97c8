"""Faces of which only the state of the eyes is known: cut out, kept as crops, learned from."""

import csv
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.core.errors import PackError
from tests.fakes.tiny_training import write_sample_pack
from trainer.data import validation_faces
from trainer.data.crops import load_crops, split_validation
from trainer.data.packing import pack_crops
from trainer.losses.eyes import EyesLoss
from trainer.losses.total import LandmarkLoss
from trainer.recipes.schema import PackChoice
from trainer.run import run
from trainer.run_recorder import Intervals

STATES = PackChoice("eyes_state", labels="state")
FACES = PackChoice("faces", split=None, validation=True)
LISTED = "eyes_state/images/4.png"


@pytest.fixture(scope="module")
def eyes(tmp_path_factory):
    """A folder with the pack `faces` and a pack of twelve states: six of the split `train`, five of them sure."""
    folder = tmp_path_factory.mktemp("eyes")
    write_sample_pack(folder / "faces")
    write_sample_pack(folder / "landmarks", 12)
    with np.load(folder / "landmarks" / "annotations.npz") as file:
        image, landmarks = file["image"], file["landmarks"]
    (folder / "landmarks").rename(folder / "eyes_state")
    np.savez(
        folder / "eyes_state" / "annotations.npz",
        image=image,
        bbox=np.concatenate([landmarks.min(1), landmarks.max(1)], 1),
        roll=np.linspace(-0.2, 0.2, 12),
        state=np.arange(12) % 2,
        sure=np.arange(12) != 2,
        split=np.where(np.arange(12) < 6, "train", "test"),
    )
    return folder


def test_sure_faces_of_the_split_have_a_state_and_no_points(eyes):
    crops = load_crops(eyes, (STATES,))
    assert crops.names == tuple(f"eyes_state/images/{index}.png" for index in (0, 1, 3, 4, 5))
    assert crops.faces.eyes_open.tolist() == [0, 1, 1, 0, 1]
    assert crops.faces.points.isnan().all()
    assert crops.faces.visible_weight.sum() == 0
    assert crops.faces.images.shape == (5, 3, 192, 192)
    assert load_crops(eyes, (FACES,)).faces.eyes_open.isnan().all()


def test_they_are_the_same_from_a_crop_cache(eyes, tmp_path):
    pack = load_crops(eyes, (STATES,))
    (written,) = pack_crops(eyes, tmp_path, [STATES.name])
    assert written.faces == len(pack)
    kept = load_crops(tmp_path, (STATES,))
    assert torch.equal(kept.faces.images[:], pack.faces.images[:])
    assert torch.equal(kept.faces.eyes_open, pack.faces.eyes_open)
    assert kept.names == pack.names


def test_listed_ones_stay_out_of_the_training(eyes, monkeypatch):
    monkeypatch.setattr(validation_faces, "_groups", lambda: {LISTED: "eyes"})
    training, validation, turned = split_validation(load_crops(eyes, (STATES, FACES)), 8)
    assert LISTED not in training.names + validation.names + turned.names
    assert len(training) == 4 + 21


def test_a_network_learns_from_them(eyes, recipe, tmp_path):
    packs = (FACES, replace(STATES, weight=5.0))
    taught = replace(recipe, packs=packs, steps=3, loss=LandmarkLoss(eyes=EyesLoss(weight=1.0)), closed_draws=2.0)
    run(taught, eyes, tmp_path / "run", "cpu", False, Intervals(3, 3, 1))
    with (tmp_path / "run" / "train.csv").open(newline="") as file:
        assert all(0 < float(row["eyes"]) < 2 for row in csv.DictReader(file))


def test_a_pack_without_states_or_without_faces_is_refused(eyes):
    with pytest.raises(PackError, match="has no array “bbox”"):
        load_crops(eyes, (replace(FACES, labels="state"),))
    with pytest.raises(PackError, match="eyes_state has no face to train on"):
        load_crops(eyes, (replace(STATES, split="val"),))


@pytest.mark.parametrize("array", ["bbox", "roll", "state"])
def test_changed_faces_are_other_data(eyes, tmp_path, array):
    before = load_crops(eyes, (STATES,)).digest
    shutil.copytree(eyes, tmp_path, dirs_exist_ok=True)
    file = tmp_path / "eyes_state" / "annotations.npz"
    with np.load(file) as arrays:
        values = dict(arrays)
    assert load_crops(tmp_path, (STATES,)).digest == before
    np.savez(file, **{**values, array: 1 - values[array]})
    assert load_crops(tmp_path, (STATES,)).digest != before
