"""No output of any verb destroys what is read, or what a person may have made."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import cv2
import pytest

from app.cli.main import build_parser, main
from app.cli.outputs import INPUTS, OUTPUTS
from engine.sources.sample import SampleClip

LABEL = "version: 1\nn_points: 68\n{\n" + "\n".join(f"{100 + i}.111 {200 + i}.222" for i in range(68)) + "\n}\n"


@pytest.fixture(scope="module")
def portrait():
    """A picture with a face, `[480, 640, 3]` uint8 BGR."""
    return cv2.cvtColor(SampleClip().frame(0)[0], cv2.COLOR_RGB2BGR)


@pytest.fixture
def place(tmp_path, portrait, monkeypatch):
    """The working folder: a clip, two pictures of which one has a label, and links to the clip."""
    writer = cv2.VideoWriter(str(tmp_path / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 25, (640, 480))
    for _ in range(3):
        writer.write(portrait)
    writer.release()
    (tmp_path / "set").mkdir()
    for name in ("anna", "bert"):
        cv2.imwrite(str(tmp_path / f"set/{name}.png"), portrait)
    (tmp_path / "set/bert.pts").write_text(LABEL)
    (tmp_path / "link.avi").symlink_to("clip.avi")
    os.link(tmp_path / "clip.avi", tmp_path / "hard.avi")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


HEADLESS = ("--headless", "--frames", "2")
ORIGINALS = [
    ("run", "clip.avi", *HEADLESS, "--record", "clip.avi"),
    ("run", "clip.avi", *HEADLESS, "--record", "set/../clip.avi"),
    ("run", "clip.avi", *HEADLESS, "--record", "link.avi"),
    ("run", "hard.avi", *HEADLESS, "--record", "clip.avi"),
    ("run", "clip.avi", *HEADLESS, "--json", "hard.avi"),
    ("run", "set", *HEADLESS, "--picture", "set/anna.png"),
    ("run", "set", *HEADLESS, "--json", "set/bert.pts"),
    ("run", "sample", *HEADLESS, "--model", "own.tflite", "--json", "own.json"),
    ("filter", "apply", "mask", "clip.avi", "--out", "hard.avi"),
    ("filter", "apply", "mask", "set", "--out", "set"),
    ("filter", "apply", "own filter", "set/anna.png", "--out", "own filter/hat.png"),
    ("predict", "clip.avi", "--out", "annotations.jsonl", "--model", "annotations.jsonl.tflite"),
    ("evaluate", "--data", "pack", "--predictions", "theirs.csv", "--json", "theirs.csv"),
    ("evaluate", "--data", "pack", "--json", "pack/meta.json"),
]


@pytest.mark.parametrize("words", ORIGINALS, ids=" ".join)
@pytest.mark.parametrize("insist", [(), ("--overwrite",)], ids=["", "overwrite"])
def test_what_a_command_reads_is_never_replaced(place, capsys, words, insist):
    (place / "own.tflite").write_bytes(b"TFL3")
    (place / "own.json").write_text("{}")
    (place / "theirs.csv").write_text("image\n")
    os.link(place / "theirs.csv", place / "annotations.jsonl")
    os.link(place / "theirs.csv", place / "annotations.jsonl.tflite")
    (place / "pack").mkdir()
    (place / "pack/meta.json").write_text("{}")
    (place / "own filter").mkdir()
    (place / "own filter/filter.toml").write_text("")
    (place / "own filter/hat.png").write_bytes(b"hat")
    before = contents(place)
    if words[0] == "evaluate":
        insist = ()
    assert main([*words, *insist]) == 1
    assert "is the original itself" in capsys.readouterr().err
    assert contents(place) == before


@pytest.mark.parametrize(
    "words",
    [
        ("predict", "set", "--out", "-"),
        ("run", "sample", *HEADLESS, "--record", "-"),
        ("run", "sample", *HEADLESS, "--picture", "-"),
        ("run", "sample", "--screenshot", "-"),
        ("filter", "apply", "mask", "set", "--out", "-"),
        ("filter", "new", "-"),
        ("filter", "new", "hat", "--to", "-"),
        ("evaluate", "--data", "pack", "--out", "-"),
        ("evaluate", "--data", "pack", "--predictions", "-"),
        ("compare", "set", "set", "--out", "-"),
        ("data", "check", "pack", "--sheet", "-"),
        ("data", "label", "pack", "--model", "student-68", "--out", "-"),
        ("export", "runs/x", "--out", "-"),
        ("train", "student-68", "--out", "-"),
    ],
    ids=" ".join,
)
def test_a_dash_is_no_name_of_a_file(place, capsys, words):
    before = contents(place)
    assert main(list(words)) == 1
    assert "cannot be -.\n  Likely cause: Only --json - writes to the terminal" in capsys.readouterr().err
    assert contents(place) == before
    assert not (place / "-").exists()


EXISTING = {
    "run sample --headless --frames 2 --record": "clip.avi",
    "run sample --headless --frames 2 --picture": "set/anna.png",
    "run sample --headless --frames 2 --json": "truth.csv",
    "run sample --screenshot": "set/anna.png",
    "predict clip.avi --out": "truth.csv",
    "predict set/anna.png --out": "set/bert.jsonl",
    "filter apply mask set/anna.png --out": "set/bert.png",
    "filter apply mask clip.avi --out": "other.avi",
    "data check pack --sheet": "set/anna.png",
    "models --json": "truth.csv",
    "export runs/x --out": "own.tflite",
}


@pytest.mark.parametrize("words", EXISTING)
def test_what_a_person_may_have_made_is_replaced_only_on_request(place, capsys, words):
    for name in EXISTING.values():
        if not (place / name).exists():
            (place / name).write_text("by hand")
    before = contents(place)
    assert main([*words.split(), EXISTING[words]]) == 1
    err = capsys.readouterr().err
    assert f"{EXISTING[words]} exists already" in err
    assert "--overwrite" in err
    assert contents(place) == before


def test_labels_next_to_pictures_are_kept_and_no_picture_is_worked_on(place, capsys):
    before = contents(place)
    assert main(["predict", "set", "--out", "set"]) == 1
    assert "bert.pts exists already" in capsys.readouterr().err
    assert contents(place) == before
    assert main(["predict", "set", "--out", "set", "--overwrite"]) == 0
    assert (place / "set/anna.pts").exists()
    assert (place / "set/bert.pts").read_text() != LABEL


@pytest.mark.parametrize(
    ("source", "label", "kept"),
    [
        ("clip.avi", "clip_000001.pts", True),
        ("clip.avi", "clip_000001_2.pts", True),
        ("set", "anna_2.PTS", True),
        ("set", "anna.png.pts", True),
        ("set", "other.pts", False),
        ("clip.avi", "clip2.pts", False),
    ],
)
def test_labels_of_frames_and_of_further_faces_count_and_those_of_others_do_not(place, capsys, source, label, kept):
    (place / "out").mkdir()
    (place / "out" / label).write_text(LABEL)
    assert main(["predict", source, "--out", "out"]) == (1 if kept else 0)
    assert (place / "out" / label).read_text() == LABEL
    assert (len([*(place / "out").iterdir()]) == 1) is kept


def test_predictions_are_written_again_over_predictions_alone(place):
    for _ in range(2):
        assert main(["predict", "set/anna.png", "--out", "points.jsonl"]) == 0
    (place / "points.jsonl").write_text('{"image": "anna.png", "points": []}')
    assert main(["predict", "set/anna.png", "--out", "points.jsonl"]) == 1


def test_reports_are_written_again_and_pictures_on_request(place, capsys):
    words = ["run", "sample", *HEADLESS, "--json", "report.json", "--picture", "last.png"]
    assert main(words) == 0
    assert main([*words, "--overwrite"]) == 0
    assert main(["models", "--json", "report.json"]) == 0


def test_two_outputs_of_one_name_are_refused(place, capsys):
    assert main(["run", "sample", *HEADLESS, "--record", "new.avi", "--json", "set/../new.avi"]) == 1
    assert "--record and --json both name" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="Windows has no named pipes of this kind")
def test_a_pipe_or_a_device_is_not_replaced_by_a_file(place, capsys):
    os.mkfifo(place / "pipe.json")
    assert main(["models", "--json", "pipe.json", "--json", "pipe.json"]) == 1
    assert "is no file" in capsys.readouterr().err
    assert (place / "pipe.json").is_fifo()


def test_every_option_that_names_a_file_is_known_to_the_guard():
    """Each verb checks `out` and `report` by a rule of its own; `to` and `out` of new packs must not exist."""
    known = {*INPUTS, *OUTPUTS, "out", "report", "to", "model", "filter", "packs"}

    def unknown(parser: argparse.ArgumentParser) -> set[str]:
        found = set()
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                found |= {name for choice in action.choices.values() for name in unknown(choice)}
            elif any(
                word in str(action.metavar) for word in ("FILE", "DIR", "PACK", "PATH", "SOURCE", "RUN", "FOLDER")
            ):
                found |= {action.dest} - known
        return found

    assert unknown(build_parser()) == set()
