"""A virtual screen with the real program on it: its keys and mouse are worked, its pixels looked at."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


@contextmanager
def virtual_display(size: tuple[int, int]) -> Iterator[str]:
    """Give the name of a new display of this size in pixels, which ends with the context."""
    read, write = os.pipe()
    screen = f"{size[0]}x{size[1]}x24"
    # It forgets the monitors that it was told of where nobody is connected to it, but for "-noreset".
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", screen, "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as answer:
        number = answer.readline().strip()
    assert number, "Xvfb did not start"
    try:
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(10)


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
        self._run("xdotool", *arguments)

    def _run(self, *command: str) -> None:
        subprocess.run(command, env=self._environment, check=True, timeout=10, capture_output=True)


class TwoScreens(Desktop):
    """Two screens of the same size side by side, the first of which is the left one; see `Desktop`."""

    def __init__(self, display: str, home: Path) -> None:
        super().__init__(display, home)
        width, height = SCREEN
        for name, left, output in (("left", 0, "screen"), ("right", width, "none")):
            self._run("xrandr", "--setmonitor", name, f"{width}/344x{height}/217+{left}+0", output)

    def move_right(self) -> None:
        """Move the window to the screen at the right."""
        self._tool("windowmove", self._window(), str(SCREEN[0]), "0")

    def unplug_right(self) -> None:
        """Take the screen at the right away; what is on it stays there."""
        self._run("xrandr", "--delmonitor", "right")

    def shows(self) -> tuple[bool, bool]:
        """Return on which of both screens something is to be seen, the left one first."""
        left, right = np.split(self.grab(), [SCREEN[0]], axis=1)
        return bool(left.any()), bool(right.any())


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
