"""Faces that no training sees: how they were chosen, and that they stay out of every training."""

import hashlib
import json
import os
import re

import numpy as np
import pytest
import torch

from engine.formats.packs import read_arrays, read_pack
from tests.fakes.tiny_training import write_sample_pack
from trainer.data import validation_faces
from trainer.data.crops import load_crops, split_validation
from trainer.data.validation_faces import FILE, faces_of, load_eyes, validation_group
from trainer.recipes import RECIPES
from trainer.recipes.schema import PackChoice

MINE = PackChoice("faces", split=None, validation=True)
GROUPS = {
    "300w": ["lfpw68/images/3.png", "lfpw68/images/5.png"],
    "turned": ["aflw2000_3d/images/2.png", "lfpw68/images/7.png"],
    "eyes": [],
    "kept_out": ["aflw2000_3d/images/4.png"],
}


@pytest.fixture
def listed(monkeypatch, tmp_path):
    """Another list, and a folder with packs of its names."""
    file = tmp_path / "list.json"
    file.write_text(json.dumps(GROUPS), encoding="utf-8")
    monkeypatch.setattr(validation_faces, "FILE", file)
    validation_faces._groups.cache_clear()
    for name in ("faces", "lfpw68", "aflw2000_3d", "lfpw68_98"):
        write_sample_pack(tmp_path / name, 12)
    yield tmp_path
    validation_faces._groups.cache_clear()


def chosen_by_hash(key, one_in):
    return int.from_bytes(hashlib.sha256(os.fsencode(key)).digest(), "big") % one_in == 0


def numbers(crops):
    return [re.sub(r"images/|\.png", "", name) for name in crops.names]


def test_the_list_names_each_face_once():
    groups = json.loads(FILE.read_text(encoding="utf-8"))
    names = [name for group in groups.values() for name in group]
    assert len(set(names)) == len(names)
    assert [len(groups[name]) for name in ("300w", "turned", "eyes", "kept_out")] == [106, 133, 202, 8]


def test_a_listed_face_is_known_in_a_derived_pack_too():
    name = faces_of("300w")[0]
    assert validation_group(name) == validation_group(name.replace("lfpw68/", "lfpw68_98/")) == "300w"
    assert validation_group(name.replace("lfpw68/", "mine/")) is None


def test_listed_faces_are_held_out_and_the_others_of_their_pack_are_not(listed):
    packs = (PackChoice("lfpw68", split=None, validation=True), PackChoice("aflw2000_3d", split=None))
    training, validation, turned = split_validation(load_crops(listed, packs), 2)
    assert numbers(validation) == ["lfpw68/3", "lfpw68/5"]
    assert numbers(turned) == ["lfpw68/7", "aflw2000_3d/2"]
    left = [f"lfpw68/{index}" for index in range(12) if index not in (3, 5, 7)]
    assert numbers(training) == left + [f"aflw2000_3d/{index}" for index in range(12) if index not in (2, 4)]


def test_a_link_to_a_pack_holds_out_the_faces_of_its_own_name(listed):
    (listed / "lfpw68").rename(listed / "elsewhere")
    (listed / "lfpw68").symlink_to("elsewhere")
    training, validation, turned = split_validation(load_crops(listed, (PackChoice("lfpw68", split=None),)), 2)
    assert numbers(validation) == ["lfpw68/3", "lfpw68/5"]
    assert numbers(turned) == ["lfpw68/7"]
    assert len(training) == 9


def test_of_other_packs_every_nth_face_is_held_out_as_ever(listed):
    lfpw = PackChoice("lfpw68", split=None, validation=True)
    _, validation, turned = split_validation(load_crops(listed, (lfpw, MINE)), 5)
    assert numbers(validation) == ["lfpw68/3", "lfpw68/5", "faces/4", "faces/9"]
    assert numbers(turned) == ["lfpw68/7"]


def test_a_derived_pack_holds_out_every_nth_face_and_the_listed_ones(listed):
    crops = load_crops(listed, (PackChoice("lfpw68_98", split=None, validation=True),))
    training, validation, turned = split_validation(crops, 4)
    assert numbers(validation) == ["lfpw68_98/3", "lfpw68_98/5", "lfpw68_98/11"]  # 7 is the 8th, but a turned one
    assert numbers(turned) == ["lfpw68_98/7"]
    assert len(training) == 8


def test_without_a_listed_face_nothing_has_changed(listed):
    crops = load_crops(listed, (MINE,))
    training, validation, turned = split_validation(crops, 4)
    rank = torch.arange(1, 13)
    assert training.names == crops.subset((rank % 4 != 0).nonzero()[:, 0]).names
    assert numbers(validation) == ["faces/3", "faces/7", "faces/11"]
    assert len(turned) == 0


def test_the_300w_faces_are_every_20th_as_the_recipes_held_out_ever(data_folder):
    names = []
    for choice in RECIPES["student-68"].stages[0].packs[:3]:
        pack = read_pack(data_folder / choice.name, choice.split, choice.labels, skip_unlabelled=True)
        kept = (face.image for face in pack.faces if not face.same_picture_as_test)
        names += [f"{pack.name}/{image.relative_to(pack.folder).as_posix()}" for image in kept]
    assert faces_of("300w") == tuple(names[19::20])


def test_the_turned_heads_were_chosen_by_hash_and_no_photograph_is_on_both_sides(data_folder):
    expected, photos, trained = [], {}, {}
    for name in ("aflw2000_3d", "aflw_merl68"):
        arrays = read_arrays(data_folder / name)
        wide = (
            np.abs(arrays["pose_pitch_yaw_roll"][:, 1]) > 40 if name == "aflw2000_3d" else arrays["pose"] != "frontal"
        )
        one_in, labels = (2, "landmarks_2d") if name == "aflw2000_3d" else (5, "landmarks")
        wide &= np.isfinite(arrays[labels]).all(-1).any(-1) & (arrays["split"] == "train")
        for picture, source, turned, split in zip(
            arrays["image"], arrays["source"], wide, arrays["split"], strict=True
        ):
            photo = source.rsplit("/", 1)[1].removesuffix(".jpg")
            face = f"{name}/{picture}"
            if turned and chosen_by_hash(photo, one_in):
                expected.append(face)
            if validation_group(face):
                photos[face] = photo
            elif split == "train":
                trained[face] = photo
    assert faces_of("turned") == tuple(expected)
    assert not set(photos.values()) & set(trained.values())


def test_the_eyes_were_chosen_by_hash_of_the_person(data_folder):
    arrays = read_arrays(data_folder / "eyes_state")
    usable = (arrays["split"] == "train") & (arrays["sure"] == 1) & (arrays["subset"] != "lfw_faces5")
    expected = {
        f"eyes_state/{picture}"
        for picture, identity, state, use in zip(
            arrays["image"], arrays["identity"], arrays["state"], usable, strict=True
        )
        if use and chosen_by_hash(str(identity), 4 if state else 6)
    }
    assert set(faces_of("eyes")) == expected
    eyes = load_eyes(data_folder, 1.3, 32)
    assert eyes.images.shape == (202, 3, 32, 32)
    assert int(eyes.open.sum()) == 100


def test_the_parts_share_the_pictures_of_all_and_are_the_right_ones(listed):
    crops = load_crops(listed, (PackChoice("lfpw68", split=None, validation=True), MINE))
    parts = split_validation(crops, 4)
    assert all(part.faces.images.parts is crops.faces.images.parts for part in parts), "none is copied"
    assert sorted(name for part in parts for name in part.names) == sorted(crops.names)
    for part in parts:
        indices = torch.tensor([crops.names.index(name) for name in part.names], dtype=torch.int64)
        for name, tensor in vars(crops.faces.select(indices)).items():
            assert torch.equal(tensor.nan_to_num(-9), vars(part.faces)[name][:].nan_to_num(-9)), name
        assert torch.equal(crops.sampling_weight[indices], part.sampling_weight)
