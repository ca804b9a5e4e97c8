"""How many faces `run` and `predict` find, and that they say where there is none."""

import json

import numpy as np
import pytest

from app.cli.main import build_parser, main
from engine.formats.images import write_picture
from tests.fakes.two_people import background, cutouts

PLACES = [(x, y) for y in (120, 260, 400) for x in (130, 320, 510)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A picture of nine people with faces 60 pixels wide, one of a face of 30 pixels, and one without a face."""
    place, people = tmp_path_factory.mktemp("pictures"), cutouts()
    crowd, far, bare = (background(640, 480, seed) for seed in (0, 0, 1))  # some rooms look like a face to some models
    for number, (x, y) in enumerate(PLACES):
        people[number % 2].put(crowd, (x, y, 60.0))
    people[0].put(far, (300.0, 200.0, 34.0))
    for name, image in (("1 crowd", crowd), ("2 far", far), ("3 bare", bare)):
        write_picture(place / f"{name}.png", image)
    return place


def predict(folder, out, *options):
    assert main(["predict", str(folder), "--out", str(out), *options]) == 0
    return [len(json.loads(line)["faces"]) for line in out.read_text(encoding="utf-8").splitlines()]


def test_predict_finds_every_face_of_a_picture_and_says_where_there_is_none(capsys, folder, tmp_path):
    assert predict(folder, tmp_path / "points.jsonl") == [9, 1, 0]
    assert "No face in 1 of 3 of them" in capsys.readouterr().out


def test_predict_says_nothing_of_the_kind_where_every_picture_has_a_face(capsys, folder, tmp_path):
    assert predict(folder / "1 crowd.png", tmp_path / "points.jsonl", "--max-faces", "5") == [5]
    assert "No face" not in capsys.readouterr().out


def test_run_says_how_many_frames_have_no_face_or_only_a_small_one(capsys, folder, tmp_path):
    report = tmp_path / "report.json"
    assert main(["run", str(folder), "--headless", "--json", str(report)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "no face in 1 of 3 frames" in said
    assert "too small only faces of less than 40 pixels in 1 of 3 frames" in said
    values = json.loads(report.read_text(encoding="utf-8"))
    assert (values["no_face"], values["too_small"]) == (1, 1)
    assert np.isclose(values["faces_found"], 2 / 3, atol=1e-3)


@pytest.mark.parametrize("verb", [["run"], ["predict", "a", "--out", "b"]])
@pytest.mark.parametrize("number", ["0", "-1", "many", "1.5"])
def test_a_number_of_faces_that_is_none_is_refused(capsys, verb, number):
    with pytest.raises(SystemExit) as stopped:
        build_parser().parse_args([*verb, f"--max-faces={number}"])
    assert stopped.value.code == 2
    assert "must be 1 or more" in capsys.readouterr().err
