"""The real window on a virtual screen: started by its command, driven by keys, looked at by its pixels."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageGrab

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("Xvfb", "xdotool")
SCREEN = (1300, 820)
ALERT = (0x5A, 0x1F, 0x24)  # the banner's colour
PANEL = (0x1A, 0x1D, 0x22)  # the side panel's
WAIT = 30.0  # seconds for what takes one or two on an idle machine

pytestmark = [
    pytest.mark.skipif(
        any(shutil.which(tool) is None for tool in TOOLS), reason="needs a virtual screen: apt-get install xvfb xdotool"
    ),
    pytest.mark.skipif(
        not (ROOT / "assets" / "models" / "student-68.tflite").is_file(), reason="the model was not trained yet"
    ),
]


class Desktop:
    """A virtual screen with one Understudy window on it."""

    def __init__(self, display: str, home: Path) -> None:
        self.home = home
        self._display = display
        self._environment = {
            **os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "HOME": str(home),
            "XDG_CONFIG_HOME": str(home), "XDG_DATA_HOME": str(home), "XDG_CACHE_HOME": str(home),
        }  # fmt: skip
        self.process: subprocess.Popen[str] | None = None

    def start(self, *arguments: str) -> None:
        """Start the program and wait for its window."""
        command = [sys.executable, "-m", "app", "run", *arguments]
        self.process = subprocess.Popen(command, cwd=ROOT, env=self._environment, stderr=subprocess.PIPE, text=True)
        until(lambda: self._window() != "")
        self._tool("windowsize", self._window(), "1280", "800")
        # There is no window manager that would do it.
        self._tool("windowfocus", self._window())

    def press(self, *keys: str) -> None:
        self._tool("key", *keys)

    def grab(self) -> np.ndarray:
        """Return the screen as `[H, W, 3]` uint8 RGB."""
        return np.asarray(ImageGrab.grab(xdisplay=self._display).convert("RGB"))

    def share(self, colour: tuple[int, int, int]) -> float:
        """Return the share of the screen that has a colour."""
        return float((self.grab() == colour).all(-1).mean())

    def picture(self) -> np.ndarray:
        """Return the middle of the live picture."""
        return self.grab()[200:600, 200:800]

    def wait_for_exit(self, seconds: float) -> tuple[int, str]:
        """Return the exit code and what was written to the error stream."""
        assert self.process is not None
        _, errors = self.process.communicate(timeout=seconds)
        return self.process.returncode, errors

    def _window(self) -> str:
        found = subprocess.run(
            ["xdotool", "search", "--onlyvisible", "--name", "Understudy"],
            env=self._environment, capture_output=True, text=True, timeout=10,
        )  # fmt: skip
        return found.stdout.split()[-1] if found.stdout.split() else ""

    def _tool(self, *arguments: str) -> None:
        subprocess.run(["xdotool", *arguments], env=self._environment, check=True, timeout=10, capture_output=True)


def until(holds, seconds=WAIT):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def display():
    """Return the name of a screen of our own."""
    read, write = os.pipe()
    size = f"{SCREEN[0]}x{SCREEN[1]}x24"
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", size, "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as answer:
        number = answer.readline().strip()
    assert number, "Xvfb did not start"
    yield f":{number}"
    server.terminate()
    server.wait(10)


@pytest.fixture
def desktop(display, tmp_path):
    shown = Desktop(display, tmp_path)
    yield shown
    if shown.process is not None and shown.process.poll() is None:
        shown.process.kill()
        shown.process.wait(10)


def assert_clean(errors: str) -> None:
    for word in ("Traceback", "QThread", "QObject", "Fatal"):
        assert word not in errors, errors


def test_sample_plays_keys_work_and_ctrl_q_quits(desktop):
    desktop.start("sample")
    until(lambda: desktop.picture().std() > 20)
    first = desktop.picture()
    until(lambda: (desktop.picture() != first).mean() > 0.2)
    assert desktop.share(ALERT) == 0

    desktop.press("space")
    time.sleep(0.5)
    held = desktop.picture()
    time.sleep(0.5)
    assert (desktop.picture() == held).all(), "paused, but the picture moves"
    desktop.press("space")
    until(lambda: (desktop.picture() != held).mean() > 0.2)

    desktop.press("s")
    finished = "Understudy/[!.]*.png"  # a picture that is still being written has a hidden name
    until(lambda: list(desktop.home.rglob(finished)) != [])
    saved = Image.open(next(desktop.home.rglob(finished)))
    assert saved.size == (640, 480)

    assert desktop.share(PANEL) > 0.1
    desktop.press("f")
    until(lambda: desktop.share(PANEL) < 0.02)
    desktop.press("Escape")
    until(lambda: desktop.share(PANEL) > 0.1)

    desktop.press("ctrl+q")
    code, errors = desktop.wait_for_exit(3)
    assert code == 0
    assert_clean(errors)


def test_missing_file_shows_the_banner_over_the_sample(desktop):
    desktop.start("/no/such/Öß 日本.mp4")
    until(lambda: desktop.share(ALERT) > 0.02)
    first = desktop.picture()
    until(lambda: (desktop.picture() != first).mean() > 0.2)
    desktop.press("Escape")
    until(lambda: desktop.share(ALERT) == 0)
    assert desktop.process is not None
    desktop.process.send_signal(signal.SIGTERM)
    code, errors = desktop.wait_for_exit(3)
    assert code == 0
    assert_clean(errors)


def test_picture_of_the_window_is_made_by_a_command(desktop):
    path = desktop.home / "docs" / "window.png"
    desktop.start("sample", "--screenshot", str(path))
    code, errors = desktop.wait_for_exit(WAIT)
    assert code == 0
    assert_clean(errors)
    picture = Image.open(path).convert("RGB")
    assert picture.size == (1280, 800)
    assert np.asarray(picture)[200:600, 200:800].std() > 20
