"""Crop caches: a training on them sees the very same faces, and what does not fit is refused."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.core.errors import PackError, RecordingError, SourceError, UsageError
from tests.fakes.tiny_training import tiny
from trainer.data import crop_cache, crops, packing
from trainer.data.crop_cache import cache_path
from trainer.data.crops import crop_size, load_crops
from trainer.data.packing import pack_crops
from trainer.recipes.schema import PackChoice, SoftLandmarks

CHOICE = PackChoice("faces", split=None, validation=True, weight=0.5, label_shift=1.5)


def recipe_of(**changes):
    """A tiny recipe with other faces."""
    recipe = tiny()
    return replace(recipe, stages=(replace(recipe.stages[0], **changes),))


@pytest.fixture
def in_recipes(monkeypatch):
    """Let a recipe use the pack of the tests."""
    monkeypatch.setattr(packing, "RECIPES", {"tiny": recipe_of(packs=(CHOICE,))})


@pytest.fixture
def cache(data, tmp_path, in_recipes):
    """A folder with the cache of the pack `faces`."""
    pack_crops(data, tmp_path / "cache")
    return tmp_path / "cache"


def equal(one, other):
    """Whether two sets of crops are the same to the bit."""
    tensors = ((vars(one.faces)[name], vars(other.faces)[name]) for name in vars(one.faces))
    both = [*tensors, (one.sampling_weight, other.sampling_weight), (one.for_validation, other.for_validation)]
    return one.digest == other.digest and all(torch.equal(a.nan_to_num(-9), b.nan_to_num(-9)) for a, b in both)


def test_the_faces_are_the_same_and_no_picture_is_decoded(data, cache, monkeypatch):
    plain = load_crops(data, (CHOICE,))
    monkeypatch.setattr(crops, "read_picture", None)
    assert equal(load_crops(cache, (CHOICE,)), plain)


def test_what_a_recipe_says_of_a_pack_is_not_kept(data, cache):
    other = replace(CHOICE, weight=3.0, label_shift=-0.5, validation=False)
    assert equal(load_crops(cache, (other,)), load_crops(data, (other,)))


def test_a_pack_without_a_cache_is_read_itself(data, cache, tmp_path):
    shutil.copytree(data / "faces", cache / "others")
    both = load_crops(cache, (CHOICE, replace(CHOICE, name="others")))
    assert len(both) == 48


def test_each_pack_split_and_labels_has_its_own_file_once(data, tmp_path, monkeypatch):
    choices = (CHOICE, replace(CHOICE, weight=9.0), PackChoice("faces", split="train"), PackChoice("absent"))
    with np.load(data / "faces" / "annotations.npz") as archive:
        arrays = {**archive, "split": np.array(["train"] * 6 + ["val"] * 18)}
    folder = tmp_path / "split" / "faces"
    shutil.copytree(data / "faces", folder)
    np.savez(folder / "annotations.npz", **arrays)
    monkeypatch.setattr(packing, "RECIPES", {"tiny": recipe_of(packs=choices)})
    written = pack_crops(tmp_path / "split", tmp_path / "cache")
    assert [(done.file.name, done.faces) for done in written] == [
        ("faces.whole.landmarks.safetensors", 24),
        ("faces.train.landmarks.safetensors", 6),
    ]
    assert all(done.bytes == done.file.stat().st_size > 6 * 3 * 192 * 192 for done in written)


def test_shapes_that_recipes_soften_by_go_along(data, tmp_path, monkeypatch):
    shutil.copytree(data / "faces", tmp_path / "data" / "faces")
    (tmp_path / "data" / "shapes").mkdir()
    (tmp_path / "data" / "shapes" / "some.npz").write_bytes(b"shapes")
    soft = recipe_of(packs=(CHOICE,), soft=SoftLandmarks("shapes/some.npz"))
    monkeypatch.setattr(packing, "RECIPES", {"soft": soft})
    pack_crops(tmp_path / "data", tmp_path / "cache")
    assert (tmp_path / "cache" / "shapes" / "some.npz").read_bytes() == b"shapes"


def test_a_cache_of_other_crops_is_refused(cache, monkeypatch):
    cache_path(cache, CHOICE).rename(cache_path(cache, CHOICE, 200))
    with pytest.raises(PackError, match="does not fit .*crop_size 192 instead of 200.*understudy data pack"):
        load_crops(cache, (CHOICE,), size=200)
    cache_path(cache, CHOICE, 200).rename(cache_path(cache, CHOICE))
    monkeypatch.setattr(crops, "CROP_SCALE", 1.6)
    with pytest.raises(PackError, match="does not fit .*crop_scale .* instead of 1.6.*understudy data pack"):
        load_crops(cache, (CHOICE,))


@pytest.mark.parametrize(
    ("input_size", "crop_scale", "size"),
    [(64, 1.3, 192), (128, 1.3, 192), (138, 1.3, 192), (139, 1.3, 193), (160, 1.3, 222), (192, 1.3, 266)]
    + [(208, 1.3, 288), (256, 1.3, 355), (192, 1.8, 192)],
)
def test_crops_are_as_large_as_the_input_needs(input_size, crop_scale, size):
    assert crop_size(input_size, crop_scale) == size


def test_larger_crops_lie_beside_the_usual_ones_and_show_the_same_faces_finer(data, cache, monkeypatch):
    pack_crops(data, cache, size=222)
    assert cache_path(cache, CHOICE, 222).name == "faces.whole.landmarks.222.safetensors"
    plain = load_crops(data, (CHOICE,), size=222)
    monkeypatch.setattr(crops, "read_picture", None)
    usual, larger = load_crops(cache, (CHOICE,)), load_crops(cache, (CHOICE,), size=222)
    assert equal(larger, plain)
    assert larger.faces.images.shape == (24, 3, 222, 222)
    assert torch.equal(usual.faces.points, larger.faces.points)
    assert usual.digest == larger.digest
    shrunk = torch.nn.functional.interpolate(larger.faces.images.float(), 192, mode="bilinear", antialias=True)
    assert (shrunk - usual.faces.images).abs().mean() < 3


def test_without_the_pack_crops_of_other_sizes_only_are_refused(data, cache):
    pack_crops(data, cache, size=222)
    with pytest.raises(PackError, match="have 192 and 222 pixels a side, not 266.*data pack --crop-size 266"):
        load_crops(cache, (CHOICE,), size=266)
    shutil.copytree(data / "faces", cache / "faces")
    assert load_crops(cache, (CHOICE,), size=266).faces.images.shape[-1] == 266


def test_a_cache_of_another_format_or_name_is_refused(cache, monkeypatch):
    renamed = replace(CHOICE, name="others")
    cache_path(cache, CHOICE).rename(cache_path(cache, renamed))
    with pytest.raises(PackError, match="pack faces instead of others"):
        load_crops(cache, (renamed,))
    monkeypatch.setattr(crop_cache, "FORMAT", "understudy-crops-2")
    with pytest.raises(PackError, match="understudy-crops-1 instead of understudy-crops-2"):
        load_crops(cache, (renamed,))


@pytest.mark.parametrize("share", [0, 0.0001, 0.5, 0.999])
def test_a_truncated_cache_is_refused(cache, share):
    file = cache_path(cache, CHOICE)
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(PackError, match="cannot be read.*cut off.*understudy data pack"):
        load_crops(cache, (CHOICE,))


def test_a_folder_that_holds_packs_takes_no_cache(data, in_recipes):
    for out in (data, data / "faces"):
        with pytest.raises(UsageError, match="holds the pack faces"):
            pack_crops(data, out)
    assert not list(data.rglob("*.safetensors"))


@pytest.mark.parametrize(
    ("names", "match"),
    [(["absent"], "no pack “absent”"), (["faces/../faces"], "no pack"), ([], "No pack of a recipe")],
)
def test_packs_that_are_not_there_get_a_sentence(data, tmp_path, monkeypatch, names, match):
    monkeypatch.setattr(packing, "RECIPES", {})
    with pytest.raises(UsageError, match=match):
        pack_crops(data, tmp_path / "cache", names)


@pytest.mark.parametrize(
    ("spoil", "error", "match"),
    [
        (lambda pack: (pack / "annotations.npz").write_bytes(b"PK cut off"), PackError, "cannot be read"),
        (lambda pack: (pack / "images" / "3.png").unlink(), PackError, r"1 picture\(s\).*3.png"),
        (lambda pack: (pack / "images" / "3.png").write_bytes(b"x"), SourceError, "3.png is no readable picture"),
    ],
)
def test_a_damaged_pack_leaves_the_old_cache_alone(data, cache, tmp_path, spoil, error, match):
    shutil.copytree(data / "faces", tmp_path / "spoilt" / "faces")
    spoil(tmp_path / "spoilt" / "faces")
    before = cache_path(cache, CHOICE).read_bytes()
    with pytest.raises(error, match=match):
        pack_crops(tmp_path / "spoilt", cache)
    assert [file.name for file in cache.iterdir()] == [cache_path(cache, CHOICE).name]
    assert cache_path(cache, CHOICE).read_bytes() == before


def test_a_pack_without_labels_is_refused(tmp_path, data, in_recipes):
    shutil.copytree(data / "faces", tmp_path / "empty" / "faces")
    with np.load(data / "faces" / "annotations.npz") as archive:
        arrays = {**archive, "landmarks": np.full((24, 68, 2), np.nan, np.float32)}
    np.savez(tmp_path / "empty" / "faces" / "annotations.npz", **arrays)
    with pytest.raises(PackError, match="has no face to train on"):
        pack_crops(tmp_path / "empty", tmp_path / "cache")


def test_a_full_disk_is_reported_and_leaves_nothing(data, tmp_path, monkeypatch, in_recipes):
    def full(tensors, path, metadata):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(crop_cache, "save_file", full)
    with pytest.raises(RecordingError, match="No space left"):
        pack_crops(data, tmp_path / "cache")
    assert not any((tmp_path / "cache").iterdir())
