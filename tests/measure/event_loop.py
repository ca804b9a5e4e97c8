"""How long what users do holds the window: `python -m tests.measure.event_loop`.

The window is the real one on the real engine, on the display that there is (`xvfb-run -s "-screen 0 1600x1000x24"`
makes one), and plays the sample. Of each thing that a user does, the longest time between two turns of the event loop
is said: by the clock, less what our threads waited for a core while the machine worked for others; and in processor
time of the thread of the window, which other programs hardly change.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from PySide6.QtWidgets import QApplication

from app.app import engine_api
from app.cli.terminal import table
from app.settings.schema import TrainChoices
from app.settings.store import SettingsStore
from app.shell.main_window import LIVE_PAGE, MODELS_PAGE, REVIEW_PAGE, TRAIN_PAGE, MainWindow
from app.theme.theme import Theme, ThemeChoice
from engine.render.scene import Layout
from tests.app.conftest import Heartbeat
from tests.fakes.foreign_models import REAL
from tests.fakes.session_logs import logged_clip
from tests.golden.still_window import RUN, close, settle

STARTED_MS = 5000  # until the lists are filled and the threads at work
PAGES = {"Models": MODELS_PAGE, "Train": TRAIN_PAGE, "Review": REVIEW_PAGE}
LOGGED = 20_000  # rows of the log of a long training


def actions(window: MainWindow, folder: Path, log: Path) -> Iterator[tuple[str, Callable[[], object], float]]:
    """Yield what users do: a name, what does it, and the seconds to watch the window afterwards."""
    store, live = window.store, window.live

    def drop() -> None:
        window._open_dropped([str(folder / "a model from elsewhere.tflite")])

    for name, page in PAGES.items():
        for again in ("", " again"):
            yield f"{name}{again}", lambda page=page: window.top_bar.choose(page), 1.5
            yield f"Live after {name}{again}", lambda: window.top_bar.choose(LIVE_PAGE), 1.0
    yield "a log is reviewed", lambda: window.show_review(log), 3.0
    for page in (*PAGES, "Live"):
        window.top_bar.choose({**PAGES, "Live": LIVE_PAGE}[page])
        settle(1000)
        for _ in range(3):
            yield f"theme, on {page}", lambda: store.toggle("theme"), 1.0
    yield "keys shown", window.sheet.toggle, 1.0
    yield "keys hidden", window.sheet.toggle, 0.5
    for number in (2, 3, 4):
        yield f"lane {number} added", live.add_model, 3.0
    for number in (4, 3):
        yield f"lane {number} removed", live.remove_model, 2.0
    for layout in (Layout.SPLIT, Layout.OVERLAID, Layout.DIFFERENCE, Layout.SIDE_BY_SIDE):
        yield f"layout {layout.value}", lambda layout=layout: store.update("live.layout", layout), 1.5
    for number in (1, 2):
        yield f"presenter on, {number}", lambda: store.toggle("presenter"), 2.0
        yield f"presenter off, {number}", lambda: store.toggle("presenter"), 2.0
    yield "full screen", window.toggle_full_screen, 2.0
    yield "window again", window.toggle_full_screen, 2.0
    for state in ("hidden", "shown"):
        yield f"controls {state}", lambda: store.toggle("controls"), 1.0
    for state in ("shown", "hidden"):
        yield f"signals {state}", lambda: store.toggle("signals"), 1.0
    yield "screenshot", live.take_screenshot, 1.0
    yield "a model is dropped", drop, 6.0


def long_run(folder: Path) -> None:
    """Make the folder of a training that logged `LOGGED` times, of a real one that did so a few times."""
    shutil.copytree(RUN, folder)
    file = folder / "train.csv"
    head, *rows = file.read_text(encoding="utf-8").splitlines()
    values = [row.split(",") for row in rows]
    long = (",".join((str(10 * n), *values[n % len(values)][1:])) for n in range(LOGGED))
    file.write_text("\n".join((head, *long)) + "\n", encoding="utf-8")


def main() -> None:
    """Measure and say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="part of the names of the actions that are said")
    parser.add_argument("--size", default="1280x800", help="of the window, in logical pixels")
    options = parser.parse_args()
    application = QApplication([])
    application.setQuitOnLastWindowClosed(False)
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        log = logged_clip(folder, lanes=3)
        shutil.copy(REAL, folder / "a model from elsewhere.tflite")
        long_run(folder / "runs" / "long")
        store = SettingsStore(folder / "settings.toml")
        store.update("training", TrainChoices(runs=folder / "runs"))
        window = MainWindow(engine_api(), None, store, Theme(application, ThemeChoice.DARK))
        window.resize(*map(int, options.size.split("x")))
        window.show()
        window.start("sample")
        settle(STARTED_MS)
        beat, rows = Heartbeat(), [("longest time between two turns, ms", "clock", "processor")]
        for name, act, seconds in actions(window, folder, log):
            beat.restart()
            act()
            settle(round(1000 * seconds))
            if options.only in name:
                rows.append((name, f"{1e3 * beat.longest_gap:.0f}", f"{1e3 * beat.longest_work:.0f}"))
        close(window)
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores" if hasattr(os, "getloadavg") else ""
    sys.stdout.write(f"{load}\n{table(rows)}\n")


if __name__ == "__main__":
    main()
