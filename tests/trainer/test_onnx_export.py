"""Export to ONNX: the model computes what the trained one does, or it is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from app.cli import export as command
from app.cli.main import main
from engine.core.paths import asset_path
from engine.inference.card import read_card
from tests.fakes.tiny_training import tiny_recipe
from trainer import onnx_export as module
from trainer.checkpoint import LAST
from trainer.init.initialise import load_network
from trainer.run import run
from trainer.run_recorder import Intervals
from trainer.tflite.export import LARGEST_DIFFERENCE, ExportError

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")
LITE = asset_path("models", "student-68-lite.tflite")


@pytest.fixture(scope="module")
def checkpoint(data, tmp_path_factory) -> Path:
    """The last checkpoint of three steps."""
    recipe = replace(tiny_recipe(), steps=3, batch=8)
    return run(recipe, data, tmp_path_factory.mktemp("run"), "cpu", intervals=Intervals(3, 3)).with_name(LAST)


def test_a_checkpoint_becomes_a_model_of_the_contract_with_its_card(checkpoint, tmp_path):
    done = module.export_onnx(checkpoint, tmp_path / "tiny.onnx", "teacher")
    card, content = read_card(done.card), done.model.read_bytes()
    assert done.difference <= LARGEST_DIFFERENCE
    assert (card.name, card.role, card.bytes, card.precision) == ("tiny", "teacher", len(content), "float32")
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    side = card.input_size
    assert [(each.name, each.shape) for each in session.get_inputs()] == [("image", [1, side, side, 3])]
    outputs = [(each.name, each.shape) for each in session.get_outputs()]
    assert outputs == [("points", [1, 68, 2]), ("confidence", [1, 68])]
    image = np.random.default_rng(0).integers(0, 256, (1, side, side, 3)).astype(np.float32)
    points, confidence = session.run(None, {"image": image})
    with torch.no_grad():
        expected = load_network(checkpoint)(torch.from_numpy(image).permute(0, 3, 1, 2))
    assert points == pytest.approx(expected.points.numpy(), abs=1e-4)
    assert confidence == pytest.approx(torch.sigmoid(expected.confidence_logits).numpy(), abs=1e-4)


def test_a_shipped_model_keeps_what_its_card_says_but_its_results(tmp_path, capsys):
    name = tmp_path / "lite"
    assert main(["export", LITE.stem, "--onnx", "--out", str(name), "--json", "-"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["difference"] <= LARGEST_DIFFERENCE
    before, after = read_card(LITE.with_suffix(".json")), read_card(name.with_suffix(".json"))
    assert (after.label_shift, after.eyes, after.data) == (before.label_shift, before.eyes, before.data)
    assert (after.metrics, after.name) == ((), "lite")


def test_a_model_that_computes_something_else_is_refused(checkpoint, tmp_path, monkeypatch):
    content = module.to_onnx(load_network(checkpoint))
    network = load_network(checkpoint)
    with torch.no_grad():
        network.cells.copy_(network.cells.flip(1))
    monkeypatch.setattr(module, "load_network", lambda path: network)
    monkeypatch.setattr(module, "to_onnx", lambda network: content)
    with pytest.raises(ExportError, match="differs from the trained one"):
        module.export_onnx(checkpoint, tmp_path / "bad.onnx")
    assert list(tmp_path.iterdir()) == []


def test_the_card_of_a_tflite_model_is_not_taken(tmp_path, capsys):
    (tmp_path / "mine.tflite").write_bytes(b"a model")
    assert main(["export", str(LITE), "--onnx", "--out", str(tmp_path / "mine")]) == 1
    said = capsys.readouterr().err
    assert "has the name “mine” already" in said
    assert "such as mine-onnx" in said


def test_missing_packages_are_named(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(command, "ONNX_PACKAGES", ("no_such_package",))
    assert main(["export", str(LITE), "--onnx", "--out", str(tmp_path / "mine")]) == 1
    said = capsys.readouterr().err
    assert "not installed (no_such_package)" in said
    assert "[onnx]" in said
