"""What `understudy doctor` says of models that are not there.

The numbers in the names of tests are those of the catalogue of faults.
"""

from __future__ import annotations

import json

from app.cli import doctor
from app.cli.main import main
from engine.core.paths import asset_path
from engine.inference.library import ModelLibrary


def test_fault_10_the_doctor_names_the_path_of_a_missing_model_and_fails(capsys, tmp_path, monkeypatch):
    for name in ("good", "gone"):
        for ending in (".tflite", ".json"):
            (tmp_path / f"{name}{ending}").write_bytes(asset_path("models", f"student-68{ending}").read_bytes())
    (tmp_path / "gone.tflite").unlink()
    monkeypatch.setattr(doctor, "ModelLibrary", lambda: ModelLibrary((tmp_path,)))
    code = main(["doctor", "--json", "-"])
    checks = {check["what"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    assert code == 1
    assert checks["model good"]["state"] == "ok"
    assert checks["model gone"]["state"] == "wrong"
    assert str(tmp_path / "gone.tflite") in checks["model gone"]["detail"]


def test_the_doctor_names_a_mediapipe_that_sends_usage_figures(capsys, monkeypatch):
    monkeypatch.setattr(doctor, "mediapipe_tells", lambda: True)
    monkeypatch.setattr(doctor, "version", lambda name: "1.2.2")
    assert main(["doctor", "--json", "-"]) == 1
    checks = {check["what"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    assert checks["mediapipe"]["state"] == "wrong"
    assert "1.2.2 sends usage figures" in checks["mediapipe"]["detail"]


def test_the_report_has_the_log_and_the_last_crash_without_names(capsys, tmp_path, monkeypatch):
    for ending in (".tflite", ".json"):
        (tmp_path / f"secret{ending}").write_bytes(asset_path("models", f"student-68{ending}").read_bytes())
    (tmp_path / "secret.tflite").unlink()
    (tmp_path / "understudy.log").write_text("2026-11-28 10:00:00,123 INFO engine.sources.pictures: secret.png\n")
    (tmp_path / "last crash.txt").write_text("Fatal Python error: Aborted\n")
    monkeypatch.setattr(doctor, "ModelLibrary", lambda: ModelLibrary((tmp_path,)))
    monkeypatch.setattr(doctor, "log_path", lambda: tmp_path / "understudy.log")
    assert main(["doctor", "--report"]) == 1
    text = capsys.readouterr().out
    assert text.startswith("Understudy ")
    assert "wrong  model <name>" in text
    assert "Fatal Python error: Aborted" in text
    assert "INFO engine.sources.pictures: <name>" in text
    assert "secret" not in text
    assert str(tmp_path) not in text
