"""The window on a fake engine, and a watch on the event loop."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import pytest


def waited_for_a_core() -> dict[str, float]:
    """Return the seconds for which each of our threads was ready but other programs had the processor.

    Only Linux reports it; see “schedstat” in Documentation/scheduler/sched-stats of its kernel.
    """
    waited = {}
    for file in Path("/proc/self/task").glob("*/schedstat"):
        with suppress(OSError):  # the thread has just ended
            waited[file.parent.name] = int(file.read_text().split()[1]) / 1e9
    return waited


# The promise is 100 ms; a loaded machine stands still for longer than that without our doing, and whatever blocks the
# event loop in these tests does so for a second or more.
LONGEST_GAP = 0.5


class Heartbeat:
    """Measures the longest time for which the event loop did not turn, in seconds.

    Attributes:
        longest_gap: less what our threads waited for a core while the machine worked for others.
        longest_work: processor time of the event loop's own thread, which others hardly change.
    """

    def __init__(self) -> None:
        from PySide6.QtCore import QTimer

        self.restart()
        self._timer = QTimer()
        self._timer.timeout.connect(self._beat)
        self._timer.start(10)

    def restart(self) -> None:
        """Forget what was measured, and measure from now on."""
        self.longest_gap = self.longest_work = 0.0
        self._note_time()

    def _note_time(self) -> None:
        self._waited = waited_for_a_core()
        self._last, self._worked = time.monotonic(), time.thread_time()

    def _beat(self) -> None:
        now, worked = time.monotonic(), time.thread_time()
        self.longest_work = max(self.longest_work, worked - self._worked)
        if now - self._last > self.longest_gap:
            delays = sorted(seconds - self._waited.get(thread, 0.0) for thread, seconds in waited_for_a_core().items())
            # What blocked the event loop may itself have waited for a core, and then so did we.
            starved = sum(delays[-2:])
            self.longest_gap = max(self.longest_gap, now - self._last - starved)
        self._note_time()

    def stop(self) -> None:
        """Count the last gap too."""
        self._beat()
        self._timer.stop()


def with_all_pages(window):
    """Return the window once every page of it was made."""
    assert all((window.models, window.training, window.review))
    return window


def pytest_collection_modifyitems(items):
    """A test that measures the event loop has the machine to itself."""
    for item in items:
        if "heartbeat" in getattr(item, "fixturenames", ()):
            item.add_marker("alone")


@pytest.fixture
def heartbeat(qapp):
    """Return a running `Heartbeat`."""
    beat = Heartbeat()
    yield beat
    beat.stop()


@pytest.fixture
def engine():
    """Return a fake engine whose threads are let go at the end."""
    from tests.fakes.window_fakes import FakeEngine

    fake = FakeEngine()
    yield fake
    fake.release()


@pytest.fixture
def themed(qapp):
    """Give the application its look."""
    from app.theme.theme import apply_theme

    apply_theme(qapp)
    return qapp


@pytest.fixture
def window(qtbot, qapp, engine, monkeypatch, tmp_path):
    """Return the main window on the fake engine, shown but without a source; nothing is remembered."""
    from app.live import live_page, outputs
    from app.settings.store import SettingsStore
    from app.shell import main_window
    from app.theme.theme import Theme, ThemeChoice

    monkeypatch.setattr(live_page, "screenshot_folder", lambda: tmp_path / "Bilder öß")
    monkeypatch.setattr(outputs, "recordings_folder", lambda: tmp_path / "Videos öß")
    store, theme = SettingsStore(tmp_path / "settings.toml"), Theme(qapp, ThemeChoice.DARK)
    shown = main_window.MainWindow(engine.api, "student-68", store, theme)
    gone = []
    shown.gone.connect(lambda: gone.append(True))
    shown.show()
    qtbot.waitExposed(shown)
    yield shown
    # Not by qtbot.addWidget, which would delete the window without waiting for its threads.
    engine.release()
    shown.close()
    qtbot.waitUntil(lambda: bool(gone))
    shown.deleteLater()


@pytest.fixture
def playing(window, engine, qtbot):
    """Return the window while the sample plays."""
    window.start("sample")
    qtbot.waitUntil(lambda: window.view.pixels is not None)
    return window
