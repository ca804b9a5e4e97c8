"""The picture on screens of every scale: what is drawn on it lands where it belongs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]


@pytest.mark.parametrize("scale", [1.0, 1.25, 1.5, 2.0])
def test_fault_53_overlay_and_split_line_are_right_at_every_scale(scale):
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": str(scale)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.app.scaled_view"],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["scale"] == scale, "Qt did not take the scale"
    assert set(seen["marks"]) == {"single", "side_by_side", "split"}
    assert max(seen["marks"].values()) <= 1, seen
    assert seen["split"] <= 1, seen


@pytest.mark.parametrize("scale", [1.25, 2.0])
def test_fault_92_a_window_that_is_dragged_to_a_screen_of_another_scale_is_painted_again(scale, tmp_path):
    screens = [
        {"name": "laptop", "x": 0, "y": 0, "width": 1600, "height": 1000},
        {"name": "projector", "x": 1600, "y": 0, "width": 2560, "height": 1600},
    ]
    for screen in screens:
        screen.update({"logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1})
    configuration = tmp_path / "screens.json"
    configuration.write_text(json.dumps({"screens": screens}), encoding="utf-8")
    environment = {
        **os.environ,
        "QT_QPA_PLATFORM": f"offscreen:configfile={configuration}",
        "QT_SCREEN_SCALE_FACTORS": f"laptop=1;projector={scale}",
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.app.scaled_view", "moved"],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["scale"] == scale, "the window is not on the second screen"
    assert max(seen["marks"].values()) <= 1, seen
    assert seen["split"] <= 1, seen
    assert all(seen["plates"].values()), seen
