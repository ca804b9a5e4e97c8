"""`understudy models add`: what is saved, what is said, and what is refused."""

import json

import numpy as np
import pytest

from app.cli import model_adding
from app.cli.main import main
from engine.evaluation.proposal import sample_faces
from engine.inference.card import read_card
from engine.inference.landmarker import LARGEST_MODEL
from engine.inference.library import ModelLibrary
from tests.fakes.foreign_models import REAL, constant_network, means_network
from tests.fakes.mutations import edited_model, with_operator, without_scales

FACE = sample_faces(1)[0]
CARD = {
    "scheme": 68, "input_size": 32, "crop": {"scale": 1.2, "level": False}, "input": {"layout": "NCHW"}, "output": {},
}  # fmt: skip


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder of the user's models, and one face to try models on, as the search itself is tested elsewhere."""
    folders = (REAL.parent, tmp_path / "own")
    monkeypatch.setattr(model_adding, "ModelLibrary", lambda: ModelLibrary(folders))
    monkeypatch.setattr(model_adding, "sample_faces", lambda: [FACE])
    (tmp_path / "card.json").write_text(json.dumps(CARD), encoding="utf-8")
    (tmp_path / "small.onnx").write_bytes(constant_network(np.full((68, 2), 0.5), 32))
    return tmp_path


def run(capsys, *command):
    code = main(["models", "add", *map(str, command)])
    return code, *capsys.readouterr()


def test_a_model_with_a_card_of_ones_own_is_saved_and_found_by_its_name(home, capsys):
    code, out, err = run(
        capsys, home / "small.onnx", "--card", home / "card.json", "--name", "mine", "--yes", "--json", "-"
    )  # fmt: skip
    assert code == 0
    values = json.loads(out)
    card = read_card(home / "own" / "mine.json")
    assert card.name == "mine"
    assert values["saved"] is True
    assert values["error"] > 10
    assert f"NME {values['error']:.2f} %" in err
    assert (home / "own" / "mine.png").stat().st_size > 10_000
    assert ModelLibrary((home / "own",)).load("mine").card == card


def test_a_card_is_found_by_trying(home, capsys):
    (home / "lite.tflite").write_bytes(REAL.read_bytes())
    code, _, err = run(capsys, home / "lite.tflite", "--yes")
    assert code == 0
    card = read_card(home / "own" / "lite.json")
    assert card.input.range == (0, 255)
    assert "decoder points" in err
    assert "values 0 to 255" in err
    assert str(home / "own" / "lite.png") in err


def test_nothing_is_saved_unless_somebody_agrees(home, capsys):
    code, out, err = run(capsys, home / "small.onnx", "--card", home / "card.json")
    assert code == 0
    assert "Nothing was saved." in out
    assert "--yes" in err
    assert list((home / "own").iterdir()) == []


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("small.pt",), "models end in .tflite or .onnx"),
        (("missing.onnx",), "cannot be opened"),
        (("small.onnx", "--name", "student-68"), "part of the program"),
        (("small.onnx", "--name", "a/b"), "without slashes"),
        (("small.onnx", "--card", "missing.json"), "is missing"),
        (("small.onnx", "--data", "missing"), "missing"),
        (("small.onnx",), "finds no landmarks"),
        (("empty.onnx",), "nor an ONNX model"),
        (("pair.onnx",), "has 2 inputs"),
        (("huge.onnx",), "choose a smaller model"),
    ],
)
def test_fault_89_what_cannot_be_added_is_refused(home, capsys, monkeypatch, command, words):
    monkeypatch.chdir(home)
    (home / "small.pt").touch()
    (home / "empty.onnx").touch()
    (home / "pair.onnx").write_bytes(means_network([1, 3, 32, 32], inputs=2))
    with (home / "huge.onnx").open("wb") as stream:
        stream.truncate(LARGEST_MODEL + 1)
    code, _, err = run(capsys, *command, "--yes")
    assert code != 0
    assert words.casefold() in err.casefold()
    assert not list((home / "own").glob("*.json"))


@pytest.mark.parametrize(
    ("shipped", "edit", "words"),
    [
        ("student-68-lite-int8", without_scales, "in integers of which some have the scale 0"),
        ("student-68-lite", with_operator("FlexErf"), "needs operators that this program does not have: FlexErf"),
        ("student-68-lite", with_operator("MyOwn"), "needs operators that this program does not have: MyOwn"),
    ],
    ids=["int8 of scale 0", "operator of TensorFlow", "operator of one's own"],
)
def test_faults_59_89_what_cannot_run_is_refused_with_the_cause(home, capsys, shipped, edit, words):
    content = edited_model((REAL.parent / f"{shipped}.tflite").read_bytes(), edit)
    (home / "odd.tflite").write_bytes(content)
    code, _, err = run(capsys, home / "odd.tflite", "--yes")
    assert code != 0
    assert f"The model odd.tflite {'needs' if 'needs' in words else 'brings'}" in err
    assert words in err


def test_a_model_of_the_other_format_keeps_its_card_even_where_files_may_be_overwritten(home, capsys):
    (home / "mine.tflite").write_bytes(REAL.read_bytes())
    assert run(capsys, home / "mine.tflite", "--yes")[0] == 0
    card = (home / "own" / "mine.json").read_bytes()
    (home / "mine.onnx").write_bytes((home / "small.onnx").read_bytes())
    code, _, err = run(capsys, home / "mine.onnx", "--card", home / "card.json", "--yes", "--overwrite")
    assert code != 0
    assert "mine.tflite has the name “mine” already" in err
    assert "such as mine-onnx" in err
    assert (home / "own" / "mine.json").read_bytes() == card
    command = (home / "mine.onnx", "--card", home / "card.json", "--yes", "--name", "mine-onnx")
    assert run(capsys, *command)[0] == 0


def test_what_exists_is_kept_unless_it_may_be_overwritten(home, capsys):
    command = (home / "small.onnx", "--card", home / "card.json", "--yes")
    assert run(capsys, *command)[0] == 0
    code, _, err = run(capsys, *command)
    assert code != 0
    assert "exists already" in err
    assert run(capsys, *command, "--overwrite")[0] == 0


def test_a_model_that_another_process_added_meanwhile_is_kept(home, capsys, monkeypatch):
    command = home / "small.onnx", "--card", home / "card.json", "--name", "mine", "--yes"
    theirs = home / "own" / "mine.onnx"

    def slow_faces():
        theirs.parent.mkdir()
        theirs.write_bytes(b"theirs")
        return [FACE]

    monkeypatch.setattr(model_adding, "sample_faces", slow_faces)
    code, _, err = run(capsys, *command)
    assert code == 1
    assert "mine.onnx" in err.splitlines()[-3]
    assert [file.read_bytes() for file in theirs.parent.iterdir()] == [b"theirs"]
