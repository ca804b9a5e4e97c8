"""Validation by groups: the figures, and where they are written."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from app.train.log_reader import read_run
from engine.core.errors import PackError
from engine.core.metrics import nme_box
from engine.core.schemes import IBUG_68, WFLW_98
from engine.formats.images import write_picture
from engine.inference.signals import LEFT_EYE, RIGHT_EYE, aspect_ratio
from tests.fakes.tiny_training import write_sample_pack
from trainer.data import validation_faces
from trainer.data.crops import load_crops
from trainer.data.validation_faces import EyeStates, load_eyes
from trainer.run import run
from trainer.run_recorder import Intervals, RunLog
from trainer.validate import HeldOut, Validation, box_errors, eye_ratios, validate


class Fixed(torch.nn.Module):
    """A network that says the same of every image, brighter images with wider eyes."""

    def __init__(self, points):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self._points = points

    def forward(self, images):
        opening = images.mean((1, 2, 3)) / 255 * 0.1
        points = self._points.repeat(len(images), 1, 1)
        for eye in (RIGHT_EYE, LEFT_EYE):
            points[:, eye[1:3], 1] -= opening[:, None]
        return SimpleNamespace(points=points)


def face(seed=0):
    return torch.rand(68, 2, generator=torch.Generator().manual_seed(seed))


def test_box_errors_are_those_of_the_engine():
    truth, points = face().repeat(2, 1, 1), face(1).repeat(2, 1, 1)
    labelled = torch.ones(2, 68)
    labelled[1, :20] = 0
    hidden = truth[1].numpy().copy()
    hidden[:20] = np.nan
    found = box_errors(points, SimpleNamespace(points=truth, labelled=labelled))
    expected = [nme_box(points[0].numpy(), truth[0].numpy()), nme_box(points[1].numpy(), hidden)]
    assert found.tolist() == pytest.approx(expected, rel=1e-5)


def test_a_face_whose_eye_corners_fall_together_does_not_count_as_in_the_engine(data, recipe):
    crops = load_crops(data, recipe.packs)
    good, none = crops.subset(torch.arange(3)), crops.subset(torch.arange(0))
    bad = crops.subset(torch.arange(4))
    right, left = IBUG_68.outer_eye_corners
    bad.faces.points[3, left] = bad.faces.points[3, right]
    network = Fixed(face())
    expected = validate(network, HeldOut(good, none), recipe).nme
    assert validate(network, HeldOut(bad, none), recipe).nme == pytest.approx(expected, rel=1e-6)


def test_eye_ratios_are_those_of_the_engine_in_each_markup():
    points = face()
    expected = np.mean([aspect_ratio(points[list(eye)].tolist()) for eye in (RIGHT_EYE, LEFT_EYE)])
    assert float(eye_ratios(points[None], IBUG_68)) == pytest.approx(expected, rel=1e-5)
    more = torch.rand(1, 98, 2)
    more[0, list(WFLW_98.as_68)] = points
    assert float(eye_ratios(more, WFLW_98)) == pytest.approx(expected, rel=1e-5)
    assert float(eye_ratios(torch.full((1, 68, 2), 0.5), IBUG_68)) == 0, "an eye without a width is no number else"


def test_each_group_has_its_figure(data, recipe):
    crops = load_crops(data, recipe.packs)
    one, other = crops.subset(torch.arange(4)), crops.subset(torch.arange(4, 8))
    network = Fixed(face())
    images = torch.stack([torch.full((3, 64, 64), value, dtype=torch.uint8) for value in (10, 90, 50, 200)])
    plain = validate(network, HeldOut(one, crops.subset(torch.arange(0))), recipe)
    assert (plain.turned_nme_box, plain.eyes_auc) == (None, None)
    assert plain.numbers() == {"nme": plain.nme}
    full = validate(network, HeldOut(one, other, EyeStates(images, torch.tensor([False, False, True, True]))), recipe)
    assert full.nme == plain.nme
    assert full.turned_nme_box > 0
    assert full.eyes_auc == 0.75, "one pair of four is the wrong way round"
    assert "turned heads" in str(full)
    assert "turned" not in str(plain)


@pytest.fixture
def grouped(monkeypatch, tmp_path):
    """Packs with turned heads and eyes, a list that names some, and the recipe's own pack."""
    names = [f"eyes_state/images/{index}.png" for index in range(4)]
    groups = {"300w": [], "turned": ["faces/images/1.png", "faces/images/2.png"], "eyes": names, "kept_out": []}
    (tmp_path / "list.json").write_text(json.dumps(groups), encoding="utf-8")
    monkeypatch.setattr(validation_faces, "FILE", tmp_path / "list.json")
    validation_faces._groups.cache_clear()
    write_sample_pack(tmp_path / "faces")
    write_sample_pack(
        tmp_path / "eyes_state",
        5,
        bbox=np.tile(np.float32([100, 100, 300, 320]), (5, 1)),
        roll=np.zeros(5, np.float32),
        state=np.uint8([0, 1, 0, 1, 1]),
    )
    yield tmp_path
    validation_faces._groups.cache_clear()


def test_a_run_writes_each_group_in_a_column_and_the_window_reads_on(grouped, recipe):
    out = grouped / "run"
    run(recipe, grouped, out, "cpu", False, Intervals(validate_every=3, checkpoint_every=3))
    header, *rows = (out / "validation.csv").read_text().splitlines()
    assert header == "step,nme,turned_nme_box,eyes_auc"
    assert len(rows) == 2
    assert 0 <= float(rows[-1].split(",")[3]) <= 1
    assert len(read_run(out).errors) == 2


def test_a_run_from_before_goes_on_and_its_log_gets_the_columns(grouped, recipe, monkeypatch, capsys):
    out = grouped / "run"
    with monkeypatch.context() as before:
        before.setattr("trainer.run.load_eyes", lambda *_: None)
        before.setattr(
            "trainer.data.held_out.split_validation", lambda crops, every: (crops, crops, crops.subset(torch.arange(0)))
        )
        run(replace(recipe, steps=3), grouped, out, "cpu", False, Intervals(validate_every=3, checkpoint_every=3))
    before_rows = (out / "validation.csv").read_text().splitlines()
    assert before_rows[0] == "step,nme"
    monkeypatch.setattr("trainer.run.refuse_other_recipe", lambda *_: None)
    run(recipe, grouped, out, "cpu", True, Intervals(validate_every=3, checkpoint_every=3))
    header, first, second = (out / "validation.csv").read_text().splitlines()
    assert header == "step,nme,turned_nme_box,eyes_auc"
    assert first == before_rows[1]
    assert second.count(",") == 3
    assert len(read_run(out).errors) == 2
    assert "The run began with 24 faces; 19 are left" in capsys.readouterr().err


def test_a_log_keeps_its_columns_when_a_number_is_missing(tmp_path):
    log = RunLog(tmp_path)
    log.write("validation", 1, {"nme": 2.0, "more": 3.0})
    log.write("validation", 2, {"nme": 1.0})
    log.close()
    assert (tmp_path / "validation.csv").read_text().splitlines() == ["step,nme,more", "1,2,3", "2,1,"]


def test_eyes_without_their_arrays_get_a_sentence_and_no_pack_is_no_error(grouped, recipe):
    assert load_eyes(grouped / "nowhere", 1.3, 32) is None
    write_sample_pack(grouped / "eyes_state", 4)
    with pytest.raises(PackError, match="no array “bbox”.*state of the eyes"):
        load_eyes(grouped, 1.3, 32)


def test_eyes_are_cut_out_by_box_and_roll(grouped):
    picture = np.zeros((400, 400, 3), np.uint8)
    picture[150:250, 150:250] = (200, 100, 50)
    for index in range(4):
        write_picture(grouped / "eyes_state" / "images" / f"{index}.png", picture)
    box = np.tile(np.float32([150, 150, 250, 250]), (5, 1))
    with np.load(grouped / "eyes_state" / "annotations.npz") as archive:
        arrays = {**archive, "bbox": box, "roll": np.full(5, np.pi / 4, np.float32)}
    np.savez(grouped / "eyes_state" / "annotations.npz", **arrays)
    eyes = load_eyes(grouped, 1.3, 50)
    assert eyes.open.tolist() == [False, True, False, True]
    assert eyes.images[0, :, 25, 25].tolist() == [200, 100, 50]
    # Turned by 45 degrees, the square stands on a corner: it reaches the middle of the edges, not the corners.
    assert eyes.images[0, :, 25, 1].tolist() == [200, 100, 50]
    assert eyes.images[0, :, 4, 4].tolist() == [0, 0, 0]


def test_the_text_shows_what_there_is():
    assert str(Validation(3.0)) == "NME 3.000 %"
    assert str(Validation(3.0, 4.5, 0.9)) == "NME 3.000 %, turned heads 4.500 % of the box, closed eyes AUC 0.900"
