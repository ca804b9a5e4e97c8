"""How soon the window shows its first picture, and how old pictures are on screen: `python -m tests.measure.window`.

The window is the real one on the real engine, drawn off screen, and plays the sample. Every start is a new process.
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

from app.cli.terminal import table

STARTED = "STARTED"  # in the environment of the child: when its process was started, in seconds since 1970


def child(seconds: float) -> None:
    """Show the window; say how long its first picture took and how old pictures were, for each layout."""
    from PySide6.QtWidgets import QApplication

    from app.app import engine_api
    from app.settings.store import SettingsStore
    from app.shell.main_window import MainWindow
    from app.theme.theme import Theme, ThemeChoice
    from engine.inference.library import DEFAULT_MODEL
    from engine.render.scene import Layout
    from tests.golden.still_window import close, settle, until

    application = QApplication([])
    application.setQuitOnLastWindowClosed(False)
    with tempfile.TemporaryDirectory() as home:
        store = SettingsStore(Path(home, "settings.toml"))
        window = MainWindow(engine_api(), DEFAULT_MODEL, store, Theme(application, ThemeChoice.DARK))
        window.resize(1280, 800)
        window.show()
        window.start("sample")
        until(lambda: window.view.pixels is not None)
        said = [f"{time.time() - float(os.environ[STARTED]):.3f}"]
        for layout in (Layout.SINGLE, Layout.SIDE_BY_SIDE) if seconds else ():
            window.store.update("live.layout", layout)
            settle(round(seconds * 1000))
            for lane in range(1 if layout is Layout.SINGLE else 2):
                spread = window.view.lane_plates.latencies[lane].spread
                said += [f"{spread.p50:.1f}", f"{spread.p95:.1f}"] if spread else ["-", "-"]
        close(window)
    sys.stdout.write(" ".join(said))


def run(seconds: float) -> list[str]:
    """Return what a child said."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", STARTED: str(time.time())}
    command = [sys.executable, "-m", "tests.measure.window", "--child", str(seconds)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split()


def main() -> None:
    """Measure and say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6.0, help="for which each layout plays")
    parser.add_argument("--child", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child is not None:
        child(options.child)
        return
    starts = [float(run(0.0)[0]) for _ in range(options.starts)]
    _, *ages = run(options.seconds)
    rows = [
        ("", "p50", "p95"),
        ("start to first picture, s", f"{np.median(starts):.2f}", f"{max(starts):.2f} (slowest)"),
        ("capture to screen, one lane, ms", *ages[0:2]),
        ("first of two lanes", *ages[2:4]),
        ("second of two lanes", *ages[4:6]),
    ]
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores" if hasattr(os, "getloadavg") else ""
    sys.stdout.write(f"{options.starts} starts; {load}\n{table(rows)}\n")


if __name__ == "__main__":
    main()
