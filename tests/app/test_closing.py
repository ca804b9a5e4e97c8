"""Closing the window at any moment, while everything runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from tests.app import closing

ROOT = Path(__file__).resolve().parents[2]
COUNT, EVERY = 200, 20  # windows, and of how many one has the real engine


def playable(path: Path) -> bool:
    return bool(cv2.VideoCapture(str(path), cv2.CAP_FFMPEG).grab())


@pytest.mark.timeout(400)  # a third of it on an idle machine
def test_fault_04_two_hundred_windows_are_closed_at_random_moments_while_everything_runs(tmp_path):
    command = [sys.executable, "-m", closing.__name__, str(tmp_path), str(COUNT), str(EVERY)]
    child = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=380)
    assert child.returncode == 0, child.stderr[-3000:]
    assert child.stdout == f"closed {COUNT} windows\n"
    for word in ("QThread", "QObject::", "Traceback", "is abandoned", "Destroyed"):
        assert word.casefold() not in child.stderr.casefold(), child.stderr[-3000:]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in files if path.name.startswith(".")], "nothing is left half written"
    videos = [path for path in files if path.suffix == ".mp4"]
    logs = [path for path in files if path.suffix == ".jsonl"]
    assert len(videos) > COUNT / 5
    assert len(logs) > COUNT / 10
    assert all(playable(path) for path in videos)
    assert all(json.loads(line)["faces"] is not None for path in logs for line in path.read_text("utf-8").splitlines())
