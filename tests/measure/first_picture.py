"""How soon the window shows the sample, for programs in turns: `python -m tests.measure.first_picture PROGRAM ...`.

Such as `dist/understudy/understudy .venv/bin/understudy`, a bundle and a checkout. Each start is a new process on the
display that is there, such as one of `xvfb-run`, and with its own home, which keeps its settings; its first start does
not count. The picture is seen from outside, as the pixels of the screen.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PySide6.QtGui import QGuiApplication, QImage

from app.cli.terminal import table

PAUSE = 0.02  # seconds between two looks at the screen
# A portrait has this many colours, of 32 levels a channel; an empty window with its words and icons has few.
COLOURS = 600
PATIENCE = 60.0  # seconds
END = 20.0


def colours() -> int:
    """Return how many colours, of 32 levels a channel, every fourth pixel of the screen has."""
    picture = QGuiApplication.primaryScreen().grabWindow(0).toImage().convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(picture.constBits(), np.uint8).reshape(picture.height(), picture.width(), 4)
    levels = (pixels[::4, ::4, :3] >> 3).astype(np.uint16)
    return len(np.unique(levels[..., 0] << 10 | levels[..., 1] << 5 | levels[..., 2]))


def seconds_to_picture(program: str, home: Path) -> float:
    """Return the seconds from the start of a program to its first picture on the screen, and end it.

    Raises:
        TimeoutError: there was a picture before, or none came.
    """
    if colours() > COLOURS:
        raise TimeoutError("Something else is on the screen: measure on an empty one")
    folders = {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CONFIG", "DATA", "STATE", "CACHE")}
    started = time.perf_counter()
    with subprocess.Popen([program, "run", "sample"], env={**os.environ, "HOME": str(home), **folders}) as process:
        try:
            while colours() <= COLOURS:
                if time.perf_counter() - started > PATIENCE or process.poll() is not None:
                    raise TimeoutError(f"{program} showed no picture")
                time.sleep(PAUSE)
            seconds = time.perf_counter() - started
        finally:
            process.terminate()
            process.wait(END)
    while colours() > COLOURS:
        time.sleep(PAUSE)
    return seconds


def main() -> None:
    """Measure and say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("programs", nargs="+")
    parser.add_argument("--turns", type=int, default=7)
    options = parser.parse_args()
    _application = QGuiApplication([])
    with tempfile.TemporaryDirectory(prefix="understudy-") as folder:
        homes = [Path(folder, str(number)) for number in range(len(options.programs))]
        turns = [
            [seconds_to_picture(program, home) for program, home in zip(options.programs, homes, strict=True)]
            for _ in range(options.turns + 1)
        ]
    later = np.array(turns[1:])
    ratios = later / later[:, -1:]
    rows = [("", "first start, s", "median, s", "slowest, s", "of the last one's, median")]
    rows += [
        (program, f"{first:.2f}", f"{np.median(times):.2f}", f"{times.max():.2f}", f"{np.median(ratio):.2f}")
        for program, first, times, ratio in zip(options.programs, turns[0], later.T, ratios.T, strict=True)
    ]
    sys.stdout.write(f"{options.turns} turns; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n{table(rows)}\n")


if __name__ == "__main__":
    main()
