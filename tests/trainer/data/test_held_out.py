"""Validation packs are held out whole, by a run and by the int8 export alike."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from engine.core.errors import PackError, UsageError
from tests.fakes.tiny_training import tiny_recipe, write_sample_pack
from trainer.checkpoint import LAST, read_checkpoint, write_checkpoint
from trainer.data.crops import load_crops
from trainer.data.held_out import split_held_out
from trainer.recipes.schema import PackChoice
from trainer.run import run
from trainer.run_recorder import Intervals
from trainer.tflite import export_int8

FACES = PackChoice("faces", split="train", validation=True)
APART = PackChoice("apart", split=None)


@pytest.fixture
def packs(tmp_path):
    """A folder with 8 faces to train on, 4 of another split in the same pack, and a pack of 3."""
    write_sample_pack(tmp_path / "data" / "faces", 12, split=np.repeat(["train", "val"], (8, 4)))
    write_sample_pack(tmp_path / "data" / "apart", 3)
    return tmp_path / "data"


def names(crops):
    return [name.replace("images/", "").removesuffix(".png") for name in crops.names]


def test_a_validation_pack_comes_behind_the_faces_that_are_held_out(packs):
    faces = load_crops(packs, (FACES,))
    training, validation, _ = split_held_out(faces, packs, 4, (APART, replace(FACES, split="val")), 192)
    assert names(training) == [f"faces/{index}" for index in (0, 1, 2, 4, 5, 6)]
    assert names(validation) == [
        "faces/3",
        "faces/7",
        "apart/0",
        "apart/1",
        "apart/2",
        *(f"faces/{i}" for i in range(8, 12)),
    ]
    assert validation.faces.points.shape == (9, 68, 2)
    assert len(validation.faces.images) == len(validation.sampling_weight) == 9


def test_with_hold_out_0_no_other_face_is_held_out(packs):
    training, validation, _ = split_held_out(load_crops(packs, (FACES,)), packs, 0, (APART,), 192)
    assert (len(training), names(validation)) == (8, ["apart/0", "apart/1", "apart/2"])


def test_a_run_validates_on_its_validation_pack_and_int8_on_the_same_faces(packs, tmp_path):
    recipe = replace(tiny_recipe(), packs=(FACES,), validation=(APART,), hold_out=0, steps=2)
    last = run(recipe, packs, tmp_path / "run", "cpu", False, Intervals(2, 2))
    state = read_checkpoint(last)
    assert state.notes["faces"] == 8
    with (tmp_path / "run" / "validation.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 1
    calibration, validation = export_int8._faces(last, packs)
    assert (len(calibration), names(validation)) == (8, ["apart/0", "apart/1", "apart/2"])


def test_a_run_does_not_resume_on_another_validation_pack(packs, tmp_path):
    recipe = replace(tiny_recipe(), packs=(FACES,), validation=(APART,), hold_out=0, steps=2)
    last = run(recipe, packs, tmp_path / "run", "cpu", False, Intervals(2, 2))
    file = packs / "apart" / "annotations.npz"
    with np.load(file) as arrays:
        values = dict(arrays)
    np.savez(file, **{**values, "landmarks": values["landmarks"] + 1})
    with pytest.raises(UsageError, match="these have changed: the packs for validation"):
        run(recipe, packs, tmp_path / "run", "cpu", True)
    former = read_checkpoint(last)
    write_checkpoint(last, replace(former, notes={k: v for k, v in former.notes.items() if k != "held_out"}))
    assert run(recipe, packs, tmp_path / "run", "cpu", True) == last, "what an old run did not note is as it was"


def test_without_any_face_for_validation_there_is_no_run(packs, tmp_path):
    with pytest.raises(UsageError, match="No face is left for validation.*validation packs") as refusal:
        run(replace(tiny_recipe(), packs=(FACES,), hold_out=0), packs, tmp_path / "run", "cpu", False)
    assert "--set 'validation=" in refusal.value.fix


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda points: points + 5000, "of a face in .*png lie outside the picture of 640 x 480 pixels"),
        (lambda points: 0 * points + 100, "of a face in .*png lie within 4 pixels of each other"),
    ],
)
def test_labels_that_cannot_be_of_a_face_are_not_learned_from(packs, tmp_path, change, match):
    file = packs / "faces" / "annotations.npz"
    with np.load(file) as arrays:
        values = dict(arrays)
    values["landmarks"] = change(values["landmarks"])
    np.savez(file, **values)
    with pytest.raises(PackError, match=match) as refusal:
        run(replace(tiny_recipe(), packs=(FACES,)), packs, tmp_path / "run", "cpu", False)
    assert "data check" in refusal.value.fix


@pytest.mark.parametrize("corner", [None, 45], ids=["without a label", "both in one place"])
def test_faces_whose_error_cannot_be_known_are_no_validation(packs, tmp_path, corner):
    file = packs / "apart" / "annotations.npz"
    with np.load(file) as arrays:
        values = dict(arrays)
    values["landmarks"][:, 36] = np.nan if corner is None else values["landmarks"][:, corner]
    np.savez(file, **values)
    recipe = replace(tiny_recipe(), packs=(FACES,), validation=(APART,), hold_out=0)
    with pytest.raises(UsageError, match="of none of the 3 faces for validation is known.*outer eye corners"):
        run(recipe, packs, tmp_path / "run", "cpu", False)


@pytest.mark.parametrize("split", ["train", "train_b", None])
@pytest.mark.parametrize("part", ["packs", "validation"])
def test_a_pack_that_is_named_twice_is_refused(packs, tmp_path, part, split):
    recipe = replace(tiny_recipe(), **{"packs": (APART,), part: (FACES, replace(FACES, split=split))})
    with pytest.raises(UsageError, match="The pack faces is named twice"):
        run(recipe, packs, tmp_path / "run", "cpu", False)


@pytest.mark.parametrize("split", ["train", "train_b", None])
def test_faces_that_are_learned_from_are_no_validation(packs, tmp_path, split):
    recipe = replace(tiny_recipe(), packs=(FACES,), validation=(replace(FACES, split=split),))
    with pytest.raises(UsageError, match="The pack faces is both for training and for validation"):
        run(recipe, packs, tmp_path / "run", "cpu", False)
    assert not (tmp_path / "run" / LAST).exists()
