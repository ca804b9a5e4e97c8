"""What strangers may give to the command line: each gets a sentence, and nothing is written beside it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.cli.main import main
from engine.formats.images import write_picture
from engine.formats.landmark_writers import Prediction, pts_text, write_predictions
from engine.sources.sample import SampleClip
from tests.fakes.filters import make_filter
from tests.fakes.results import face

MODEL = ("--model", "student-68-lite")
UNIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The working folder `here`, with a picture of a face."""
    folder = tmp_path / "here"
    write_picture(folder / "face.png", SampleClip().frame(0)[0])
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("models", "--json", ""), "json"),
        (("predict", "face.png", "--out", ""), "out"),
        (("predict", "", "--out", "new.csv"), "path"),
        (("run", "face.png", "--headless", "--model", ""), "model"),
        (("run", "face.png", "--headless", "--picture", ""), "picture"),
        (("evaluate", "--data", ""), "data"),
        (("filter", "check", ""), "filter"),
        (("train", "student-68", "--data", ""), "data"),
    ],
    ids=" ".join,
)
def test_an_empty_argument_is_said_to_be_empty(place, capsys, words, name):
    assert main(list(words)) == 1
    assert f"“{name}” is empty" in capsys.readouterr().err
    assert [file.name for file in place.iterdir()] == ["face.png"]


@pytest.mark.parametrize("target", [".", "..", "/"])
def test_a_folder_is_no_file_to_write(place, capsys, target):
    assert main(["models", "--json", target]) == 1
    assert f"{target} is a folder" in capsys.readouterr().err


def test_the_folder_one_is_in_has_a_table_beside_it_too(place, capsys):
    found = Prediction("face.png", None, None, 640, 480, (face(300),), "x")
    write_predictions([found], place.parent / "here.csv")
    assert main(["run", ".", "--headless", "--json", "../r.json", *MODEL]) == 0
    summary = json.loads(Path("../r.json").read_text(encoding="utf-8"))
    assert (summary["nme"], summary["missed"]) == (None, 1), "the table was read: its face is elsewhere"
    before = (place.parent / "here.csv").read_bytes()
    assert main(["run", ".", "--headless", "--json", "../here.csv", "--overwrite", *MODEL]) == 1
    assert "is the original itself" in capsys.readouterr().err
    assert (place.parent / "here.csv").read_bytes() == before


@pytest.mark.parametrize("number", ["", "0", "-1", "1_0", "1.5", "99999999999999999999", "٣"])
def test_numbers_of_threads_and_frames_are_decimal(place, capsys, number):
    assert main(["benchmark", "--threads", number]) == 1
    assert f"“{number or 'threads'}”" in capsys.readouterr().err
    if number != "99999999999999999999":
        with pytest.raises(SystemExit):
            main(["run", "face.png", "--headless", f"--frames={number}"])
        assert "must be 1 or more" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"image": null, "landmarks": []}', "in line 1 “image” is no text"),
        ('{"image": ["a"], "landmarks": []}', "in line 1 “image” is no text"),
        ('{"image": "a", "faces": 5}', "in line 1 “faces” is no list of faces"),
        ('{"image": "a", "faces": [5]}', "in line 1 “faces” is no list of faces"),
        ('{"image": "a", "faces": {"landmarks": 1}}', "in line 1 “faces” is no list of faces"),
    ],
)
def test_predictions_of_another_form_are_answered_in_words(place, capsys, line, said):
    Path("tool.jsonl").write_text(line, encoding="utf-8")
    assert main(["evaluate", "--data", ".", "--predictions", "tool.jsonl"]) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("text", ["[]", "NaN", "5", '"x"'])
def test_evaluations_of_another_form_are_answered_in_words(place, capsys, text):
    Path("evaluation.json").write_text(text, encoding="utf-8")
    assert main(["compare", ".", "."]) == 1
    assert "it is not a JSON object" in capsys.readouterr().err


@UNIX
def test_a_pipe_for_the_landmarks_of_a_filter_is_named(place, capsys):
    make_filter(place / "mask", '[[layer]]\nimage = "square.png"\nmesh = { landmarks = "m.pts" }\n')
    os.mkfifo(place / "mask" / "m.pts")
    assert main(["filter", "check", "./mask"]) == 1
    assert "it is a pipe, a device or a socket" in capsys.readouterr().err
    (place / "mask" / "m.pts").unlink()
    (place / "mask" / "m.pts").write_text(pts_text(np.zeros((68, 2))), encoding="utf-8")
    assert main(["filter", "check", "./mask"]) == 1
    assert "the points do not span a face" in capsys.readouterr().err


@pytest.mark.parametrize("image", [b"", b"no picture", b"\x89PNG\r\n\x1a\n"])
def test_a_filters_image_that_is_none_shows_no_object_of_python(place, capsys, image):
    (make_filter(place / "hat") / "square.png").write_bytes(image)
    assert main(["filter", "check", "./hat"]) == 1
    said = capsys.readouterr().err
    assert "hat/square.png: the image cannot be read (cannot identify image file)" in said
    assert " at 0x" not in said


def test_a_video_with_a_table_of_very_many_columns_is_played(place, capsys):
    writer = cv2.VideoWriter("clip.avi", cv2.VideoWriter.fourcc(*"MJPG"), 25, (160, 120))
    writer.write(np.full((120, 160, 3), 90, np.uint8))
    writer.release()
    Path("clip.csv").write_text("frame," + ",".join(f"a{index}" for index in range(40_000)), encoding="utf-8")
    assert main(["run", "clip.avi", "--headless", *MODEL]) == 1
    assert "the column “x0” is missing" in capsys.readouterr().err
