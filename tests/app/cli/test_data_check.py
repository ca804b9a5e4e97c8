"""`understudy data check`, `label` and `pack` as a user types them."""

import json

import numpy as np
import pytest

from app.cli.data import CROP_SIZE
from app.cli.main import main
from engine.core.schemes import IBUG_68, eye_centres
from engine.formats.images import read_picture, write_picture
from engine.formats.packs import read_pack
from engine.sources.sample import SampleClip
from tests.app.cli import commands
from trainer.data.crop_cache import USUAL_SIZE
from trainer.data.label_parts import LARGEST_SPREAD
from trainer.data.labelling import LARGEST_DISAGREEMENT


@pytest.fixture(scope="module")
def frames():
    """Six frames of the sample, RGB, with their points."""
    clip = SampleClip()
    return [(image, truth.points) for image, truth in (clip.frame(number) for number in range(0, 360, 60))]


@pytest.fixture
def pack(tmp_path, frames):
    """The frames as a pack without splits; `points` changes their landmarks."""

    def write(points=lambda points: points, **arrays):
        folder = tmp_path / "data öß" / "frames"
        names = [f"images/{index}.png" for index in range(len(frames))]
        for name, (image, _) in zip(names, frames, strict=True):
            write_picture(folder / name, image)
        landmarks = np.stack([points(truth) for _, truth in frames]).astype(np.float32)
        np.savez(folder / "annotations.npz", image=np.array(names), landmarks=landmarks, **arrays)
        return folder

    return write


def five_points(points):
    return np.stack([*eye_centres(IBUG_68, points), points[30], points[48], points[54]])


def run(capsys, *arguments):
    """Run `understudy data`; return its exit code, its output and its errors."""
    return commands.run(capsys, "data", *arguments)


def test_a_sound_pack_is_called_so_and_drawn(capsys, pack, tmp_path):
    sheet = tmp_path / "sheet.png"
    code, out, _ = run(capsys, "check", pack(), "--sheet", sheet)
    assert code == 0
    assert "6 faces in 6 pictures" in out
    assert out.endswith("Nothing is wrong.\n")
    height, width = read_picture(sheet).shape[:2]
    assert width > 1000
    assert height > 150


def test_doubts_are_reported_and_do_not_fail(capsys, pack):
    code, out, _ = run(capsys, "check", pack(five_points, split=np.array(["train"] * 6)))
    assert code == 0
    assert "doubtful    5 points a face are no markup to train on" in out
    assert "Nothing is wrong; look at what is doubtful." in out


def test_what_is_wrong_fails_and_is_named(capsys, pack, tmp_path):
    folder = pack(split=np.array(["train"] * 3 + ["test"] * 3), identity=np.array(list("abccde")))
    (folder / "images" / "4.png").unlink()
    code, out, _ = run(capsys, "check", folder, "--json", tmp_path / "check.json")
    assert code == 1
    assert "WRONG       Faces whose picture is missing: 1, the first is images/4.png." in out
    assert "A training would suffer" in out
    report = json.loads((tmp_path / "check.json").read_text(encoding="utf-8"))
    assert report["sound"] is False
    assert {finding["label"]: finding["images"] for finding in report["findings"] if finding["error"]} == {
        "picture missing": ["images/4.png"],
        "identity in train and test": ["images/2.png", "images/3.png"],
    }


def test_what_is_no_pack_gets_a_sentence(capsys, tmp_path):
    code, _, err = run(capsys, "check", tmp_path)
    assert code == 1
    assert "is not a pack" in err
    assert "What to do:" in err


def test_a_sheet_that_cannot_be_written_is_reported(capsys, pack, tmp_path):
    code, _, err = run(capsys, "check", pack(), "--sheet", tmp_path / "sheet.nothing")
    assert code == 1
    assert "cannot be written" in err


def test_five_points_become_a_pack_that_training_reads(capsys, pack, tmp_path, frames):
    out = tmp_path / "labelled"
    code, text, _ = run(capsys, "label", pack(five_points), "--out", out, "--json", tmp_path / "label.json")
    assert code == 0
    assert "6 of 6 faces, landmarks by student-68" in text
    report = json.loads((tmp_path / "label.json").read_text(encoding="utf-8"))
    assert (report["kept"], report["largest_disagreement"]) == (6, 10.0)
    for face, (_, truth) in zip(read_pack(out, split="train").faces, frames, strict=True):
        eyes = np.linalg.norm(truth[36] - truth[45])
        assert np.linalg.norm(face.landmarks - truth, axis=1).mean() < 0.06 * eyes
    code, _, err = run(capsys, "label", pack(five_points), "--out", out)
    assert code == 1
    assert "already exists" in err


@pytest.mark.parametrize("limit", ["0", "-3", "nan", "inf", "much"])
def test_limits_that_make_no_sense_exit_with_2(capsys, tmp_path, limit):
    with pytest.raises(SystemExit) as stop:
        main(["data", "label", str(tmp_path), "--out", "x", "--largest-disagreement", limit])
    assert stop.value.code == 2
    capsys.readouterr()


def test_packs_become_crops_to_train_on(capsys, pack, tmp_path):
    folder = pack(split=np.array(["train"] * 4 + ["test"] * 2)).parent
    out = tmp_path / "crops"
    code, text, _ = run(capsys, "pack", "frames", "--data", folder, "--out", out, "--json", tmp_path / "pack.json")
    assert code == 0
    assert "frames.train.landmarks.safetensors  4" in text
    (file,) = json.loads((tmp_path / "pack.json").read_text(encoding="utf-8"))["files"]
    assert (file["faces"], file["file"]) == (4, str(out / "frames.train.landmarks.safetensors"))
    for name, said in (("nowhere", "There is no folder of packs"), ("empty", "No pack of a recipe stands in")):
        (tmp_path / "empty").mkdir(exist_ok=True)
        code, _, err = run(capsys, "pack", "--data", tmp_path / name, "--out", out)
        assert code == 1
        assert said in err


def test_crops_for_larger_inputs_lie_beside_the_usual_ones(capsys, pack, tmp_path):
    folder = pack(split=np.array(["train"] * 4 + ["test"] * 2)).parent
    code, text, _ = run(capsys, "pack", "frames", "--data", folder, "--out", tmp_path / "crops", "--crop-size", 222)
    assert code == 0
    assert "frames.train.landmarks.222.safetensors  4" in text
    for size in ("191", "1025", "x"):
        with pytest.raises(SystemExit) as stop:
            run(capsys, "pack", "frames", "--data", folder, "--out", tmp_path / "crops", "--crop-size", size)
        assert stop.value.code == 2
    assert "whole number from 192 to 1024" in capsys.readouterr().err


def test_the_help_names_the_limits_of_the_trainer(capsys):
    with pytest.raises(SystemExit):
        main(["data", "label", "--help"])
    printed = " ".join(capsys.readouterr().out.split())
    assert f"of the eye distance, above which a face is left out (default: {LARGEST_DISAGREEMENT:g})" in printed
    assert f"landmark box's area, above which a face is left out (default: {LARGEST_SPREAD:g})" in printed


def test_the_usual_crops_are_those_of_the_trainer():
    assert CROP_SIZE == USUAL_SIZE
