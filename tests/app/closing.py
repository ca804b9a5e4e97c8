"""Opens windows and closes them at random moments, while everything runs, in a process of its own.

`python -m tests.app.closing FOLDER COUNT REAL` closes COUNT windows, of which every REAL-th has the real engine and
plays the sample; the others have real sessions with a fake camera, two lanes, recordings and a log. It says “closed
COUNT windows” when no thread was left.
"""

from __future__ import annotations

import functools
import logging
import os
import random
import sys
import threading
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent, QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from app.app import engine_api
from app.settings.store import SettingsStore
from app.shell.main_window import MainWindow
from app.theme.theme import Theme, ThemeChoice
from engine.render.scene import Layout
from tests.fakes.faulty_camera import FaultyCamera, camera_source
from tests.fakes.live_fakes import FakePipeline
from tests.fakes.window_sessions import SessionEngine

LATEST = 120  # milliseconds after which a window is closed at the latest
PATIENCE = 4.0  # seconds for a window to be gone, and for its threads


def fake_engine() -> SessionEngine:
    """Return an engine with a fast camera, a student, and a teacher that takes its time."""
    engine = SessionEngine()
    engine.makers[None] = engine.makers["Cam"] = lambda: camera_source(FaultyCamera(period=0.004), "Cam")
    engine.make_pipeline = lambda name: FakePipeline(name, delay=0.03 if "teacher" in name else 0.001)
    return engine


def use_everything(window: MainWindow) -> None:
    """Compare two models, record the view and the frames, and log the landmarks."""
    if not window.isVisible():
        return  # it was closed before
    window.store.update("live.layout", random.choice([layout for layout in Layout if layout is not Layout.SINGLE]))
    section = window.panel.outputs
    section.recordings.setCurrentIndex(section.recordings.findText("both"))
    section.record.setChecked(True)
    section.log.setChecked(True)


def run_for(milliseconds: int) -> None:
    """Let the event loop run."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def close_one(folder: Path, theme: Theme, real: bool) -> None:
    """Open a window, close it at a random moment, and wait until it and its threads are gone."""
    before = set(threading.enumerate())
    api = engine_api() if real else fake_engine().api
    window = MainWindow(api, "student-68", SettingsStore(folder / "settings.toml"), theme)
    window.live.outputs._folder = folder
    gone = threading.Event()
    window.gone.connect(gone.set)
    window.show()
    window.start("sample" if real else None)
    QTimer.singleShot(random.randrange(LATEST // 2), window, functools.partial(use_everything, window))
    run_for(random.randrange(LATEST))
    window.close()
    deadline = time.monotonic() + PATIENCE
    while not gone.is_set() and time.monotonic() < deadline:
        run_for(2)
    assert gone.is_set(), "the window does not go"
    while (left := set(threading.enumerate()) - before) and time.monotonic() < deadline:
        run_for(2)
    assert not left, f"threads are left: {left}"
    window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def main(folder: Path, count: int, every: int) -> int:
    """Close `count` windows."""
    logging.basicConfig(level=logging.WARNING)
    application = QApplication([])
    application.setQuitOnLastWindowClosed(False)
    theme = Theme(application, ThemeChoice.DARK)
    random.seed(0)
    for number in range(count):
        close_one(folder / f"{number:03}", theme, real=number % every == every - 1)
    sys.stdout.write(f"closed {count} windows\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
