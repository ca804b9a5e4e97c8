"""Closed eyes against open ones: a model whose lids are known, and `understudy evaluate` on the sample's blinks."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from app.cli.main import main
from engine.core.errors import ModelError, PackError
from engine.core.faces import EyeLevels
from engine.core.paths import asset_path
from engine.evaluation.eyes import best_cut, evaluate_eyes, has_eye_states
from engine.formats.images import write_picture
from engine.inference.card import read_card, write_card
from engine.inference.landmarker import Landmarks
from engine.inference.signals import LEFT_EYE, RIGHT_EYE
from tests.fakes.blinks import write_blinks
from tests.fakes.models import FAKE_CARD

RATIOS = [0.1, 0.2, 0.3, 0.25, 0.3, 0.4]
STATES = [0, 0, 0, 1, 1, 1]


class Lids:
    """Opens both eyes as far as the picture's brightness says, in percent of their width."""

    card, name = FAKE_CARD, "fake"

    def __init__(self, scale=1.0):
        self.scale, self.crops = scale, []

    def predict(self, picture, crop):
        self.crops.append(crop)
        points, half = np.zeros((68, 2), np.float32), picture[0, 0, 0] / 10 * self.scale / 2
        for eye in (RIGHT_EYE, LEFT_EYE):
            points[list(eye)] = (0, 0), (3, -half), (7, -half), (10, 0), (7, half), (3, half)
        return Landmarks(points, np.ones(68, np.float32), 0.0)


def write_pack(folder, ratios=RATIOS, states=STATES, **more):
    for number, ratio in enumerate(ratios):
        write_picture(folder / f"{number}.png", np.full((60, 60, 3), round(100 * ratio), np.uint8))
    arrays = {
        "image": np.array([f"{number}.png" for number in range(len(ratios))]),
        "state": np.array(states),
        "bbox": np.tile(np.float32([10, 10, 50, 50]), (len(ratios), 1)),
        "roll": np.full(len(ratios), 0.3, np.float32),
        **more,
    }
    np.savez(folder / "annotations.npz", **arrays)
    return folder


def test_figures_of_known_lids(tmp_path):
    model = Lids()
    done = evaluate_eyes(model, write_pack(tmp_path / "eyes"), None)
    assert (done.model, done.data, done.split, done.n, done.closed) == ("fake", "eyes", "all", 6, 3)
    assert done.eyes_auc == pytest.approx((3 + 3 + 1.5) / 9)
    assert (done.eyes_closed, done.eyes_open) == (pytest.approx(0.2), pytest.approx(0.3))
    assert done.eyes_cut == pytest.approx(0.225)
    assert done.eyes_right == pytest.approx(100 * (1 + 2 / 3) / 2)
    assert done.levels == EyeLevels(0.2, 0.3, 0.225)
    with pytest.raises(ValueError, match=r"right on 79\.9 % of the faces, not on 80 %"):
        replace(done, eyes_right=79.9).levels  # noqa: B018
    assert {(round(crop.side, 3), round(crop.roll, 3)) for crop in model.crops} == {(52.0, 0.3)}
    model.card = replace(FAKE_CARD, crop=replace(FAKE_CARD.crop, level=False))
    evaluate_eyes(model, tmp_path / "eyes", None)
    assert model.crops[-1].roll == 0


def test_only_faces_of_the_split_count_and_only_sure_ones(tmp_path):
    split, sure = np.array(["train"] * 5 + ["test"]), np.array([1, 1, 0, 1, 1, 1])
    folder = write_pack(tmp_path, split=split, sure=sure)
    done = evaluate_eyes(Lids(), folder, "train")
    assert (done.n, done.closed, done.eyes_auc) == (4, 2, 1.0)
    with pytest.raises(PackError, match="none has closed eyes"):
        evaluate_eyes(Lids(), folder, "test")
    assert evaluate_eyes(Lids(), folder, "train", {"0.png", "3.png", "5.png"}).n == 2
    with pytest.raises(PackError, match="no split “val”"):
        evaluate_eyes(Lids(), folder, "val")


def test_a_pack_without_boxes_and_numbers_that_are_none_are_refused(tmp_path):
    with pytest.raises(ModelError, match="not finite"):
        evaluate_eyes(Lids(np.nan), write_pack(tmp_path), None)
    arrays = dict(np.load(tmp_path / "annotations.npz"))
    assert has_eye_states(tmp_path)
    np.savez(tmp_path / "annotations.npz", **{name: arrays[name] for name in ("image", "state", "roll")})
    with pytest.raises(PackError, match="no array “bbox”"):
        evaluate_eyes(Lids(), tmp_path, None)
    np.savez(tmp_path / "annotations.npz", **arrays, landmarks=np.zeros((6, 68, 2), np.float32))
    assert not has_eye_states(tmp_path), "a pack with landmarks is measured by them"


def test_the_best_cut_lies_in_the_middle_of_the_best():
    assert best_cut(np.array([1.0, 2, 5, 6]), np.array([False, False, True, True])) == (3.5, 1.0)
    assert best_cut(np.array([1.0, 1]), np.array([False, True]))[1] == 0.5


@pytest.fixture
def blinks(tmp_path):
    return write_blinks(tmp_path / "blinks")


def test_evaluate_reports_eyes_and_notes_levels_of_the_training_faces_and_figures_of_others(blinks, tmp_path, capsys):
    for ending in (".tflite", ".json"):
        shutil.copy(asset_path("models", f"student-68{ending}"), tmp_path / f"own{ending}")
    command = ["evaluate", "--model", str(tmp_path / "own.tflite"), "--data", str(blinks), "--save-to-card", "--split"]
    before = read_card(tmp_path / "own.json")
    assert main([*command, "train"]) == 0
    assert "AUC of the eye opening  1.0000" in capsys.readouterr().out
    card = read_card(tmp_path / "own.json")
    assert card.eyes != before.eyes
    assert card.metrics == before.metrics
    assert main([*command, "test", "--json", str(tmp_path / "report.json")]) == 0
    again, report = read_card(tmp_path / "own.json"), json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert again.eyes == card.eyes
    assert again.metrics[:-1] == before.metrics[: len(again.metrics) - 1]
    assert {**again.metrics[-1], "model": "student-68"} == report
    assert report["eyes_closed"] < card.eyes.cut < report["eyes_open"]
    assert main([*command, "test"]) == 0
    assert read_card(tmp_path / "own.json").metrics == again.metrics, "in place of the former result"


@pytest.mark.parametrize(
    "unfit", [["--out", "x"], ["--box", "detector"], ["--normaliser", "box"], ["--predictions", "x.csv"]]
)
def test_what_needs_landmarks_is_refused_on_such_packs(tmp_path, capsys, unfit):
    assert main(["evaluate", "--data", str(write_pack(tmp_path)), *unfit]) == 1
    assert f"{unfit[0]} cannot be used with" in capsys.readouterr().err


def test_a_model_is_not_calibrated_by_faces_that_it_learned_from(blinks, tmp_path, capsys):
    for ending in (".tflite", ".json"):
        shutil.copy(asset_path("models", f"student-68{ending}"), tmp_path / f"own{ending}")
    card = read_card(tmp_path / "own.json")
    write_card(tmp_path / "own.json", replace(card, data="9 faces of faces (weight 1), blinks (weight 0.3)."))
    command = ["evaluate", "--model", str(tmp_path / "own.tflite"), "--data", str(blinks), "--save-to-card", "--split"]
    assert main([*command, "train"]) == 1
    assert "it learned from most of these faces" in capsys.readouterr().err.lower()
    assert main([*command, "test"]) == 0


def test_what_is_seen_in_mirror_images_too_goes_on_no_card(tmp_path, capsys):
    assert main(["evaluate", "--data", str(write_pack(tmp_path)), "--flip", "--save-to-card"]) == 1
    assert "What to do: Leave out --flip or --save-to-card." in capsys.readouterr().err


def test_a_model_that_sees_no_closed_eyes_is_not_calibrated(tmp_path, capsys):
    for ending in (".tflite", ".json"):
        shutil.copy(asset_path("models", f"student-68-lite{ending}"), tmp_path / f"own{ending}")
    noise = write_pack(tmp_path / "grey", [0.5] * 4, [0, 0, 1, 1], split=np.array(["train"] * 4))
    command = ["evaluate", "--model", str(tmp_path / "own.tflite"), "--data", str(noise), "--split", "train"]
    text = (tmp_path / "own.json").read_text(encoding="utf-8")
    assert main([*command, "--save-to-card"]) == 1
    assert "does not see well enough whether eyes are closed" in capsys.readouterr().err
    assert (tmp_path / "own.json").read_text(encoding="utf-8") == text
