"""Packs of different markups are refused with their names and numbers of points, before a face is decoded."""

import numpy as np
import pytest

from app.cli.main import main
from engine.core.errors import UsageError
from tests.fakes.packs import make_pack
from tests.fakes.tiny_training import tiny, write_sample_pack
from trainer.data import crops, markups
from trainer.data.crops import load_crops
from trainer.data.markups import pack_points, refuse_loaded_markup, refuse_other_markups
from trainer.data.packing import pack_crops
from trainer.recipes import RECIPES
from trainer.recipes.names import STAGES
from trainer.recipes.schema import PackChoice


def test_mixed_markups_are_named_before_anything_is_loaded(tmp_path, monkeypatch, capsys):
    make_pack(tmp_path / "data" / "faces", 3, 68)
    make_pack(tmp_path / "data" / "wide", 3, 98)
    monkeypatch.setitem(RECIPES, "tiny", tiny())
    monkeypatch.setitem(STAGES, "tiny", ("only",))
    monkeypatch.setattr("trainer.run.load_crops", None)  # is not reached
    packs = 'packs=[{"name": "faces", "split": null}, {"name": "wide", "split": null}]'
    command = ["train", "tiny", "--data", str(tmp_path / "data"), "--out", str(tmp_path / "run"), "--set", packs]
    assert main([*command, "--device", "cpu"]) == 1
    refusal = capsys.readouterr().err
    assert "The packs do not all have the 68 points of the network: faces has 68, wide has 98." in refusal
    assert "Leave out with --set packs" in refusal
    assert not (tmp_path / "run").exists()


def test_packs_of_one_other_markup_name_the_network_that_fits(tmp_path):
    make_pack(tmp_path / "wide", 3, 98)
    with pytest.raises(UsageError, match="points of the network: wide has 98.*et network.points=98"):
        refuse_other_markups(tmp_path, (PackChoice("wide"),), 68)
    refuse_other_markups(tmp_path, (PackChoice("wide"),), 98)


def test_the_points_of_a_crop_cache_are_read_off_its_header(tmp_path, monkeypatch):
    write_sample_pack(tmp_path / "packs" / "faces", 2, split=np.full(2, "train"))
    pack_crops(tmp_path / "packs", tmp_path / "crops", ["faces"])
    assert load_crops(tmp_path / "packs", (PackChoice("faces"),)).faces.points.shape[1] == 68
    with monkeypatch.context() as patch:
        patch.setattr(markups, "open_regular", None)  # there is no annotations.npz to open
        assert pack_points(tmp_path / "crops", PackChoice("faces")) == 68
    assert pack_points(tmp_path / "crops", PackChoice("missing")) is None


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_what_cannot_be_read_is_left_to_what_reads_all_of_it(tmp_path, content):
    folder = make_pack(tmp_path / "faces", 3, 68)
    assert pack_points(tmp_path, PackChoice("faces")) == 68
    assert pack_points(tmp_path, PackChoice("faces", labels="landmarks_2d")) is None
    if content is None:
        (folder / "annotations.npz").unlink()
    else:
        (folder / "annotations.npz").write_bytes(content)
    assert pack_points(tmp_path, PackChoice("faces")) is None
    refuse_other_markups(tmp_path, (PackChoice("faces"),), 98)
    refuse_loaded_markup((PackChoice("faces"),), 68, 68)
    with pytest.raises(UsageError, match="do not all have the 98 points of the network: faces has 68"):
        refuse_loaded_markup((PackChoice("faces"),), 68, 98)


def test_the_points_of_large_packs_are_read_off_their_first_part(tmp_path, monkeypatch):
    packs = tmp_path / "packs"
    make_pack(packs / "parted" / "part-a", 3, 98)
    (packs / "parted" / "parts.json").write_text('["part-a"]', encoding="utf-8")
    assert pack_points(packs, PackChoice("parted")) == 98
    (packs / "parted" / "parts.json").write_text("[]", encoding="utf-8")
    assert pack_points(packs, PackChoice("parted")) is None, "what reads it whole says that the list is damaged"
    write_sample_pack(packs / "faces", 3, split=np.full(3, "train"))
    monkeypatch.setattr(crops, "LARGEST_PART", 1)
    pack_crops(packs, tmp_path / "crops", ["faces"])
    assert pack_points(tmp_path / "crops", PackChoice("faces")) == 68


def test_states_of_eyes_do_not_mix_with_98_points(tmp_path):
    make_pack(tmp_path / "wide", 3, 98)
    choices = PackChoice("wide", split=None), PackChoice("eyes_state", labels="state")
    with pytest.raises(UsageError, match="the 98 points of the network: wide has 98, eyes_state has 68"):
        refuse_other_markups(tmp_path, choices, 98)
