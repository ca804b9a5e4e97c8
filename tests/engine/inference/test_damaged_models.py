"""Damage that no checksum shows, because the card agrees with it: refused by name, or harmless."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from engine.core.errors import ModelError
from engine.core.paths import asset_path
from engine.inference.landmarker import load_landmarker
from engine.inference.library import DEFAULT_MODEL
from engine.inference.runtime import Runtime
from tests.fakes import mutated_models

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = asset_path("models", f"{DEFAULT_MODEL}.tflite")


def test_fault_12_no_damage_behind_the_right_mark_brings_the_program_down(tmp_path):
    command = [sys.executable, "-m", mutated_models.__name__, str(SHIPPED), str(tmp_path), "60"]
    child = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert child.returncode == 0, child.stderr[-2000:]
    outcomes = [json.loads(line)["error"] for line in child.stdout.splitlines()]
    refused = [error for error in outcomes if error]
    assert len(outcomes) == 60
    assert len(refused) >= 30, "everything cut off, and all noise"
    assert all(mutated_models.MODEL in error for error in refused), "the sentence names the file"


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.99999])
def test_fault_11_a_truncated_model_that_its_card_vouches_for_is_refused(tmp_path, share):
    content = SHIPPED.read_bytes()
    model = tmp_path / "cut.tflite"
    mutated_models.write_vouched(model, content[: int(share * len(content))], SHIPPED.with_suffix(".json"))
    with pytest.raises(ModelError, match=r"cut\.tflite cannot be loaded"):
        load_landmarker(model)


class Damaged:
    """An interpreter whose tables are damaged in a place that is not looked at when it is made."""

    def __init__(self, **_) -> None:
        pass

    def allocate_tensors(self) -> None:
        pass

    def get_input_details(self):
        return [{"index": 0, "shape": (1, 4, 4, 3), "dtype": float}]

    def get_output_details(self):
        return [{"index": 1, "shape": (1, 68, 2), "dtype": float}]

    def invoke(self) -> None:
        raise RuntimeError("node 3 (CONV_2D) failed to invoke")


class BadNames(Damaged):
    def get_output_details(self):
        return [{"name": b"\xfb".decode()}]


class NoInputs(Damaged):
    def get_input_details(self):
        return []


@pytest.mark.parametrize("interpreter", [BadNames, NoInputs])
def test_fault_12_damaged_tables_are_refused_when_the_model_is_loaded(monkeypatch, interpreter):
    monkeypatch.setattr("engine.inference.runtime._interpreter_class", lambda: interpreter)
    with pytest.raises(ModelError, match=r"The model x\.tflite cannot be loaded"):
        Runtime(b"1234TFL3", "The model x.tflite")


def test_fault_12_a_model_that_fails_while_it_runs_is_named(monkeypatch):
    monkeypatch.setattr("engine.inference.runtime._interpreter_class", lambda: Damaged)
    with pytest.raises(ModelError, match=r"The model x\.tflite failed while it ran \(node 3"):
        Runtime(b"1234TFL3", "The model x.tflite").run()
