"""The README's lines and the programs in docs/examples run as they stand."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.core.paths import asset_path
from engine.formats.images import read_picture, write_picture
from engine.sources.sample import SampleClip

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "docs" / "examples"
PORTRAIT = asset_path("sample", "portrait.png")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}


def run(folder: Path, *command: object) -> str:
    """Run a program and return what it wrote; it must end well."""
    words = [sys.executable, *map(str, command)]
    done = subprocess.run(
        words, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, encoding="utf-8", timeout=240
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def pack(tmp_path):
    """A pack of five frames of the sample, as its test split."""
    clip, folder = SampleClip(), tmp_path / "PACK"
    frames = [clip.frame(number) for number in (0, 40, 80, 120, 160)]
    names = [f"images/{index}.png" for index in range(5)]
    for name, (image, _) in zip(names, frames, strict=True):
        write_picture(folder / name, image)
    truth = np.stack([truth.points for _, truth in frames])
    np.savez(folder / "annotations.npz", image=names, landmarks=truth, split=["test"] * 5)
    return folder


def test_the_lines_in_the_readme_run(pack, tmp_path):
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.S | re.M)
    assert len(blocks) == 1
    assert len(blocks[0].splitlines()) <= 10
    shutil.copy(PORTRAIT, tmp_path / "portrait.png")
    (tmp_path / "lines.py").write_text(blocks[0], encoding="utf-8")
    lines = run(tmp_path, "lines.py").splitlines()
    assert float(lines[-1]) < 5, "the error on the sample, in percent of the eye distance"
    assert len(lines) == 1 + 100 + 1, "one face, frames of the sample, a figure"


def test_every_example_is_tested_and_named_in_the_list():
    here, listed = Path(__file__).read_text(encoding="utf-8"), (EXAMPLES / "README.md").read_text(encoding="utf-8")
    names = sorted(file.name for file in EXAMPLES.glob("*.py"))
    assert len(names) == 5
    assert [name for name in names if f'EXAMPLES / "{name}"' not in here or f"({name})" not in listed] == []


def test_landmarks_of_a_picture(tmp_path):
    text = run(tmp_path, EXAMPLES / "picture.py", PORTRAIT, "drawn.png")
    assert re.search(r"a face of score 0\.9\d|a face of score 1\.00", text)
    before, after = read_picture(PORTRAIT), read_picture(tmp_path / "drawn.png")
    lime = (after == (0, 255, 0)).all(-1)
    assert before.shape == after.shape
    assert 68 * 5 < lime.sum() < 68 * 30


def test_landmarks_of_a_camera(tmp_path):
    lines = run(tmp_path, EXAMPLES / "camera.py", "sample", 3).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["frame 0", "frame 1", "frame 2"]
    assert all(re.search(r"face 1 is turned by -?\d+ degrees, its mouth \d+% open", line) for line in lines)


def test_an_own_filter(tmp_path):
    clip, sample = tmp_path / "clip.mp4", SampleClip()
    pictures = [sample.frame(number)[0] for number in range(3)]
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter.fourcc(*"mp4v"), 25.0, pictures[0].shape[1::-1])
    for picture in pictures:
        writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    writer.release()
    run(tmp_path, EXAMPLES / "own_filter.py", clip, "hidden.mp4")
    video = cv2.VideoCapture(str(tmp_path / "hidden.mp4"))
    pictures = [video.read()[1] for _ in range(3)]
    assert not video.read()[0]
    eyes = sample.frame(0)[1].points[36:48].mean(0).astype(int)
    assert pictures[0][eyes[1], eyes[0]].max() < 30, "the bar is black between the eyes"
    assert sample.frame(0)[0][eyes[1], eyes[0]].max() > 60, "where skin was"


def test_a_receiver(tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, str(EXAMPLES / "receive.py"), str(port)]
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as receiver:
        try:
            assert receiver.stdout.readline() == "waiting\n"
            address = f"udp://127.0.0.1:{port}"
            run(ROOT, "-m", "app", "run", "sample", "--headless", "--frames", 20, "--stream", address)
            assert re.fullmatch(r"frame \d+: face 1 has blinked 0 times\n", receiver.stdout.readline())
        finally:
            receiver.kill()


def test_evaluation_of_own_points(pack, tmp_path):
    lines = run(tmp_path, EXAMPLES / "evaluate_own.py", pack).splitlines()
    own, student = (float(re.search(r"([\d.]+) %", line)[1]) for line in lines)
    assert lines[0].endswith("on 5 faces")
    assert 0 < student < 5
    assert own != student
