"""The real window, offscreen, in a process of its own: what it does at its start is told, and then it ends somehow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# Runs the window as the command line does, and once it plays tells what it does; `{end}` ends it.
WINDOW = """
import json, os, signal, sys
from pathlib import Path
from PySide6.QtCore import QTimer
import app.app
from app.shell.main_window import MainWindow

def look(window):
    player = window.player
    if not player.at_work[0] or player.current is None or window.view.pixels is None:
        return
    print(json.dumps({{
        "models": player.at_work, "source": player.current.spec, "banner": window.banner.text,
        "details": window.banner._details, "filter": str(window.panel.filters.folder),
        "streams": window.live.outputs._streamer is not None, "layout": window.store.settings.live.layout.value,
    }}), flush=True)
    {end}

class Watched(MainWindow):
    def start(self, *arguments):
        super().start(*arguments)
        self.look = QTimer(self, interval=50)
        self.look.timeout.connect(lambda: look(self))
        self.look.start()

app.app.MainWindow = Watched
from app.__main__ import run
run()
"""
CLOSE, CRASH = "window.look.stop(); window.close()", "os.kill(os.getpid(), signal.SIGSEGV)"


def run_window(home: Path, end: str, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Run a verb until its window has a picture and `end` happens; return its exit code and what it did."""
    environment = {**os.environ, "HOME": str(home), "QT_QPA_PLATFORM": "offscreen"}
    folders = {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("CONFIG", "DATA", "STATE", "CACHE")}
    done = subprocess.run(
        [sys.executable, "-c", WINDOW.format(end=end), *arguments], cwd=ROOT, env={**environment, **folders},
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert lines, done.stderr[-2000:]
    return done.returncode, json.loads(lines[-1])
