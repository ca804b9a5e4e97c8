"""Models that no exception stops: they are tried in a child process, and refused in a sentence."""

from __future__ import annotations

import subprocess
import sys

import pytest

from engine.core.errors import ModelError
from engine.core.paths import asset_path
from engine.inference import trial
from engine.inference.landmarker import load_landmarker
from tests.fakes.killing_model import SHIPPED, write_killing_model
from tests.fakes.mutated_models import write_vouched


@pytest.fixture
def notes(monkeypatch, tmp_path):
    """The folder of what has passed, empty."""
    monkeypatch.setattr(trial, "user_cache_path", lambda *_, **__: tmp_path / "cache")
    return tmp_path / "cache" / "tried models"


@pytest.fixture
def trials(monkeypatch):
    """The names of the models that were tried."""
    tried = []
    run = subprocess.run

    def noted(command, **more):
        tried.append(command[-1])
        return run(command, **more)

    monkeypatch.setattr(trial.subprocess, "run", noted)
    return tried


def own_model(path):
    """Write a model that works and is not shipped: the table at its end has one byte more."""
    write_vouched(path, SHIPPED.read_bytes() + b"\0", SHIPPED.with_suffix(".json"))
    return path


def test_fault_12_a_model_that_kills_its_process_is_refused_by_name(tmp_path, notes):
    write_killing_model(tmp_path / "seg.tflite")
    for _ in range(2):  # a refusal is not taken for a pass
        with pytest.raises(ModelError, match=r"The model seg\.tflite brings down .*SIG") as refused:
            load_landmarker(tmp_path / "seg.tflite")
    assert "choose another model" in refused.value.fix
    assert not notes.exists()


def test_a_model_of_the_users_own_is_tried_once(tmp_path, notes, trials):
    model = own_model(tmp_path / "own.tflite")
    assert load_landmarker(model).card.scheme == 68
    assert len(list(notes.iterdir())) == 1
    load_landmarker(model)
    assert trials == ["The model own.tflite"]


def test_a_shipped_model_is_not_tried_wherever_it_lies(tmp_path, notes, trials):
    write_vouched(tmp_path / "copy.tflite", SHIPPED.read_bytes(), SHIPPED.with_suffix(".json"))
    load_landmarker(tmp_path / "copy.tflite")
    load_landmarker(asset_path("models", "student-68.tflite"))
    assert trials == []


def test_what_python_reports_in_the_child_is_the_refusal(tmp_path, notes):
    write_vouched(tmp_path / "cut.tflite", SHIPPED.read_bytes()[:1000], SHIPPED.with_suffix(".json"))
    with pytest.raises(ModelError, match=r"The model cut\.tflite cannot be loaded") as refused:
        load_landmarker(tmp_path / "cut.tflite")
    assert refused.value.fix.startswith("copy the model file again")


def test_a_model_that_never_ends_is_refused(tmp_path, notes, monkeypatch):
    monkeypatch.setattr(trial, "TIMEOUT", 0.5)
    run = subprocess.run
    endless = [sys.executable, "-c", "import time; time.sleep(60)"]
    monkeypatch.setattr(trial.subprocess, "run", lambda command, **more: run(endless, **more))
    with pytest.raises(ModelError, match=r"own\.tflite gave no result within 0\.5 s"):
        load_landmarker(own_model(tmp_path / "own.tflite"))


def test_a_cache_that_cannot_be_written_prevents_nothing(tmp_path, monkeypatch, trials, caplog):
    (tmp_path / "file").touch()
    monkeypatch.setattr(trial, "user_cache_path", lambda *_, **__: tmp_path / "file")
    model = own_model(tmp_path / "own.tflite")
    load_landmarker(model)
    load_landmarker(model)
    assert len(trials) == 2
    assert "will be tried again" in caplog.text
