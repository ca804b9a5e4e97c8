"""`understudy data import` as a user types it: what it reports, and a sentence for every mistake."""

import errno
import json
import os
import shutil

import numpy as np
import pytest

from app.cli.data import KINDS
from app.cli.main import build_parser, main
from engine.formats.landmark_writers import pts_text
from engine.formats.packs import read_pack
from tests.app.cli.commands import run
from tests.fakes import official_sets

MAKERS = {
    "300w": official_sets.make_300w,
    "wflw": official_sets.make_wflw,
    "cofw": official_sets.make_cofw,
    "cofw68": official_sets.make_cofw68,
    "own": official_sets.make_300w,  # its layout is one of .pts files beside pictures, too
}


def leftovers(tmp_path):
    """Names of what an import left beside the data set."""
    return sorted(path.name for path in tmp_path.iterdir() if path.name != "root")


def test_the_kinds_are_those_that_the_trainer_reads():
    from trainer.data.importing.importer import READERS

    assert tuple(READERS) == KINDS == tuple(MAKERS)


def test_help_names_the_kinds(capsys):
    with pytest.raises(SystemExit) as stop:
        build_parser().parse_args(["data", "import", "--help"])
    assert stop.value.code == 0
    assert "300w, wflw, cofw, cofw68" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("kind", KINDS)
def test_a_data_set_becomes_a_pack_that_can_be_read(capsys, tmp_path, kind):
    MAKERS[kind](tmp_path / "root")
    code, out, err = run(capsys, "data", "import", kind, tmp_path / "root", "--out", tmp_path / "pack")
    assert code == 0, err
    faces = read_pack(tmp_path / "pack").faces
    assert f"holds {len(faces)} faces" in out
    assert ("The complete data set has" in out) == (kind != "own")  # the small ones are not complete
    assert leftovers(tmp_path) == ["pack"]


def test_the_report_as_json(capsys, tmp_path):
    official_sets.make_300w(tmp_path / "root")
    out_folder = tmp_path / "pack"
    code, out, _ = run(capsys, "data", "import", "300w", tmp_path / "root", "--out", out_folder, "--json", "-")
    assert code == 0
    assert json.loads(out) == {
        "pack": str(out_folder),
        "title": "300-W",
        "faces": 12,
        "pictures": 12,
        "parts": {"train": 6, "common": 4, "challenging": 2},
        "official": {"train": 3148, "common": 554, "challenging": 135},
    }


def test_what_is_in_the_place_of_the_pack_stays_as_it_is(capsys, tmp_path):
    official_sets.make_wflw(tmp_path / "root")
    command = ("data", "import", "wflw", tmp_path / "root", "--out", tmp_path / "pack")
    assert run(capsys, *command)[0] == 0
    before = (tmp_path / "pack" / "annotations.npz").read_bytes()
    code, _, err = run(capsys, *command)
    assert code == 1
    assert "already exists" in err
    assert (tmp_path / "pack" / "annotations.npz").read_bytes() == before


@pytest.mark.parametrize(
    ("failure", "code"), [(KeyboardInterrupt(), 130), (OSError(errno.ENOSPC, "No space left on device"), 1)]
)
def test_an_import_that_stops_leaves_nothing_and_can_be_run_again(capsys, tmp_path, monkeypatch, failure, code):
    official_sets.make_300w(tmp_path / "root")
    command = ("data", "import", "300w", tmp_path / "root", "--out", tmp_path / "pack")
    copy, copied = shutil.copyfile, []

    def stops_at_the_fifth(source, target):
        copied.append(target)
        if len(copied) == 5:
            raise failure
        return copy(source, target)

    monkeypatch.setattr(shutil, "copyfile", stops_at_the_fifth)
    assert run(capsys, *command)[0] == code
    assert leftovers(tmp_path) == []
    monkeypatch.undo()
    assert run(capsys, *command)[0] == 0
    assert len(read_pack(tmp_path / "pack").faces) == 12


def test_an_import_that_was_killed_leaves_no_pack_and_is_no_obstacle(capsys, tmp_path):
    official_sets.make_300w(tmp_path / "root")
    left = tmp_path / ".pack.00000000-1-00000000.part"
    (left / "images").mkdir(parents=True)
    (left / "images" / "afw_image_0000.jpg").write_bytes(b"half a pict")
    os.utime(left, (0, 0))
    assert run(capsys, "data", "import", "300w", tmp_path / "root", "--out", tmp_path / "pack")[0] == 0
    assert leftovers(tmp_path) == ["pack"]


@pytest.mark.parametrize("shift", [-8, 8])
def test_landmarks_slightly_off_the_picture_are_kept(capsys, tmp_path, shift):
    made = official_sets.make_300w(tmp_path / "root")
    points = made["ibug/image_0001.jpg"] + (np.sign(shift) * 15 + shift, 0)
    (tmp_path / "root" / "ibug" / "image_0001.pts").write_text(pts_text(points), encoding="utf-8")
    assert run(capsys, "data", "import", "300w", tmp_path / "root", "--out", tmp_path / "pack")[0] == 0
    found = read_pack(tmp_path / "pack").faces[-1].landmarks
    np.testing.assert_allclose(found, points, atol=1e-3)
    assert (found.min() < -1) or (found[:, 0].max() > official_sets.WIDTH)


def text_of(path, change):
    """Change the text of a file."""

    def damage(root):
        (root / path).write_text(change((root / path).read_text(encoding="utf-8")), encoding="utf-8")

    return damage


def pts_of(change):
    """Change the landmarks of a face of 300-W."""

    def damage(root):
        points = change(official_sets.landmarks(68, 3))
        (root / "helen/trainset/image_0001.pts").write_text(pts_text(points), encoding="utf-8")

    return damage


def gone(path):
    def damage(root):
        (root / path).unlink()

    return damage


def cut_off(path, share):
    def damage(root):
        content = (root / path).read_bytes()
        (root / path).write_bytes(content[: int(share * len(content))])

    return damage


def emptied(root):
    for file in (root / "lfpw/testset").glob("*"):
        file.unlink()


def without_faces(root):
    official_sets.write_cofw_mat(root / "COFW_test.mat", "T", [], np.zeros((0, 87)), np.zeros((0, 4)))


def too_few_labels(root):
    pictures = [np.zeros((9, 9), np.uint8)] * 3
    official_sets.write_cofw_mat(root / "COFW_test.mat", "T", pictures, np.zeros((3, 58)), np.zeros((3, 4)))


def no_picture_inside(root):
    pictures = [np.zeros((9, 9, 2), np.uint8)]
    official_sets.write_cofw_mat(root / "COFW_test.mat", "T", pictures, np.ones((1, 87)), np.ones((1, 4)))


def training_half_in_its_place(root):
    (root / "COFW_test.mat").write_bytes((root / "COFW_train.mat").read_bytes())


def shifted(amount):
    return pts_of(lambda points: points + (amount, 0))


def second_line(change):
    def changed(text):
        lines = text.split("\n")
        lines[1] = change(lines[1])
        return "\n".join(lines)

    return text_of(official_sets.LIST_WFLW.format("train"), changed)


def nothing(root):
    pass


def moved_inside(root):
    root.rename(root.parent / "WFLW")
    root.mkdir()
    (root.parent / "WFLW").rename(root / "WFLW")


# Kind of the tree, kind asked for, the damage, and what the sentence must say.
MISTAKES = {
    "a folder is missing": ("300w", "300w", lambda root: shutil.rmtree(root / "ibug"), ["not found: ibug"]),
    "no data set at all": ("300w", "300w", lambda root: shutil.rmtree(root), ["There is no folder"]),
    "empty root": ("300w", "cofw", lambda root: [shutil.rmtree(path) for path in root.iterdir()], ["COFW_train.mat"]),
    "300-W taken for WFLW": ("300w", "wflw", nothing, ["looks like 300-W", "kind 300w"]),
    "WFLW taken for 300-W": ("wflw", "300w", nothing, ["looks like WFLW", "kind wflw"]),
    "COFW taken for COFW-68": ("cofw", "cofw68", nothing, ["looks like COFW", "kind cofw"]),
    "COFW-68 taken for COFW": ("cofw68", "cofw", nothing, ["looks like COFW-68", "kind cofw68"]),
    "one folder too high": ("wflw", "wflw", moved_inside, ["Its folder WFLW does"]),
    "67 points": ("300w", "300w", pts_of(lambda points: points[:67]), ["helen/trainset/image_0001.pts", "67 points"]),
    "text instead of numbers": (
        "300w",
        "300w",
        text_of("afw/image_0000.pts", lambda text: text.replace("21.000 13.000", "left eye")),
        ["Point 1 of", "afw/image_0000.pts", "“left eye”"],
    ),
    "a missing picture of 300-W": ("300w", "300w", gone("lfpw/testset/image_0001.png"), ["image_0001.pts is missing"]),
    "a damaged picture": ("300w", "300w", cut_off("ibug/image_0001.jpg", 0.01), ["ibug/image_0001.jpg"]),
    "an empty folder": ("300w", "300w", emptied, ["no labelled face", "lfpw/testset"]),
    "landmarks far off the picture": (
        "300w",
        "300w",
        shifted(200),
        ["helen/trainset/image_0001.pts", "outside its picture helen/trainset/image_0001.jpg"],
    ),
    "landmarks far off to the left": ("300w", "300w", shifted(-200), ["outside its picture"]),
    "a short line": ("wflw", "wflw", second_line(lambda line: line.split(" ", 1)[1]), ["Line 2 of", "206 numbers"]),
    "a word in a line": ("wflw", "wflw", second_line(lambda line: f"x{line}"), ["Line 2 of"]),
    "a third kind of attribute": (
        "wflw",
        "wflw",
        second_line(lambda line: line.replace(" 1 0 1 0 0 0 ", " 1 0 2 0 0 0 ")),
        ["Line 2 of"],
    ),
    "a picture elsewhere": (
        "wflw",
        "wflw",
        second_line(lambda line: line.replace("0--Parade", "../..")),
        ["names the picture ../../a.png"],
    ),
    "a missing picture of WFLW": ("wflw", "wflw", gone("WFLW_images/b.png"), ["b.png is missing", "2 faces"]),
    "an empty list": ("wflw", "wflw", text_of(official_sets.LIST_WFLW.format("test"), lambda text: ""), ["_test.txt"]),
    "a truncated .mat": ("cofw", "cofw", cut_off("COFW_test.mat", 0.6), ["COFW_test.mat cannot be read"]),
    "an empty .mat": ("cofw", "cofw", cut_off("COFW_train.mat", 0), ["COFW_train.mat cannot be read"]),
    "a .mat without faces": ("cofw", "cofw", without_faces, ["no labelled face", "COFW_test.mat"]),
    "a .mat with other labels": ("cofw", "cofw", too_few_labels, ["phisT", "(3, 58)", "3 rows of 87"]),
    "a .mat with two colours": ("cofw", "cofw", no_picture_inside, ["Picture 1 of", "(9, 9, 2)"]),
    "the same half twice": ("cofw", "cofw", training_half_in_its_place, ["lacks the field IsT"]),
    "a missing annotation": ("cofw68", "cofw68", gone("COFW68_Data/test_annotations/2_points.mat"), ["1 are missing"]),
    "a truncated annotation": (
        "cofw68",
        "cofw68",
        cut_off("COFW68_Data/test_annotations/3_points.mat", 0.5),
        ["3_points.mat cannot be read"],
    ),
}


@pytest.mark.parametrize(("tree", "kind", "damage", "said"), MISTAKES.values(), ids=MISTAKES.keys())
def test_fault_65_mistakes_get_a_sentence_and_leave_nothing(capsys, tmp_path, tree, kind, damage, said):
    root = tmp_path / "root"
    MAKERS[tree](root)
    damage(root)
    code, _, err = run(capsys, "data", "import", kind, root, "--out", tmp_path / "pack")
    assert code == 1, err
    assert "Likely cause: " in err
    assert "What to do: " in err
    assert "Traceback" not in err
    assert all(text in err for text in said), err
    assert leftovers(tmp_path) == []


def test_an_unknown_kind_exits_with_2(capsys, tmp_path):
    with pytest.raises(SystemExit) as stop:
        main(["data", "import", "aflw", str(tmp_path), "--out", str(tmp_path / "pack")])
    assert stop.value.code == 2
    assert "300w" in capsys.readouterr().err


def test_missing_packages_are_named_before_anything_is_done(capsys, tmp_path, monkeypatch):
    from app import trainer_setup

    monkeypatch.setattr(trainer_setup.importlib.util, "find_spec", lambda name: None)
    code, _, err = run(capsys, "data", "import", "cofw", tmp_path, "--out", tmp_path / "pack")
    assert code == 1
    assert "h5py, scipy" in err
    assert "What to do: Run “" in err
