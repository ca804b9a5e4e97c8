"""Predictions as files: complete, in the documented form, all or nothing."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest

from engine.core.errors import RecordingError, SourceError, UsageError
from engine.core.face_signals import SIGNALS
from engine.core.faces import Face
from engine.core.geometry import Box
from engine.core.schemes import IBUG_68
from engine.formats.landmark_readers import read_predictions
from engine.formats.landmark_writers import Prediction, write_predictions
from engine.inference.signals import SignalReader
from tests.fakes.turned_face import result_of, turned_face

DOCUMENT = Path(__file__).parents[3] / "docs" / "formats.md"
DOCUMENTED = set(re.findall(r"\w+", " ".join(re.findall(r"^\| (`.*?`) \|", DOCUMENT.read_text("utf-8"), re.MULTILINE))))


def prediction(image="a b Öß.png", frame=None, faces=1):
    points = np.arange(136, dtype=np.float32).reshape(68, 2) + 0.5
    found = tuple(
        Face(index + 1, Box(1, 2, 3, 4), 0.91234, IBUG_68, points + index, np.full(68, 0.5, np.float32), 0.0)
        for index in range(faces)
    )
    return Prediction(image, None if image else "clip.mp4", frame, 640, 480, found, "student-68")


def test_json_lines_have_the_documented_keys(tmp_path):
    target = tmp_path / "new folder" / "out.jsonl"
    assert write_predictions([prediction(faces=2), prediction(None, 7, faces=0)], target).count == 2
    first, second = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert list(first) == ["image", "width", "height", "faces", "model"]
    assert list(first["faces"][0]) == ["id", "box", "score", "landmarks", "confidence", "scheme", "signals"]
    assert first["faces"][0]["signals"] is None
    assert first["faces"][1]["landmarks"][0] == [1.5, 2.5]
    assert first["image"] == "a b Öß.png"
    assert (second["source"], second["frame"], second["faces"]) == ("clip.mp4", 7, [])


def test_json_lines_hold_the_signals_of_each_face(tmp_path):
    result = result_of(turned_face(20, mouth=0.3), turned_face(yaw=70, number=2))
    signals = SignalReader().read(result)
    write_predictions(
        [Prediction("a.png", None, None, 640, 480, result.faces, "model", signals)], tmp_path / "out.jsonl"
    )
    first, second = (face["signals"] for face in json.loads((tmp_path / "out.jsonl").read_text("utf-8"))["faces"])
    assert list(first) == ["yaw", "pitch", "roll", "eye_left", "eye_right", "blinks", "mouth"]
    assert first["yaw"] == pytest.approx(20, abs=1)
    assert 0.2 < first["mouth"] < 0.8
    assert first["blinks"] == 0
    assert second["eye_left"] is None  # seen from the side


def test_csv_has_a_row_for_each_face_and_a_column_for_each_number(tmp_path):
    target = tmp_path / "out.csv"
    write_predictions([prediction(faces=2), prediction(None, 3)], target)
    with target.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    assert len(rows) == 4
    assert {len(row) for row in rows} == {8 + 136 + 68 + len(SIGNALS)}
    assert rows[0][4:10] == ["box_x0", "box_y0", "box_x1", "box_y1", "x0", "y0"]
    assert len(set(rows[0])) == len(rows[0]), "no two columns have one name"
    assert set(rows[0]) - DOCUMENTED == {name for name in rows[0] if re.fullmatch(r"[xyc]\d+", name)} - DOCUMENTED
    assert rows[1][4:10] == ["1", "2", "3", "4", "0.5", "1.5"]
    assert rows[3][:3] == ["clip.mp4", "3", "1"]


def test_pts_files_count_pixels_from_one(tmp_path):
    write_predictions([prediction(faces=2), prediction(None, 12)], tmp_path / "points")
    names = sorted(file.name for file in (tmp_path / "points").iterdir())
    assert names == ["a b Öß.pts", "a b Öß_2.pts", "clip_000012.pts"]
    lines = (tmp_path / "points" / names[0]).read_text(encoding="utf-8").split("\n")
    assert lines[:4] == ["version: 1", "n_points: 68", "{", "1.500 2.500"]
    assert lines[-2] == "}"


def test_points_of_different_pictures_never_overwrite_one_another(tmp_path):
    pictures = [prediction("a.jpg", faces=2), prediction("a.png"), prediction("a_2.jpg"), prediction("sub/a.jpg")]
    write_predictions(pictures, tmp_path)
    names = sorted(file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*.pts"))
    assert names == ["a.png.pts", "a.pts", "a_2.jpg.pts", "a_2.pts", "sub/a.pts"]


def test_a_failure_half_way_leaves_the_former_file_and_no_rubbish(tmp_path):
    target = tmp_path / "out.jsonl"
    target.write_text("former", encoding="utf-8")

    def failing():
        yield prediction()
        raise SourceError("it broke", "why", "fix")

    with pytest.raises(SourceError):
        write_predictions(failing(), target)
    assert target.read_text(encoding="utf-8") == "former"
    assert [file.name for file in tmp_path.iterdir()] == ["out.jsonl"]


def test_a_folder_may_have_a_time_with_dots_in_its_name(tmp_path):
    folder = tmp_path / "2026-11-21 12.00.08 landmarks"
    assert write_predictions([prediction()], folder).paths == (folder,)
    assert [file.name for file in folder.iterdir()] == ["a b Öß.pts"]


def test_unknown_formats_and_unwritable_places_get_a_sentence(tmp_path):
    with pytest.raises(UsageError, match="written as .xml"):
        write_predictions([], tmp_path / "out.xml")
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(RecordingError, match="cannot be written"):
        write_predictions([prediction()], tmp_path / "file" / "out.jsonl")


def test_no_name_becomes_a_formula_and_bytes_that_are_no_letters_do_no_harm(tmp_path):
    names = ["=HYPERLINK(1).png", "-1.png", "bad\udcff.png"]
    for ending in (".csv", ".jsonl"):
        write_predictions([prediction(name) for name in names], tmp_path / f"out{ending}")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as stream:
        assert [row["image"] for row in csv.DictReader(stream)] == ["'=HYPERLINK(1).png", "'-1.png", r"bad\udcff.png"]
    assert read_predictions(tmp_path / "out.csv").images[:2] == tuple(names[:2])
    assert read_predictions(tmp_path / "out.jsonl").images == tuple(names), "the line is JSON's own escape"
