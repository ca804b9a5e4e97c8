"""`understudy data derive98` as a user types it."""

import json

import numpy as np
import pytest

from app.cli.main import build_parser, main
from engine.core.schemes import WFLW_98
from engine.formats.images import write_picture
from engine.formats.packs import read_pack
from tests.fakes.faces98 import namesakes, shapes_98


@pytest.fixture
def files(tmp_path):
    """A pack of four faces with 68 points, proposals for three of them, and shapes; by their names."""
    truths = shapes_98(4, seed=9)
    folder = tmp_path / "pack öß"
    names = [f"images/{index}.png" for index in range(4)]
    for name in names:
        write_picture(folder / name, np.full((300, 300, 3), 90, np.uint8))
    np.savez(
        folder / "annotations.npz",
        image=np.array(names),
        landmarks=namesakes(truths).astype(np.float32),
        split=np.full(4, "train"),
    )
    np.savez(tmp_path / "tool.npz", image=np.array(names[:3]), landmarks=truths[:3])
    np.savez(tmp_path / "shapes.npz", landmarks=shapes_98())
    return {"pack": folder, "proposal": tmp_path / "tool.npz", "shapes": tmp_path / "shapes.npz"}


def run(capsys, files, out, *more):
    """Run the command; return its exit code, its output and its errors."""
    arguments = [files["pack"], "--proposal", files["proposal"], "--shapes", files["shapes"], "--out", out, *more]
    code = main(["data", "derive98", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_pack_of_98_points_is_made_and_reported(capsys, files, tmp_path):
    out = tmp_path / "derived"
    code, text, err = run(capsys, files, out, "--json", tmp_path / "report.json")
    assert code == 0, err
    assert "holds 3 of 4 faces, 98 points proposed by tool" in text
    assert "All 68 manual points were kept where they are." in text
    assert "Left out: 1 without a proposal, 0 with too few manual points, 0 of a shape" in text
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert (report["kept"], report["coinciding"], report["pack"]) == (3, 68, str(out))
    pack = read_pack(out, split="train")
    assert (pack.scheme, len(pack.faces)) == (WFLW_98, 3)


def test_moved_points_are_reported(capsys, files, tmp_path):
    truths = shapes_98(60, seed=3)
    manual = namesakes(truths)
    manual[:, 30] += (0, 9)
    names = [f"images/{index}.png" for index in range(60)]
    for name in names[4:]:
        write_picture(files["pack"] / name, np.full((30, 30, 3), 90, np.uint8))
    np.savez(files["pack"] / "annotations.npz", image=np.array(names), landmarks=manual.astype(np.float32))
    np.savez(files["proposal"], image=np.array(names), landmarks=truths)
    code, _, err = run(capsys, files, tmp_path / "derived")
    assert code == 1
    assert "has no split “train”" in err
    code, text, err = run(capsys, files, tmp_path / "derived", "--split", "all")
    assert code == 0, err
    assert "coincide in 67 of the 68 manual points; the other 1 were moved" in text


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("proposal", "no-such-model", "There is no model “no-such-model”"),
        ("proposal", "student-68", "proposals of student-68 have 68 points"),
        ("proposal", "missing.npz", "There is no file missing.npz"),
        ("proposal", "teacher-1.2", "There is no model “teacher-1.2”"),
        ("proposal", "missing.onnx", "The card missing.json is missing"),
        ("shapes", "missing.npz", "shapes missing.npz cannot be read"),
        ("pack", "nowhere", "nowhere is not a pack"),
    ],
)
def test_mistakes_get_a_sentence_and_leave_nothing(capsys, files, tmp_path, name, value, words):
    code, _, err = run(capsys, {**files, name: value}, tmp_path / "derived")
    assert code == 1
    assert words in err
    assert "What to do:" in err
    assert not (tmp_path / "derived").exists()


def test_help_shows_what_is_done_and_the_forms_of_proposals(capsys):
    with pytest.raises(SystemExit) as stop:
        build_parser().parse_args(["data", "derive98", "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert ".npz, .jsonl or .csv" in text
    assert "left out" in text
