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
