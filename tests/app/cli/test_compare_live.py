"""`understudy compare-live` as a user types it: what it writes, and what it refuses."""

import csv
import json
import shutil

import pytest

from app.cli.main import main
from engine.core.paths import asset_path
from engine.formats.images import write_picture
from engine.sources.sample import SampleClip
from tests.fakes.packs import sample_pack

MODELS = "student-68,student-68-lite"


def run(capsys, *arguments):
    code = main(["compare-live", *(str(argument) for argument in arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def pack(tmp_path):
    """Three frames of the sample with their truth."""
    return sample_pack(tmp_path / "data" / "pack")


def test_the_sample_gives_a_report_of_all_lanes(capsys, tmp_path):
    code, text, err = run(capsys, "sample", "--models", MODELS, "--frames", 8, "--out", tmp_path / "out")
    assert code == 0
    assert f"Written to {tmp_path / 'out' / 'report.html'}" in err
    assert "Sample: 8 frames through 2 models" in text
    document = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    for lane in document["lanes"]:
        card = json.loads(asset_path("models", f"{lane['name']}.json").read_text(encoding="utf-8"))
        assert (lane["sha256"], lane["bytes"]) == (card["sha256"], card["bytes"])
        assert lane["frames"] == 8
        assert 0 < lane["accuracy"]["nme"] < 5
    assert document["machine"]["runtime"].startswith("ai_edge_litert 2")


def test_errors_on_a_pack_equal_those_of_evaluate(capsys, pack, tmp_path):
    out = tmp_path / "out"
    assert run(capsys, pack, "--models", MODELS, "--as-labelled", "--out", out)[0] == 0
    document = json.loads((out / "report.json").read_text(encoding="utf-8"))
    rows = list(csv.DictReader((out / "frames.csv").open(encoding="utf-8")))
    for lane in document["lanes"]:
        name = lane["name"]
        evaluation = tmp_path / name
        assert (
            main(["evaluate", "--data", str(pack), "--model", name, "--box", "detector", "--out", str(evaluation)]) == 0
        )
        expected = json.loads((evaluation / "evaluation.json").read_text(encoding="utf-8"))
        for figure in ("nme", "fr10", "auc10"):
            assert lane["accuracy"][figure] == pytest.approx(expected[figure], abs=1e-4)
        errors = [float(row["nme"]) for row in rows if row["lane"] == name]
        assert errors == pytest.approx([face["nme"] for face in expected["faces"]], abs=1e-4)


@pytest.mark.parametrize(
    ("models", "words"),
    [
        ("student-68", "names 1 of 2 to 4 models"),
        (",", "names 0 of 2 to 4 models"),
        ("a,b,c,d,e", "names 5 of 2 to 4 models"),
        ("student-68,student-68", "“student-68” is named twice"),
        (f"student-68,{asset_path('models', 'student-68.tflite')}", "is named twice"),
        ("student-68,studnet-68", "There is no model “studnet-68”"),
    ],
    ids=["one", "none", "five", "twice", "by name and by file", "missing"],
)
def test_models_that_cannot_be_compared_are_refused(capsys, tmp_path, models, words):
    code, _, err = run(capsys, "sample", "--models", models, "--out", tmp_path / "out")
    assert code == 1
    assert words in err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_refused_at_once(capsys, tmp_path):
    (tmp_path / "taken").write_text("mine")
    code, _, err = run(capsys, "sample", "--models", MODELS, "--out", tmp_path / "taken")
    assert code == 1
    assert "cannot be written" in err
    assert (tmp_path / "taken").read_text() == "mine"


def test_a_source_that_ends_at_once_is_refused(capsys, tmp_path):
    (tmp_path / "empty").mkdir()
    code, _, err = run(capsys, tmp_path / "empty", "--models", MODELS, "--out", tmp_path / "out")
    assert code == 1
    assert "What to do" in err


def test_two_models_of_one_name_keep_apart(capsys, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    for ending in ("tflite", "json"):
        shutil.copy(asset_path("models", f"student-68-lite.{ending}"), folder)
    models = f"student-68-lite,{folder / 'student-68-lite.tflite'}"
    code, text, _ = run(capsys, "sample", "--models", models, "--frames", 3, "--out", tmp_path / "out")
    assert code == 0
    assert "student-68-lite (2)" in text


def test_the_report_never_replaces_what_is_read(capsys, tmp_path):
    write_picture(tmp_path / "a.png", SampleClip().frame(0)[0])
    (tmp_path / "frames.csv").symlink_to(tmp_path / "a.png")
    code, _, err = run(capsys, tmp_path / "a.png", "--models", MODELS, "--out", tmp_path)
    assert code == 1
    assert "is the original itself" in err
