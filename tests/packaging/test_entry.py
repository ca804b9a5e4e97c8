"""What the bundle starts: the window, the command line, children, and a refusal where a library was cut off."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.core.manifest import write_manifest
from engine.core.paths import asset_path

ROOT = Path(__file__).resolve().parents[2]
ENTRY = ROOT / "packaging" / "entry.py"


def start(*words: str, content: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, ENTRY, *words], input=content, capture_output=True, env=environment, timeout=120
    )


def test_a_model_is_tried_in_a_child_as_python_would_run_the_module():
    model = asset_path("models", "student-68-lite.tflite").read_bytes()
    done = start("-m", "engine.inference.trial", "mine.tflite", content=model)
    assert (done.returncode, done.stdout) == (0, b"")
    done = start("-m", "engine.inference.trial", "mine.tflite", content=b"rubbish, not a model")
    assert json.loads(done.stdout)[0] == "mine.tflite is not a TFLite model, nor an ONNX model"


@pytest.mark.parametrize("module", ["os", "http.server", "apparatus", "engineering.x"])
def test_other_modules_are_not_run(module):
    assert start("-m", module).returncode == 2


@pytest.mark.parametrize(("words", "expected"), [([], ["run"]), (["models"], ["models"]), (["-m"], ["-m"])])
def test_the_command_line_gets_the_words_and_without_any_the_window_opens(load, monkeypatch, words, expected):
    seen = []
    monkeypatch.setattr("app.__main__.main", lambda arguments: seen.append(arguments) or 5)
    monkeypatch.setattr(sys, "argv", ["understudy", *words])
    assert load("entry").main() == 5
    assert seen == [expected]


@pytest.fixture
def bundle(load, monkeypatch, tmp_path):
    """The module `entry` in a bundle with two libraries and a picture."""
    for name in ("one.so", "two.dll", "three.png"):
        (tmp_path / name).write_bytes(b"12345")
    write_manifest(tmp_path)
    entry = load("entry")
    monkeypatch.setattr(entry, "ASSETS", tmp_path / "assets")
    monkeypatch.setattr("app.__main__.main", lambda _: 0)
    return entry


def test_a_library_that_was_cut_off_is_named_before_it_is_loaded(bundle, monkeypatch, tmp_path, capsys):
    (tmp_path / "one.so").write_bytes(b"123")
    (tmp_path / "two.dll").unlink()
    monkeypatch.setattr(sys, "argv", ["understudy", "run"])
    assert bundle.main() == 1
    assert capsys.readouterr().err.startswith("Understudy cannot start: one.so, two.dll are damaged or missing.\n")


@pytest.mark.parametrize("word", ["--self-test", "self-test"])
def test_the_self_test_runs_all_the_same(bundle, monkeypatch, tmp_path, word):
    (tmp_path / "one.so").unlink()
    monkeypatch.setattr(sys, "argv", ["understudy", word])
    assert bundle.main() == 0


def test_a_picture_that_is_missing_is_no_reason_not_to_start(bundle, monkeypatch, tmp_path):
    (tmp_path / "three.png").unlink()
    monkeypatch.setattr(sys, "argv", ["understudy"])
    assert bundle.main() == 0
