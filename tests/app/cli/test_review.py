"""`understudy review` on the real command line: the window shows the session, and bad names get a sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from app.cli import review
from app.cli.main import main
from tests.fakes.session_logs import logged_clip

ROOT = Path(__file__).resolve().parents[3]


def reviewed(folder: Path, log: Path, picture: Path) -> subprocess.CompletedProcess[str]:
    """Review a log in a process of its own, which ends with a picture of its window."""
    folders = {f"XDG_{kind}_HOME": str(folder / kind) for kind in ("CONFIG", "DATA", "STATE", "CACHE")}
    environment = {**os.environ, **folders, "HOME": str(folder), "QT_QPA_PLATFORM": "offscreen"}
    return subprocess.run(
        [sys.executable, "-m", "app", "review", log, "--screenshot", picture],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_the_window_shows_the_session_without_a_model_or_a_camera(tmp_path):
    picture = tmp_path / "window.png"
    done = reviewed(tmp_path, logged_clip(tmp_path), picture)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "XNNPACK" not in done.stderr, "no model is loaded"
    shown = cv2.imread(str(picture))
    red = (shown[..., 2] > 150) & (shown[..., 1] < 60) & (shown[..., 0] < 60)
    assert red.mean() > 0.05, "the left half of the clip is red"


def test_fault_91_a_log_of_which_nothing_can_be_shown_makes_the_exit_code_1(tmp_path):
    (tmp_path / "empty.jsonl").touch()
    done = reviewed(tmp_path, tmp_path / "empty.jsonl", tmp_path / "window.png")
    assert done.returncode == 1
    assert "empty.jsonl holds no frame of a log" in done.stderr
    assert (tmp_path / "window.png").is_file(), "the window said so too"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing.jsonl"], "There is no log nothing.jsonl"),
        (["clip.avi"], "does not end in .jsonl or .csv"),
        (["clip landmarks.jsonl", "nothing.mp4"], "There is no clip nothing.mp4"),
        (["clip landmarks.jsonl", "--screenshot", "clip.avi"], "clip.avi"),
    ],
)
def test_fault_91_what_is_not_there_is_named(tmp_path, monkeypatch, capsys, arguments, words):
    logged_clip(tmp_path)
    monkeypatch.chdir(tmp_path)
    before = (tmp_path / "clip.avi").read_bytes()
    assert main(["review", *arguments]) == 1
    assert words in capsys.readouterr().err
    assert (tmp_path / "clip.avi").read_bytes() == before


def test_without_a_display_a_sentence_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(review, "display_problem", lambda: "No display was found")
    assert main(["review", str(logged_clip(tmp_path))]) == 1
    assert "No display was found" in capsys.readouterr().err
