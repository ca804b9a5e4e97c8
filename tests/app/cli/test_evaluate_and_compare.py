"""`understudy evaluate --out`, `--predictions` and `understudy compare` as a user types them."""

import json
import re
import shutil
import sys

import numpy as np
import pytest

from app.cli.main import main
from engine.core.paths import asset_path
from engine.formats.images import write_picture
from engine.inference.card import read_card
from tests.app.cli.commands import run
from tests.fakes.packs import sample_pack


@pytest.fixture
def pack(tmp_path):
    """Three frames of the sample with their truth."""
    return sample_pack(tmp_path / "data" / "pack", subset=np.array(["common", "common", "challenging"]))


def test_evaluate_writes_tables_curves_and_worst_faces(capsys, pack, tmp_path):
    out = tmp_path / "new" / "run"
    code, text, err = run(capsys, "evaluate", "--data", pack, "--out", out)
    assert code == 0
    assert f"Written to {out}" in err
    names = ["ced.png", "evaluation.json", "table.csv", "table.md", "worst.jpg"]
    assert sorted(file.name for file in out.iterdir()) == names
    document = json.loads((out / "evaluation.json").read_text(encoding="utf-8"))
    assert [row["subset"] for row in document["rows"]] == ["full", "common", "challenging"]
    assert document["nme"] == pytest.approx(np.mean([face["nme"] for face in document["faces"]]), abs=1e-4)
    printed = re.search(r"NME {6}(\d\.\d{3}) % of the distance of the outer eye corners", text)
    assert float(printed[1]) == pytest.approx(document["nme"], abs=6e-4)  # the file has it rounded to four digits
    assert "AUC10   jaw   brows  nose  eyes  mouth" in text
    assert "\nchallenging  1  " in text


def test_predictions_of_a_model_score_as_the_model_itself(capsys, pack, tmp_path):
    assert run(capsys, "predict", pack, "--box", "truth", "--as-labelled", "--out", tmp_path / "tool.jsonl")[0] == 0
    given = run(capsys, "evaluate", "--data", pack, "--predictions", tmp_path / "tool.jsonl", "--json", "-")[1]
    measured = run(capsys, "evaluate", "--data", pack, "--json", "-")[1]
    report, expected = json.loads(given), json.loads(measured)
    assert (report["model"], report["box"], report["missed"]) == ("tool", "predictions", 0)
    for figure in ("nme", "nme_box", "fr10", "auc10"):
        assert report[figure] == pytest.approx(expected[figure], abs=1e-3)


def test_evaluate_measures_points_as_labelled_and_predict_puts_them_on_the_picture(capsys, pack, tmp_path):
    def nme(*options):
        return json.loads(run(capsys, "evaluate", "--data", pack, *options, "--json", "-")[1])["nme"]

    def predicted(name, *options):
        command = ("predict", pack, "--box", "truth", *options, "--out", tmp_path / f"{name}.jsonl")
        assert run(capsys, *command)[0] == 0
        return nme("--predictions", tmp_path / f"{name}.jsonl")

    assert predicted("labelled", "--as-labelled") == pytest.approx(nme(), abs=1e-3)
    # The sample's truth lies on the picture.
    assert predicted("plain") < nme() - 0.02
    assert predicted("flipped", "--as-labelled", "--flip") == pytest.approx(nme("--flip"), abs=1e-3)
    first = json.loads((tmp_path / "flipped.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert first["model"] == "student-68 + mirror image"


@pytest.mark.parametrize("options", [("--save-to-card",), ("--predictions", "tool.npz")])
def test_flipped_results_go_on_no_card_and_files_have_no_mirror_image(capsys, pack, options):
    code, _, err = run(capsys, "evaluate", "--data", pack, "--flip", *options)
    assert code == 1
    assert "What to do: Leave out --" in err


def test_models_shift_measures_and_notes_how_far_points_lie_beside_what_they_mark(capsys, pack, tmp_path):
    for ending in (".tflite", ".json"):
        shutil.copy(asset_path("models", f"student-68-lite{ending}"), tmp_path / f"own{ending}")
    model = tmp_path / "own.tflite"
    command = ("models", "shift", model, "--data", pack, "--json", tmp_path / "shift.json")
    code, _, err = run(capsys, *command)
    assert code == 1
    assert "has no split “train”" in err, "faces that it was tested on are not to be used by mistake"
    np.savez(
        pack / "annotations.npz", **{**np.load(pack / "annotations.npz"), "split": np.array(["train", "test", "train"])}
    )
    code, _, err = run(capsys, *command, "--save-to-card")
    assert code == 0
    found = json.loads((tmp_path / "shift.json").read_text(encoding="utf-8"))
    assert (found["faces"], found["as_labelled"] > 0.5) == (2, True)
    card = read_card(model.with_suffix(".json"))
    assert card.label_shift == pytest.approx(found["shift"], abs=1e-5)
    assert f"Noted on {model.with_suffix('.json')}" in err
    assert run(capsys, *command)[0] == 0
    again = json.loads((tmp_path / "shift.json").read_text(encoding="utf-8"))
    assert abs(again["on_picture"]) < 0.05
    assert again["as_labelled"] == pytest.approx(found["as_labelled"], abs=1e-6)


def test_predictions_need_no_pictures_and_no_matplotlib(capsys, pack, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    arrays = dict(np.load(pack / "annotations.npz"))
    (tmp_path / "bare").mkdir()
    np.savez(tmp_path / "bare" / "annotations.npz", **arrays)
    np.savez(tmp_path / "tool.npz", image=arrays["image"][:2], landmarks=arrays["landmarks"][:2])
    out = tmp_path / "out"
    write_picture(out / "worst.jpg", np.zeros((9, 9, 3), np.uint8))  # of an earlier evaluation
    code, text, err = run(
        capsys, "evaluate", "--data", tmp_path / "bare", "--predictions", tmp_path / "tool.npz", "--out", out
    )
    assert code == 0
    assert "missed   1 faces" in text
    assert re.search(r"NME {6}0\.000 % of .* \(2 faces\)", text), "those that the NME is a mean of"
    assert "FR10     33.33 %" in text
    assert "matplotlib is not installed" in err
    assert "pictures are missing" in err
    assert sorted(file.name for file in out.iterdir()) == ["evaluation.json", "table.csv", "table.md"]


def test_the_whole_pack_is_named_as_in_the_report_wherever_a_split_is(capsys, pack):
    code, text, _ = run(capsys, "evaluate", "--data", pack, "--split", "all")
    assert (code, text) == (0, run(capsys, "evaluate", "--data", pack)[1])
    for command in (("data", "shift", pack), ("models", "shift", "student-68", "--data", pack)):
        assert run(capsys, *command, "--split", "all")[0] == 0


def test_labels_outside_their_pictures_are_named_with_the_results(capsys, pack):
    arrays = dict(np.load(pack / "annotations.npz"))
    arrays["landmarks"][0] += 5000
    np.savez(pack / "annotations.npz", **arrays)
    text = run(capsys, "evaluate", "--data", pack)[1]
    assert "outside  1 faces, labels outside their pictures: see “understudy data check”" in text


def test_compare_puts_runs_side_by_side(capsys, pack, tmp_path):
    truth = dict(np.load(pack / "annotations.npz"))
    for name, shift in (("near", 1), ("far", 3), ("farther", 5)):
        np.savez(tmp_path / f"{name}.npz", image=truth["image"], landmarks=truth["landmarks"] + (0, shift))
        command = ("evaluate", "--data", pack, "--predictions", tmp_path / f"{name}.npz", "--out", tmp_path / name)
        assert run(capsys, *command)[0] == 0
    report_file = tmp_path / "report.json"
    seeds = f"{tmp_path / 'far'},{tmp_path / 'farther' / 'evaluation.json'}"
    options = ("--json", report_file, "--out", tmp_path / "side")
    code, text, _ = run(capsys, "compare", tmp_path / "near", seeds, *options)
    assert code == 0
    assert "far + farther  2     3" in text
    assert text.count("worse") == 1
    first, second = json.loads(report_file.read_text(encoding="utf-8"))["rows"]
    assert second["difference"] == pytest.approx(second["nme"] - first["nme"], abs=2e-4)
    names = ["ced.png", "comparison.csv", "comparison.json", "comparison.md"]
    assert sorted(file.name for file in (tmp_path / "side").iterdir()) == names


def test_what_a_teacher_brought_is_noted_on_a_card_once_for_the_same_faces(capsys, pack, tmp_path):
    for ending in (".tflite", ".json"):
        shutil.copy(asset_path("models", f"student-68-lite{ending}"), tmp_path / f"own{ending}")
    model = tmp_path / "own.tflite"
    before = read_card(model.with_suffix(".json"))
    truth = dict(np.load(pack / "annotations.npz"))
    for name, shift in (("alone", 3), ("taught", 1)):
        np.savez(tmp_path / f"{name}.npz", image=truth["image"], landmarks=truth["landmarks"] + (0, shift))
        command = ("evaluate", "--data", pack, "--predictions", tmp_path / f"{name}.npz", "--out", tmp_path / name)
        assert run(capsys, *command)[0] == 0
    runs = (tmp_path / "alone", tmp_path / "taught")
    for steps in (900, 1000):
        assert run(capsys, "compare", *runs, "--gain-of", model, "--steps", steps)[0] == 0
    card = read_card(model.with_suffix(".json"))
    others = [gain for gain in before.gains if gain.data != "pack"]
    (gain,) = (gain for gain in card.gains if gain not in others)
    assert (gain.data, gain.faces, gain.steps, gain.seeds) == ("pack", 3, 1000, 1)
    assert gain.alone == pytest.approx(3 * gain.taught, rel=1e-3)
    assert gain.low <= gain.taught - gain.alone <= gain.high < 0
    three = (*runs, runs[0])
    for wrong in ((*runs, "--gain-of", model), (*runs, "--steps", 9), (*three, "--gain-of", model, "--steps", 9)):
        code, _, err = run(capsys, "compare", *wrong)
        assert code == 1
        assert "name both runs, --gain-of MODEL and --steps N" in err.replace("Name", "name")
    assert read_card(model.with_suffix(".json")) == card


MISTAKES = {
    "one run": ("compare", "x"),
    "no such run": ("compare", "none", "none"),
    "empty list of seeds": ("compare", ",", ","),
    "predictions that are not there": ("evaluate", "--data", "PACK", "--predictions", "none.npz"),
    "predictions for a card": ("evaluate", "--data", "PACK", "--predictions", "x.npz", "--save-to-card"),
    "another normaliser for a card": ("evaluate", "--data", "PACK", "--normaliser", "box", "--save-to-card"),
}


@pytest.mark.parametrize("arguments", MISTAKES.values(), ids=MISTAKES.keys())
def test_mistakes_get_a_sentence(capsys, pack, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    code, _, err = run(capsys, *(pack if argument == "PACK" else argument for argument in arguments))
    assert code == 1
    assert "Likely cause: " in err
    assert "What to do: " in err


def test_a_model_and_predictions_exclude_each_other(capsys, pack):
    with pytest.raises(SystemExit) as stopped:
        main(["evaluate", "--data", str(pack), "--model", "student-68", "--predictions", "x.npz"])
    assert stopped.value.code == 2
    assert "not allowed with" in capsys.readouterr().err
