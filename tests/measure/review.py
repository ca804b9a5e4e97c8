"""How fast a review jumps and steps: `python -m tests.measure.review LOG [CLIP]`.

The page is the real one in the real window, drawn off screen. A jump goes to a random frame, a step to the next or the
one before; each is measured from the key until the frame is painted: by the clock, and by the time that processor cores
spent on this program, which other programs do not lengthen.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from app.cli.terminal import table

REPEAT_MS = 33


def main() -> None:
    """Measure and say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path)
    parser.add_argument("clip", type=Path, nargs="?")
    parser.add_argument("--times", type=int, default=100, help="jumps, and steps in each direction")
    options = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication

    from app.app import engine_api
    from app.settings.store import SettingsStore
    from app.shell.main_window import MainWindow
    from app.theme.theme import Theme, ThemeChoice
    from engine.inference.library import DEFAULT_MODEL
    from tests.golden.still_window import close, settle, until

    application = QApplication([])
    application.setQuitOnLastWindowClosed(False)
    chance = random.Random(0)
    with tempfile.TemporaryDirectory() as home:
        store = SettingsStore(Path(home, "settings.toml"))
        window = MainWindow(engine_api(), DEFAULT_MODEL, store, Theme(application, ThemeChoice.DARK))
        window.resize(1280, 720)
        window.show()
        began = time.perf_counter()
        window.start_review(options.log, options.clip)
        page = window.review
        until(lambda: page.view.shown is not None)
        opened = time.perf_counter() - began
        painted: list[int] = []
        page.view.painted.connect(painted.append)
        assert page.loaded is not None
        numbers, rows = page.loaded.log.numbers, [("", "p50, ms", "p95, ms", "p50 of cores, ms", "p95 of cores, ms")]

        def spent(place: int) -> tuple[float, float]:
            """Return the milliseconds until a frame is painted, by the clock and of cores."""
            settle(REPEAT_MS)  # as between two presses of a key that is held down
            painted.clear()
            begin, used = time.perf_counter(), time.process_time()
            page.playhead.go_to(place)
            until(lambda: int(numbers[place]) in painted)
            return (time.perf_counter() - begin) * 1e3, (time.process_time() - used) * 1e3

        middle = len(numbers) // 2
        for name, places in (
            ("jump to a random frame", [chance.randrange(len(numbers)) for _ in range(options.times)]),
            ("step on", [(middle + step) % len(numbers) for step in range(options.times)]),
            ("step back", [middle + options.times - 1 - step for step in range(options.times)]),
        ):
            page.playhead.go_to(max(0, places[0] - 1))
            until(lambda: not page.playhead.waits)
            taken = [spent(place) for place in places if place != page.playhead.place]
            clock, cores = np.percentile(taken, (50, 95), axis=0).T
            rows.append((name, *(f"{value:.1f}" for value in (*clock, *cores))))
        close(window)
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores" if hasattr(os, "getloadavg") else ""
    sys.stdout.write(f"{len(numbers)} frames, opened in {opened:.2f} s; {load}\n{table(rows)}\n")


if __name__ == "__main__":
    main()
