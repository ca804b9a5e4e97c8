"""Every signal that asks to end leaves recordings that play, without a window and with one."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engine.core.interruption import SIGNALS

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows ends other programs without a signal")

PATIENCE = 60  # seconds
ENOUGH = 300_000  # bytes of a recording at work: dozens of frames
# Where the tests were started by nohup, the signal would be ignored.
HEEDED = "import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"
HEADLESS = "import sys; from app.cli.main import main; sys.exit(main(sys.argv[1:]))"
# The window on the sample, which records as if the key had been pressed. Each picture that the recorder takes gets its
# number as a row of black and white squares, and a moment at 25 a second, so that none is due twice or never.
# A Ctrl-C at the moment in which a part of the program is looked for.
LOADING = """
import os, signal, sys
class Stop:
    def find_spec(self, name, *_):
        if name == sys.argv[-1]:
            os.kill(os.getpid(), signal.SIGINT)
signal.signal(signal.SIGINT, signal.default_int_handler)
from app.__main__ import main
sys.meta_path.insert(0, Stop())
part = sys.argv[-1]
sys.argv[1:] = ["predict", part, "--out", part]
sys.exit(main())
"""
SQUARE, BITS = 16, 12
WINDOW = """
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
from app.live.outputs import Recording
from app.shell.main_window import MainWindow
from engine.output.recorder import LiveRecorder
start, folder, add = MainWindow.start, Path(sys.argv.pop()), LiveRecorder.add
taken = 0
def add_marked(recorder, picture, moment):
    global taken
    marked = picture.copy()
    for bit in range(12):
        marked[:16, 16 * bit : 16 * (bit + 1), :3] = 255 * (taken >> bit & 1)
    if add(recorder, marked, taken / 25):
        taken += 1
        with (folder / "taken.txt").open("a") as notes:
            notes.write("x")
    return True
LiveRecorder.add = add_marked
def start_and_record(window, *what):
    start(window, *what)
    window.live.outputs._folder = folder
    QTimer.singleShot(1000, lambda: window.live.outputs.record(Recording.VIEW))
MainWindow.start = start_and_record
from app.cli.main import main
sys.exit(main(["run", "sample"]))
"""


def begin(code: str, home: Path, *words: object) -> subprocess.Popen[str]:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(home), "XDG_CONFIG_HOME": str(home / "c")}
    process = subprocess.Popen(
        [sys.executable, "-c", HEEDED + code, *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    deadline = time.monotonic() + PATIENCE
    while sum(file.stat().st_size for file in home.glob(".*.mp4")) < ENOUGH and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    return process


def end(process: subprocess.Popen[str]) -> tuple[str, str]:
    try:
        return process.communicate(timeout=PATIENCE)
    finally:
        process.kill()


def pictures_of(path: Path) -> Iterator[NDArray[np.uint8]]:
    video = cv2.VideoCapture(str(path))
    while (read := video.read())[0]:
        yield read[1]
    video.release()


def frames_of(path: Path) -> int:
    return sum(1 for _ in pictures_of(path))


def mark_of(picture: NDArray[np.uint8]) -> int:
    """The number that a picture of the window was given."""
    middles = picture[SQUARE // 2, SQUARE // 2 : SQUARE * BITS : SQUARE].mean(axis=1)
    return sum(1 << bit for bit in range(BITS) if middles[bit] > 127)


@pytest.mark.parametrize("number", SIGNALS)
def test_fault_64_a_recording_without_a_window_holds_every_frame_after_a_signal(tmp_path, number):
    words = ("run", "sample", "--headless", "--frames", 1_000_000, "--record", tmp_path / "r.mp4")
    process = begin(HEADLESS, tmp_path, *words)
    process.send_signal(number)
    out, errors = end(process)
    assert process.returncode == 128 + number, errors
    assert "Interrupted; what was done until then is kept." in errors
    reported = re.search(r"(\d+) frames, a face", out)
    assert reported is not None, out
    assert frames_of(tmp_path / "r.mp4") == int(reported[1]) > 10
    assert [file.name for file in tmp_path.glob("*r*.mp4")] == ["r.mp4"]


@pytest.mark.parametrize("number", SIGNALS)
def test_fault_64_a_recording_of_the_window_holds_every_frame_after_a_signal(tmp_path, number):
    process = begin(WINDOW, tmp_path, tmp_path)
    process.send_signal(number)
    _, errors = end(process)
    assert process.returncode == 128 + number, errors
    (recording,) = tmp_path.glob("*.mp4")
    assert not recording.name.startswith(".")
    taken = len((tmp_path / "taken.txt").read_text())
    assert [mark_of(picture) for picture in pictures_of(recording)] == list(range(taken))
    assert taken > 10


def test_fault_64_a_filter_on_a_video_keeps_what_was_drawn(tmp_path):
    writer = cv2.VideoWriter(str(tmp_path / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 25, (1280, 720))
    picture = cv2.resize(cv2.imread("assets/sample/portrait.png"), (1280, 720))
    for _ in range(600):
        writer.write(picture)
    writer.release()
    process = begin(HEADLESS, tmp_path, "filter", "apply", "mask", tmp_path / "clip.avi", "--out", tmp_path / "r.mp4")
    process.send_signal(signal.SIGTERM)
    out, errors = end(process)
    assert process.returncode == 128 + signal.SIGTERM, errors
    written = int(out.split()[0])
    assert frames_of(tmp_path / "r.mp4") == written < 600


@pytest.mark.parametrize("part", ["app.cli.main", "numpy", "app.cli.predict"])
def test_fault_64_ctrl_c_while_the_program_loads_ends_it_without_a_traceback(part):
    ended = subprocess.run([sys.executable, "-c", LOADING, part], capture_output=True, text=True, timeout=PATIENCE)
    assert (ended.returncode, ended.stderr) == (-signal.SIGINT, "")
