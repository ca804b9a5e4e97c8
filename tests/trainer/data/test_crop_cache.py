"""Crop caches: a training on them sees the very same faces, and what does not fit is refused."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from engine.core.errors import PackError, RecordingError, SourceError, UsageError
from tests.conftest import ROOT
from tests.fakes.packs import rewrite
from tests.fakes.tiny_training import tiny
from trainer.data import crop_cache, crops, cutting, packing
from trainer.data.crop_cache import cache_path, cached_sizes
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
    tensors = ((vars(one.faces)[name][:], vars(other.faces)[name][:]) for name in vars(one.faces))
    both = [*tensors, (one.sampling_weight, other.sampling_weight), (one.for_validation, other.for_validation)]
    return one.digest == other.digest and all(torch.equal(a.nan_to_num(-9), b.nan_to_num(-9)) for a, b in both)


def test_the_faces_are_the_same_and_no_picture_is_decoded(data, cache, monkeypatch):
    plain = load_crops(data, (CHOICE,))
    monkeypatch.setattr(cutting, "read_picture", None)
    assert equal(load_crops(cache, (CHOICE,)), plain)


def test_what_a_recipe_says_of_a_pack_is_not_kept(data, cache):
    other = replace(CHOICE, weight=3.0, label_shift=-0.5, validation=False)
    assert equal(load_crops(cache, (other,)), load_crops(data, (other,)))


def test_a_cache_whose_faces_are_named_after_the_folder_behind_a_link_is_made_again(data, cache):
    path = cache_path(cache, CHOICE)
    with safe_open(path, "pt") as file:
        tensors, metadata = {name: file.get_tensor(name).clone() for name in file.keys()}, file.metadata()  # noqa: SIM118
    save_file(tensors, path, {**metadata, "names": metadata["names"].replace("faces/", "behind/")})
    with pytest.raises(PackError, match="calls a face behind/images/0.png.*a link.*understudy data pack"):
        load_crops(cache, (CHOICE,))
    pack_crops(data, cache)
    assert equal(load_crops(cache, (CHOICE,)), load_crops(data, (CHOICE,)))


def test_of_a_pack_that_no_recipe_knows_and_that_has_no_splits_every_face_is_cut_out(data, tmp_path):
    (written,) = pack_crops(data, tmp_path / "cache", ["faces"])
    assert (written.file, written.faces) == (cache_path(tmp_path / "cache", CHOICE), 24)
    rewrite(shutil.copytree(data, tmp_path / "split") / "faces", split=np.array(["train"] * 20 + ["test"] * 4))
    (written,) = pack_crops(tmp_path / "split", tmp_path / "cache", ["faces"])
    assert (written.file, written.faces) == (cache_path(tmp_path / "cache", PackChoice("faces")), 20)


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
    monkeypatch.setattr(cutting, "read_picture", None)
    usual, larger = load_crops(cache, (CHOICE,)), load_crops(cache, (CHOICE,), size=222)
    assert equal(larger, plain)
    assert larger.faces.images.shape == (24, 3, 222, 222)
    assert torch.equal(usual.faces.points, larger.faces.points)
    assert usual.digest == larger.digest
    shrunk = torch.nn.functional.interpolate(larger.faces.images[:].float(), 192, mode="bilinear", antialias=True)
    assert (shrunk - usual.faces.images[:]).abs().mean() < 3


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

    monkeypatch.setattr(crop_cache, "save_tensors", full)
    with pytest.raises(RecordingError, match="No space left"):
        pack_crops(data, tmp_path / "cache")
    assert not any((tmp_path / "cache").iterdir())


@pytest.fixture
def in_parts(monkeypatch):
    """Let a part hold ten faces."""
    monkeypatch.setattr(crops, "LARGEST_PART", 10 * 3 * 192 * 192 + 100)


@pytest.fixture
def parts(data, tmp_path, in_recipes, in_parts):
    """A folder with the cache of the pack `faces` in three parts."""
    pack_crops(data, tmp_path / "cache")
    return tmp_path / "cache"


def part_files(cache):
    return sorted(cache.glob("*.part-*.safetensors"))


def test_a_large_pack_is_kept_in_parts_that_read_as_one(data, tmp_path, parts, monkeypatch):
    (written,) = pack_crops(data, parts)
    assert (written.file.name, written.faces) == ("faces.whole.landmarks.json", 24)
    assert written.bytes == sum(file.stat().st_size for file in part_files(parts))
    assert len(part_files(parts)) == 3
    plain = load_crops(data, (CHOICE,))
    monkeypatch.setattr(cutting, "read_picture", None)
    assert equal(load_crops(parts, (CHOICE,)), plain)
    order = torch.tensor([23, 0, 11, 11, 9, 10])
    assert torch.equal(load_crops(parts, (CHOICE,)).faces.select(order).images, plain.faces.images[order])


def test_crops_of_a_pack_with_brackets_in_its_name_are_found_and_replaced(data, tmp_path, in_parts):
    name, packs, cache = "mine [2]", tmp_path / "packs", tmp_path / "cache"
    shutil.copytree(data / "faces", packs / name)
    pack_crops(packs, cache, [name])
    assert cached_sizes(cache, PackChoice(name, split=None)) == [192]
    before = part_files(cache)
    with np.load(packs / name / "annotations.npz") as arrays:
        rewrite(packs / name, landmarks=arrays["landmarks"] + 1)
    pack_crops(packs, cache, [name])
    assert len(part_files(cache)) == len(before) == 3
    assert not set(part_files(cache)) & set(before)


def test_a_second_start_cuts_what_is_missing_and_nothing_else(data, parts, monkeypatch):
    _, second, third = part_files(parts)
    before = {file: file.stat().st_mtime_ns for file in part_files(parts)}
    second.unlink()
    third.write_bytes(third.read_bytes()[:-100])
    cut, read = [], cutting.read_picture
    monkeypatch.setattr(cutting, "read_picture", lambda path: cut.append(path) or read(path))
    pack_crops(data, parts)
    assert len(cut) in (14, 20), "two of the parts of 10, 10 and 4 faces"
    after = {file: file.stat().st_mtime_ns for file in part_files(parts)}
    assert after.keys() == before.keys()
    assert [file for file in after if after[file] == before[file]] == part_files(parts)[:1]


def test_a_pack_that_grows_into_parts_or_changes_leaves_no_old_ones(data, cache, tmp_path, in_parts):
    assert [file.name for file in cache.iterdir()] == ["faces.whole.landmarks.safetensors"]
    pack_crops(data, cache)
    assert not cache_path(cache, CHOICE).exists()
    old = part_files(cache)
    shutil.copytree(data / "faces", tmp_path / "changed" / "faces")
    with np.load(data / "faces" / "annotations.npz") as archive:
        arrays = {**archive, "landmarks": archive["landmarks"] + 1}
    np.savez(tmp_path / "changed" / "faces" / "annotations.npz", **arrays)
    pack_crops(tmp_path / "changed", cache)
    assert not set(old) & set(part_files(cache))
    assert equal(load_crops(cache, (CHOICE,)), load_crops(tmp_path / "changed", (CHOICE,)))


def flagged(arrays):
    return {**arrays, "same_picture_as_test": np.arange(24) == 3}


def hidden(arrays):
    return {**arrays, "visibility": np.ones((24, 68), np.uint8)}


@pytest.mark.parametrize("change", [flagged, hidden])
def test_a_face_that_is_left_out_later_and_changed_flags_of_points_renew_the_parts(data, parts, tmp_path, change):
    shutil.copytree(data / "faces", tmp_path / "changed" / "faces")
    with np.load(data / "faces" / "annotations.npz") as archive:
        arrays = change(dict(archive))
    np.savez(tmp_path / "changed" / "faces" / "annotations.npz", **arrays)
    pack_crops(tmp_path / "changed", parts)
    cached, before = load_crops(parts, (CHOICE,)), load_crops(data, (CHOICE,))
    assert equal(cached, load_crops(tmp_path / "changed", (CHOICE,)))
    assert cached.digest != before.digest, "a run that was begun before does not go on with them"


def test_a_pack_without_flags_has_the_digest_that_it_had_ever(data, tmp_path):
    shutil.copytree(data / "faces", tmp_path / "plain" / "faces")
    file = tmp_path / "plain" / "faces" / "annotations.npz"
    with np.load(file) as archive:
        image, landmarks = archive["image"], archive["landmarks"].astype(np.float32)
    np.savez(file, image=image, landmarks=landmarks)
    digest = hashlib.sha256(b"faces")
    for name, points in zip(image, landmarks, strict=True):
        picture = file.parent / str(name)
        digest.update(f"{picture.name} {picture.stat().st_size}".encode() + points.tobytes())
    assert load_crops(tmp_path / "plain", (CHOICE,)).digest == hashlib.sha256(digest.hexdigest().encode()).hexdigest()


def test_labelled_parts_become_parts_of_the_cache(data, tmp_path, in_recipes, monkeypatch):
    large = tmp_path / "data" / "faces"
    for name in ("a", "b"):
        shutil.copytree(data / "faces", large / name)
    with np.load(data / "faces" / "annotations.npz") as archive:
        empty = {name: array[:0] for name, array in archive.items()}
    (large / "c").mkdir()
    np.savez(large / "c" / "annotations.npz", **empty)
    (large / "parts.json").write_text('["b", "c", "a"]')
    (written,) = pack_crops(tmp_path / "data", tmp_path / "cache")
    assert written.faces == 48
    cached, plain = load_crops(tmp_path / "cache", (CHOICE,)), load_crops(tmp_path / "data", (CHOICE,))
    assert equal(cached, plain)
    assert cached.names == plain.names
    assert cached.names[0] == "faces/b/images/0.png"


def test_processes_cut_the_same_faces(data, parts, tmp_path):
    pack_crops(data, tmp_path / "two", workers=2)
    assert [file.name for file in part_files(tmp_path / "two")] == [file.name for file in part_files(parts)]
    assert equal(load_crops(tmp_path / "two", (CHOICE,)), load_crops(parts, (CHOICE,)))


@pytest.mark.parametrize("text", ["[]", "{}", "[3]", '["../faces"]', '["faces'])
def test_fault_65_a_damaged_list_of_parts_is_refused(parts, text):
    (parts / "faces.whole.landmarks.json").write_text(text)
    with pytest.raises(PackError, match="The list .*faces.whole.landmarks.json of a crop cache cannot be read"):
        load_crops(parts, (CHOICE,))


def test_fault_65_a_part_that_is_missing_or_cut_short_is_named(parts):
    *_, third = part_files(parts)
    third.write_bytes(third.read_bytes()[:-1])
    with pytest.raises(PackError, match="part-.*cannot be read.*cut off.*understudy data pack"):
        load_crops(parts, (CHOICE,))
    third.unlink()
    with pytest.raises(PackError, match="part-.*cannot be read.*No such file.*understudy data pack"):
        load_crops(parts, (CHOICE,))


def test_fault_66_a_file_that_is_cut_short_during_a_training_gives_a_sentence(parts):
    loaded = load_crops(parts, (CHOICE,))
    for file in part_files(parts):
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(PackError, match="any more .it is not the file that it was.*start the same command again"):
        loaded.faces.select(torch.arange(24))
    for file in part_files(parts):
        file.unlink()
    with pytest.raises(PackError, match="cannot be read any more .No such file"):
        loaded.faces.select(torch.arange(1))


def test_packing_again_during_a_training_gives_no_face_the_labels_of_another(data, cache, tmp_path):
    loaded, path = load_crops(cache, (CHOICE,)), cache_path(cache, CHOICE)
    first = loaded.faces.select(torch.arange(3)).images
    folder = shutil.copytree(data, tmp_path / "data") / "faces"
    with np.load(folder / "annotations.npz") as arrays:
        rewrite(folder, **{name: array[::-1] for name, array in arrays.items()})
    moment = path.stat().st_mtime_ns
    pack_crops(tmp_path / "data", cache)
    os.utime(path, ns=(moment + 1, moment + 1))  # however coarse the disk's clock is
    with pytest.raises(PackError, match="it is not the file that it was"):
        loaded.faces.select(torch.arange(3))
    assert torch.equal(load_crops(cache, (CHOICE,)).faces.images[torch.tensor([23, 22, 21])], first)


def test_pictures_of_another_type_or_shape_are_refused(cache):
    path = cache_path(cache, CHOICE)
    with safe_open(path, "pt") as file:
        tensors, metadata = {name: file.get_tensor(name).clone() for name in file.keys()}, file.metadata()  # noqa: SIM118
    for images in (tensors["images"].float(), tensors["images"][:-1]):
        save_file({**tensors, "images": images.contiguous()}, path, metadata)
        with pytest.raises(PackError, match="damaged .its pictures are"):
            load_crops(cache, (CHOICE,))


def test_other_sizes_in_parts_are_known(data, cache, in_parts):
    pack_crops(data, cache, size=222)
    assert crop_cache.cached_sizes(cache, CHOICE) == [192, 222]


def test_more_faces_than_can_be_drawn_from_are_refused(cache, monkeypatch):
    monkeypatch.setattr(crops, "MOST_FACES", 23)
    with pytest.raises(PackError, match="24 faces are too many .* at most 23.*another stage"):
        load_crops(cache, (CHOICE,))


def test_a_training_needs_far_less_memory_than_its_faces_take():
    command = [sys.executable, "-m", "tests.measure.training_memory", "--faces", "600", "--part", "6", "--json", "-"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    grown = json.loads(done.stdout)
    assert grown["cache"] > 60
    assert grown["pack"] < 40, "a few parts"
    assert grown["load"] + grown["split"] < 20
    assert grown["draw"] < 20
