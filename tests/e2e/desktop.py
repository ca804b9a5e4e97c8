"""A virtual screen with the real program on it: its keys and mouse are worked, its pixels looked at."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ImageGrab

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("Xvfb", "xdotool")
SCREEN = (1300, 820)
WINDOW = (1280, 800)  # in the upper left corner of the screen
WAIT = 30.0  # seconds for what takes one or two on an idle machine
QUIT = 3.0  # seconds in which the program must have ended, whatever it is doing


class Desktop:
    """A screen with one Understudy window on it.

    Args:
        display: name of the screen.
        home: the user's folder.
    """

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
        self._tool("windowsize", self._window(), *map(str, WINDOW))
        # There is no window manager that would do it.
        self._tool("windowfocus", self._window())

    def press(self, *keys: str) -> None:
        """Press keys, named as X does."""
        self._tool("key", *keys)

    def drag(self, start: tuple[int, int], end: tuple[int, int], steps: int = 8) -> None:
        """Drag with the left button from one place of the screen to another."""
        self._tool("mousemove", *map(str, start), "mousedown", "1")
        for step in range(1, steps + 1):
            place = (str(a + (b - a) * step // steps) for a, b in zip(start, end, strict=True))
            self._tool("mousemove", *place)
        self._tool("mouseup", "1", "mousemove", "5", "5")  # away: the hand's shape is not what is looked at

    def grab(self) -> NDArray[np.uint8]:
        """Return the screen as `[H, W, 3]` uint8 RGB."""
        return np.asarray(ImageGrab.grab(xdisplay=self._display).convert("RGB"))

    def share(self, colour: tuple[int, int, int]) -> float:
        """Return the share of the screen that has a colour."""
        return float((self.grab() == colour).all(-1).mean())

    def picture(self) -> NDArray[np.uint8]:
        """Return the middle of the live picture."""
        return self.grab()[200:600, 200:800]

    def until_changed(self, before: NDArray[np.uint8], share: float = 0.0) -> None:
        """Wait until more than this share of the picture's values differ."""
        until(lambda: (self.picture() != before).mean() > share)

    def until_still(self, seconds: float = 0.4) -> NDArray[np.uint8]:
        """Wait until the picture has not changed for a while; return it."""
        last, since = self.picture(), time.monotonic()

        def still() -> bool:
            nonlocal last, since
            now = self.picture()
            if (now != last).any():
                last, since = now, time.monotonic()
            return time.monotonic() - since > seconds

        until(still)
        return last

    def wait_for_exit(self, seconds: float = QUIT) -> tuple[int, str]:
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


def until(holds: Callable[[], bool], seconds: float = WAIT) -> None:
    """Wait until something holds; fail if it does not in time."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def assert_clean(errors: str) -> None:
    """Fail if the error stream reports anything unexpected."""
    for word in ("Traceback", "QThread", "QObject", "Fatal"):
        assert word not in errors, errors
