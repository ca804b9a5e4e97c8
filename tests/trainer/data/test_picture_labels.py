"""Labels of any pictures: found by the detector, mean of two views, in parts that are whole or not there."""

import json
import os
import shutil
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from engine.core.errors import ModelError, PackError, RecordingError, SourceError, UsageError
from engine.core.schemes import IBUG_68
from engine.formats.images import read_picture, write_picture
from engine.formats.packs import part_folders, read_arrays, read_pack
from tests.conftest import ROOT
from tests.fakes.models import FAKE_CARD, FakeDetector, FakeLandmarker, FakeScene, face_points
from trainer.data import label_parts, picture_labels, pseudo_labels
from trainer.data.label_parts import LabelSettings, Part, label_part
from trainer.data.picture_labels import PARTS, UNREADABLE, label_pictures
from trainer.data.processes import in_order
from trainer.data.pseudo_labels import PseudoLabel

SETTINGS = LabelSettings(largest_spread=3.0)
FACES = ((60, 70, 40, 0.1), (150, 80, 30, 0.0))
HERE = partial(in_order, workers=1)


@pytest.fixture
def models(monkeypatch):
    """Two faces in every picture but the grey ones, by fakes; their landmarker, which may be spoilt."""
    scene = FakeScene(*FACES)
    landmarker, detector = FakeLandmarker(scene), FakeDetector(scene)
    monkeypatch.setattr(label_parts, "_models", lambda path: (landmarker, detector))
    monkeypatch.setattr(picture_labels, "read_card", lambda path: FAKE_CARD)
    monkeypatch.setattr(picture_labels, "read_model", lambda path, card: b"")
    # The fake sees the scene, not the pixels: in a mirrored picture it is to see the mirrored scene.
    monkeypatch.setattr(pseudo_labels, "label_of", lambda model, picture, mirrored, crop: _label(model, picture, crop))
    detect = detector.detect
    detector.detect = lambda picture: [] if picture.max() == picture.min() == 128 else detect(picture)
    return landmarker


def _label(model, picture, crop):
    found = model.predict(picture, crop)
    return PseudoLabel(found.points, found.confidence, float(crop.side > 45) * 5)


@pytest.fixture
def pictures(tmp_path):
    """A tree of pictures: three with faces, one without, one that is none."""
    folder = tmp_path / "pictures öß"
    for name, grey in (("a.png", 90), ("b.png", 128), ("sub/a.png", 91), ("sub/deep/c ü.png", 92)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_picture(folder / name, np.full((160, 200, 3), grey, np.uint8))
    (folder / "sub" / "broken.jpg").write_bytes(b"no picture")
    (folder / "sub" / "notes.txt").write_text("not a picture")
    return folder


def label(pictures, out, settings=SETTINGS, size=2, runner=HERE):
    return label_pictures(pictures, ROOT / "model.tflite", out, settings, size, runner)


def test_pictures_become_a_pack_of_parts_that_reads_as_one(models, pictures, tmp_path):
    done = label(pictures, tmp_path / "out", LabelSettings(10.0))
    assert (done.pictures, done.faces, done.kept, done.uncertain) == (5, 6, 6, 0)
    assert (done.without_face, done.unreadable, done.parts, done.parts_made) == (1, 1, 3, 3)
    pack = read_pack(tmp_path / "out", split="train")
    assert (pack.scheme, len(pack.faces)) == (IBUG_68, 6)
    assert np.allclose(pack.faces[0].landmarks, face_points(*FACES[0]), atol=1e-3)
    names = ["/".join(face.image.relative_to(pack.folder).parts[1:]) for face in pack.faces]
    assert names[::2] == names[1::2] == ["images/a.png", "images/sub/a.png", "images/sub/deep/c ü.png"]
    assert all(face.image.read_bytes().startswith(b"\x89PNG") for face in pack.faces)
    arrays = read_arrays(tmp_path / "out")
    assert arrays["confidence"].shape == (6, 68)
    assert arrays["bbox"].shape == (6, 4)
    assert json.loads((tmp_path / "out" / "meta.json").read_text())["model"]["name"] == "fake"
    assert "broken.jpg is no readable picture (it is empty" in (tmp_path / "out" / UNREADABLE).read_text(
        encoding="utf-8"
    )


def test_faces_whose_views_differ_are_left_out(models, pictures, tmp_path):
    done = label(pictures, tmp_path / "out")
    assert (done.faces, done.kept, done.uncertain) == (6, 3, 3)
    assert (read_arrays(tmp_path / "out")["spread"] <= 3).all()


def test_a_second_start_makes_what_is_missing_and_nothing_else(models, pictures, tmp_path, monkeypatch):
    out = tmp_path / "out"
    first = label(pictures, out)
    parts = part_folders(out)
    before = {part: (part / "annotations.npz").stat().st_mtime_ns for part in parts}
    shutil.rmtree(parts[1])
    write_picture(pictures / "new.png", np.full((160, 200, 3), 93, np.uint8))
    asked = []
    monkeypatch.setattr(label_parts, "read_picture", lambda path: asked.append(path.name) or read_picture(path))
    second = label(pictures, out)
    assert sorted(asked) == ["a.png", "broken.jpg", "new.png"]
    assert (second.parts_made, second.pictures, second.kept) == (2, 6, first.kept + 1)
    assert all((part / "annotations.npz").stat().st_mtime_ns == before[part] for part in (parts[0], parts[2]))


@pytest.mark.parametrize("size", [1, 2, 9], ids=["a part of its own", "beside others", "one part of all"])
def test_a_picture_that_was_repaired_is_labelled_and_the_others_are_not_again(
    models, pictures, tmp_path, monkeypatch, size
):
    out = tmp_path / "out"
    first = label(pictures, out, size=size)
    shutil.copyfile(pictures / "a.png", pictures / "sub" / "broken.jpg")
    asked = []
    monkeypatch.setattr(label_parts, "read_picture", lambda path: asked.append(path.name) or read_picture(path))
    second = label(pictures, out, size=size)
    assert set(asked) == {"broken.jpg"}
    assert (second.pictures, second.unreadable, second.kept) == (first.pictures, 0, first.kept + 1)
    assert (out / UNREADABLE).read_text(encoding="utf-8").splitlines() == ["picture,reason"]
    assert label(pictures, out, size=size) == replace(second, parts_made=0)


@pytest.mark.parametrize(
    "damage",
    [
        lambda part: (part / "annotations.npz").write_bytes((part / "annotations.npz").read_bytes()[:300]),
        lambda part: (part / "images" / "a.png").write_bytes(b"\x89PNG cut off"),
        lambda part: (part / "images" / "a.png").unlink(),
        lambda part: (part / "pictures.json").write_text('{"by": 3'),
        lambda part: (part / "pictures.json").write_text("[]"),
        lambda part: (part / "pictures.json").unlink(),
    ],
)
def test_fault_65_a_damaged_part_is_made_again(models, pictures, tmp_path, damage):
    whole = label(pictures, tmp_path / "out")
    expected = read_arrays(tmp_path / "out")
    damage(part_folders(tmp_path / "out")[0])
    again = label(pictures, tmp_path / "out")
    assert again == replace(whole, parts_made=1)
    found = read_arrays(tmp_path / "out")
    assert all((found[name] == expected[name]).all() for name in expected)


def test_labels_of_another_model_or_with_other_settings_are_not_mixed(models, pictures, tmp_path, monkeypatch):
    out = tmp_path / "out"
    label(pictures, out)
    with pytest.raises(PackError, match="made otherwise: largest_spread 3.0, now 4.0.*another --out.*train --pictures"):
        label(pictures, out, LabelSettings(4.0))
    with pytest.raises(PackError, match="made otherwise: source"):
        label(pictures / "sub", out)
    monkeypatch.setattr(picture_labels, "read_card", lambda path: replace(FAKE_CARD, name="other", sha256="1"))
    with pytest.raises(PackError, match="made otherwise: model fake, now other, sha256"):
        label(pictures, out)
    # A part of another pack between its own.
    label(pictures, tmp_path / "others")
    foreign = part_folders(tmp_path / "others")[0]
    shutil.copytree(foreign, out / "part-foreign")
    monkeypatch.setattr(picture_labels, "read_card", lambda path: FAKE_CARD)
    with pytest.raises(PackError, match="labels in .*part-foreign were made otherwise: model other, now fake"):
        label(pictures, out)
    assert len(part_folders(tmp_path / "others")) == 3


def test_a_start_that_made_nothing_decides_nothing(models, pictures, tmp_path):
    models.spoil = lambda found: replace(found, points=found.points * np.nan)
    with pytest.raises(ModelError):
        label(pictures, tmp_path / "out")
    models.spoil = None
    assert label(pictures, tmp_path / "out", LabelSettings(4.0)).kept == 3


def test_a_folder_that_holds_something_else_is_left_alone(models, pictures, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(PackError, match="already exists"):
        label(pictures, tmp_path / "mine")
    assert [file.name for file in (tmp_path / "mine").iterdir()] == ["letter.txt"]


def test_a_full_disk_loses_no_part_that_was_made(models, pictures, tmp_path, monkeypatch):
    copy, copied = shutil.copyfile, []

    def full(source, target):
        copied.append(source)
        if len(copied) == 2:
            target.write_bytes(b"half")
            raise OSError(28, "No space left on device")
        return copy(source, target)

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(RecordingError, match="No space left.*Make room"):
        label(pictures, tmp_path / "out")
    parts = [path.name for path in (tmp_path / "out").iterdir() if path.is_dir()]
    assert len(parts) == 1
    assert not (tmp_path / "out" / PARTS).exists(), "it is no pack yet"
    monkeypatch.undo()


def test_what_a_killed_start_left_half_done_is_removed(models, pictures, tmp_path):
    half = tmp_path / "out" / ".part-1.00000000-1-00000000.part"
    label(pictures, tmp_path / "out")
    half.mkdir()
    os.utime(half, (0, 0))
    label(pictures, tmp_path / "out")
    assert not half.exists()


def test_what_a_killed_process_left_is_removed_at_once(models, pictures, tmp_path):
    def killed(work, parts):
        yield from HERE(work, parts[:1])
        half = tmp_path / "out" / ".part-1.00000000-1-00000000.part"
        half.mkdir()
        os.utime(half, (0, 0))
        raise UsageError("One of the worker processes was killed", "", "")

    with pytest.raises(UsageError):
        label(pictures, tmp_path / "out", runner=killed)
    assert not list((tmp_path / "out").glob(".part*"))
    assert len(list((tmp_path / "out").glob("part-*"))) == 1


def test_pictures_without_a_face_are_reported(models, tmp_path):
    folder = tmp_path / "grey"
    folder.mkdir()
    write_picture(folder / "a.png", np.full((160, 200, 3), 128, np.uint8))
    with pytest.raises(PackError, match="No face of 1 pictures is left. 0 cannot be read, in 1 there is no face"):
        label(folder, tmp_path / "out")
    assert not (tmp_path / "out" / PARTS).exists()


def test_a_broken_model_is_reported(models, pictures, tmp_path):
    models.spoil = lambda found: replace(found, points=found.points * np.nan)
    with pytest.raises(ModelError, match="not finite"):
        label(pictures, tmp_path / "out")


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda path: None, "no file or folder .*It was moved"),
        (lambda path: path.mkdir(), "no picture in .*No file in it"),
        (lambda path: path.write_text("# nothing\n\n"), "no picture in .*path of a picture in each line"),
        (lambda path: path.write_bytes(b"\x00\xff\xfe\x81 model"), "list .* cannot be read|no picture in"),
    ],
)
def test_fault_65_sources_without_pictures_get_a_sentence(models, tmp_path, make, match):
    make(tmp_path / "source")
    with pytest.raises((SourceError, PackError), match=match):
        label(tmp_path / "source", tmp_path / "out")
    assert not (tmp_path / "out" / PARTS).exists()


def test_a_part_that_another_machine_made_meanwhile_stays(models, pictures, tmp_path):
    label(pictures, tmp_path / "out")
    (folder, *_) = part_folders(tmp_path / "out")
    known = json.loads((folder / "pictures.json").read_text())
    part = Part(
        folder, tuple((name, pictures / name.removeprefix("images/")) for name in known["pictures"]), ROOT, SETTINGS, {}
    )
    before = (folder / "pictures.json").stat().st_mtime_ns
    assert label_part(part) == 2
    assert (folder / "pictures.json").stat().st_mtime_ns == before
    assert not list((tmp_path / "out").glob(".part*"))


def test_labels_that_another_process_began_meanwhile_are_not_mixed(models, pictures, tmp_path):
    other = LabelSettings(largest_spread=10.0)
    outcomes = []

    def beside(work, parts):
        outcomes.append(label(pictures, tmp_path / "out", other))
        yield from HERE(work, parts)

    with pytest.raises(PackError, match=r"made otherwise: .*10\.0, now 3\.0"):
        label(pictures, tmp_path / "out", SETTINGS, runner=beside)
    assert len(read_pack(tmp_path / "out").faces) == outcomes[0].kept == 6
