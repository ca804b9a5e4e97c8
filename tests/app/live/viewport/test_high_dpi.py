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
