"""The sets of the papers are found unpacked, as packs, or in part as the packs of our own recipes."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from engine.core.errors import PackError, UsageError
from engine.formats.packs import is_pack
from tests.fakes.official_sets import make_300w, make_cofw
from tests.fakes.packs import make_pack
from trainer.reproduce.chain import Order, planned
from trainer.reproduce.official_sets import find_sets

KINDS = ("300w", "wflw", "cofw")


def test_sets_are_found_unpacked_at_any_of_three_depths_and_become_packs_elsewhere(tmp_path):
    make_300w(tmp_path / "data" / "sets" / "300W")
    make_cofw(tmp_path / "data")
    sets, missing = find_sets(tmp_path / "data", tmp_path / "packs", KINDS)
    assert [(each.kind, each.source) for each in sets] == [
        ("300w", tmp_path / "data" / "sets" / "300W"),
        ("cofw", tmp_path / "data"),
    ]
    assert missing == ["wflw"]
    assert [each.training_faces() for each in sets] == [6, 3]
    assert not (tmp_path / "packs").exists()
    for each in sets:
        each.make_pack()
        each.make_pack()  # the second time there is nothing to do
    assert is_pack(tmp_path / "packs" / "300w")
    assert [each.training_faces() for each in sets] == [6, 3]


def test_a_folder_that_only_the_system_may_read_is_passed_over(tmp_path, monkeypatch):
    """The root of a drive has one; root itself may read it, hence the system's answers here."""
    closed = tmp_path / "lost+found"
    closed.mkdir()
    make_cofw(tmp_path / "sets" / "COFW")
    may, entries = os.access, Path.iterdir

    def listed(folder):
        if folder == closed:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
        return entries(folder)

    monkeypatch.setattr(os, "access", lambda path, mode: path != closed and may(path, mode))
    monkeypatch.setattr(Path, "iterdir", listed)
    (found,), missing = find_sets(tmp_path, tmp_path / "packs", KINDS)
    assert (found.source, missing) == (tmp_path / "sets" / "COFW", ["300w", "wflw"])


def test_a_pack_comes_before_the_unpacked_set(tmp_path):
    split = np.array(["train", "train", "test"])
    make_pack(tmp_path / "wflw", 3, 98, split=split)
    (found,), _ = find_sets(tmp_path, tmp_path / "packs", ("wflw",))
    assert (found.source, found.data, found.training_faces(), found.whole) == (None, tmp_path, 2, True)


def test_our_parts_of_300w_take_its_place_and_are_no_official_set(tmp_path):
    for name in ("lfpw68", "helen68", "afw68"):
        make_pack(tmp_path / name, 4, 68, split=np.array(["train", "train", "train", "test"]))
    (found,), missing = find_sets(tmp_path, tmp_path / "packs", ("300w", "wflw"))
    assert not found.whole
    assert [pack.name for pack in found.packs] == ["lfpw68", "helen68", "afw68"]
    assert (found.test, found.training_faces(), missing) == ("lfpw68", 9, ["wflw"])
    runs, _ = planned(Order("hong-lin", tmp_path, tmp_path / "out", changes=("student-kd.batch=8", "epochs=2")))
    assert [(run.network, run.training.batch) for run in runs] == [("teacher", 32), ("student", 32), ("student-kd", 8)]
    assert {run.training.packs for run in runs} == {found.packs}
    assert [run.steps for run in runs] == [1, 1, 3]
    own_forms, _ = planned(Order("hong-lin", tmp_path, tmp_path / "out", ours=True))
    assert min(run.training.hold_out for run in own_forms) == 2, "some faces are left to learn from"


def test_without_any_set_it_says_what_was_looked_for(tmp_path):
    (tmp_path / "300W" / "afw").mkdir(parents=True)
    with pytest.raises(UsageError, match="None of the sets of the paper lies below") as refusal:
        find_sets(tmp_path, tmp_path / "packs", KINDS)
    assert "packs called 300w, wflw, cofw" in refusal.value.why
    assert "WFLW_images" in refusal.value.why


def test_a_damaged_set_leaves_no_pack_behind(tmp_path):
    made = make_300w(tmp_path / "300W")
    (tmp_path / "300W" / next(iter(made))).unlink()
    (found,), _ = find_sets(tmp_path, tmp_path / "packs", ("300w",))
    with pytest.raises(PackError, match="The picture of .* is missing"):
        found.make_pack()
    assert not (tmp_path / "packs" / "300w").exists()
