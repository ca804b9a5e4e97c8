"""The main window on the real engine, offscreen: nothing in it may hold up the event loop."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import deque

import pytest
from PySide6.QtCore import Qt

from app.app import engine_api
from app.live import live_page
from app.settings.store import SettingsStore
from app.shell.main_window import MainWindow
from app.theme.theme import Theme, ThemeChoice
from engine.core.paths import asset_path
from engine.filters.library import FilterLibrary
from engine.inference.library import DEFAULT_MODEL
from engine.live.settings import Pace
from engine.render.scene import Layout
from engine.sources.video import VideoSource
from tests.app.conftest import LONGEST_GAP
from tests.conftest import ROOT

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(
        not asset_path("models", f"{DEFAULT_MODEL}.tflite").is_file(), reason="the model was not trained yet"
    ),
]


@pytest.fixture
def window(qtbot, qapp, monkeypatch, tmp_path):
    """Return the window on the real engine; closed at the end within three seconds, threads and all."""
    monkeypatch.setattr(live_page, "screenshot_folder", lambda: tmp_path / "pictures")
    store, theme = SettingsStore(tmp_path / "settings.toml"), Theme(qapp, ThemeChoice.DARK)
    store.update("recordings", tmp_path / "videos")
    shown = MainWindow(engine_api(), DEFAULT_MODEL, store, theme)
    shown.resize(1280, 800)
    gone = []
    shown.gone.connect(lambda: gone.append(True))
    shown.show()
    yield shown
    shown.close()
    qtbot.waitUntil(lambda: bool(gone), timeout=3000)
    shown.deleteLater()


def test_fault_25_opening_switching_and_failing_never_block(window, qtbot, heartbeat, tmp_path):
    window.start("sample")
    qtbot.waitUntil(lambda: window.player.at_work[0].startswith(DEFAULT_MODEL), timeout=20_000)

    notes = tmp_path / "notes Öß.mp4"
    notes.write_text("this is no video")
    window.player.open(str(notes))
    qtbot.waitUntil(window.banner.isVisible, timeout=10_000)
    assert "notes Öß.mp4" in window.banner.text

    window.player.use_model("no-such-model")
    qtbot.waitUntil(lambda: "no-such-model" in window.banner.text, timeout=10_000)
    window.player.use_model(DEFAULT_MODEL)

    window.player.open(str(asset_path("sample", "portrait.png")))
    qtbot.waitUntil(lambda: "portrait.png" in window.status_line.toolTip(), timeout=10_000)
    window.player.open("sample")
    qtbot.waitUntil(lambda: window.status_line.toolTip().startswith("Sample · playing"), timeout=10_000)

    heartbeat.stop()
    assert heartbeat.longest_gap < LONGEST_GAP


def until_second(qtbot, shown):
    """Wait until the second lane has shown another frame."""
    numbers = set()
    shown.clear()

    def changed():
        second = shown[-1].second if shown else None
        if second is not None:
            numbers.add(second.result.frame.id)
        return len(numbers) > 1

    qtbot.waitUntil(changed, timeout=20_000)


def test_fault_25_comparing_recording_filters_and_themes_never_block(window, qtbot, heartbeat, tmp_path):
    window.start("sample")
    qtbot.waitUntil(lambda: window.player.at_work[0].startswith(DEFAULT_MODEL), timeout=20_000)
    lanes, outputs = window.panel.lanes, window.panel.outputs
    shown = deque(maxlen=1)
    window.player.viewed.connect(shown.append)
    outputs.record.setChecked(True)
    for layout in Layout:
        window.store.update("live.layout", layout)
        for pace in Pace if layout is not Layout.SINGLE else ():
            lanes.locked.setChecked(pace is Pace.LOCKED)
            until_second(qtbot, shown)
    second = window.player.at_work[1]
    window.player.swap_models()
    qtbot.waitUntil(lambda: window.player.at_work[0] == second, timeout=20_000)
    for _ in range(len(FilterLibrary().entries()) + 1):  # each, and none again
        window.panel.filters.choose_next()
        until_second(qtbot, shown)
    for _ in ThemeChoice:
        qtbot.keyClick(window, Qt.Key.Key_T)
        until_second(qtbot, shown)
    window.live.take_screenshot()
    outputs.record.setChecked(False)
    qtbot.waitUntil(lambda: "s, without sound: " in window.status_line.toolTip(), timeout=10_000)

    heartbeat.stop()
    assert heartbeat.longest_gap < LONGEST_GAP
    (recording,) = (tmp_path / "videos").iterdir()
    source = VideoSource(recording)
    assert source.read() is not None
    source.close()
    assert len(list((tmp_path / "pictures").glob("*.png"))) == 1


def test_fault_81_the_window_is_painted_without_opengl(tmp_path):
    """So no graphics driver, or one that has crashed, can take the picture away."""
    lines = """
import sys, tempfile
from pathlib import Path
from PySide6.QtWidgets import QApplication
from app.app import engine_api
from app.settings.store import SettingsStore
from app.shell.main_window import MainWindow
from app.theme.theme import Theme, ThemeChoice
from tests.golden.still_window import until

application = QApplication([])
store = SettingsStore(Path(sys.argv[1], "settings.toml"))
window = MainWindow(engine_api(), "student-68-lite", store, Theme(application, ThemeChoice.DARK))
window.show()
window.start("sample")
until(lambda: window.view.pixels is not None)
image, gone = window.view.grab().toImage(), []
colours = {image.pixel(x, y) for x in range(0, image.width(), 20) for y in range(0, image.height(), 20)}
print(len(colours) > 50, sorted(name for name in sys.modules if "OpenGL" in name))
window.gone.connect(lambda: gone.append(True))
window.close()
until(lambda: bool(gone))
"""
    broken = {"LIBGL_DRIVERS_PATH": "/nowhere", "LIBGL_ALWAYS_SOFTWARE": "0", "__EGL_VENDOR_LIBRARY_FILENAMES": "/none"}
    done = subprocess.run(
        [sys.executable, "-c", lines, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, **broken, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.stdout.strip() == "True []", done.stderr
