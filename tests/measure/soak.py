"""What grows while the program runs for long: `python -m tests.measure.soak --minutes 30 [--headless]`.

The window is the real one, drawn off screen unless `QT_QPA_PLATFORM` says otherwise: two models beside each other, a
filter and the signals, on the sample. `--sessions 300` and `--changes 500` open and close sessions, and exchange the
small models; `--large` loads the largest model and gives it back. The exit code is 1 where a limit was exceeded. Limits
are R1 to R3 of the reliability contract; what other programs took from our threads does not count.
"""

from __future__ import annotations

import argparse
import gc
import math
import os
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import cv2
import numpy as np

from engine.batch.run import HeadlessSettings, run_headless
from engine.core.faces import Result
from engine.core.frame import Frame
from engine.core.memory import give_back
from engine.core.stats import Thinned, spread_of
from engine.inference.detector import make_detector
from engine.inference.library import DEFAULT_MODEL, ModelLibrary
from engine.inference.pipeline import Pipeline
from engine.live.session import Session
from engine.live.settings import LiveSettings
from engine.render.canvas import Pane
from engine.sources.sample import RATE, SampleSource

TEACHER, LARGE = "teacher-tolerant-68", "teacher-swinv2-68"
WARM_UP = 120.0  # seconds until memory is looked at, or a third of the run
SPOKEN_EVERY = 30.0  # seconds
SETTLED = 20  # sessions, or changes, after which memory is to stay as it is
USUAL = 20  # seconds in which threads and handles are once as few as usual
LARGEST_SLOPE = 2.0  # MB in 10 minutes
LONGEST_GAP = 0.1  # seconds
MOST_GROWTH, MOST_KEPT = 10.0, 50.0  # MB: after sessions or changes, and of the largest model


def resident() -> float:
    """Return the megabytes of memory that the process has now."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def settled() -> float:
    """Return the megabytes of memory without what could be given back."""
    gc.collect()
    give_back()
    return resident()


def handles() -> int:
    """Return how many files, pipes and sockets are open."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counted every second


@dataclass
class Run:
    """A long run: samples of each second, and the ages of what was shown.

    Attributes:
        gap: returns the longest time, in seconds, for which the event loop stood still; 0 where there is none.
        ages: of frames when they were painted, in milliseconds.
        oldest: of these.
        excess: by how many milliseconds one was older than R3 allows, at most; negative where none was.
    """

    minutes: float
    gap: Callable[[], float] = lambda: 0.0
    started: float = field(default_factory=time.monotonic)
    samples: list[tuple[float, float, int, int]] = field(default_factory=list)  # seconds, MB, threads, handles
    ages: Thinned = field(default_factory=Thinned)
    oldest: float = 0.0
    excess: float = -math.inf
    spoken: float = 0.0

    def sample(self) -> bool:
        """Look at memory, threads and handles; say how it goes; return whether the time is over."""
        seconds = time.monotonic() - self.started
        self.samples.append((seconds, resident(), threading.active_count(), handles()))
        if seconds - self.spoken >= SPOKEN_EVERY:
            self.spoken = seconds
            say(self.line())
        return seconds >= self.minutes * 60

    @property
    def slope(self) -> float:
        """Megabytes that memory grows in 10 minutes, by least squares since the warm-up; NaN before its end."""
        counted = [(seconds, megabytes) for seconds, megabytes, *_ in self._counted()]
        return float(np.polyfit(*np.array(counted).T, 1)[0]) * 600 if len(counted) > 2 else math.nan

    def line(self) -> str:
        """Return how it goes."""
        seconds, megabytes, threads, files = self.samples[-1]
        said = f"{seconds / 60:5.1f} min  {megabytes:6.1f} MB  {self.slope:+5.2f} MB/10 min  {threads} threads"
        said += f"  {files} handles"
        if self.ages:
            spread = spread_of(self.ages)
            said += f"  age {spread.p50:.0f}, {spread.p95:.0f} (p95), {self.oldest:.0f} ms (most)"
            said += f"  R3 {self.excess:+.0f} ms"
            said += f"  gap {self.gap() * 1e3:.0f} ms"
        return said

    def broken(self) -> list[str]:
        """Return which limits were exceeded."""
        counted = self._counted() or self.samples
        # At most moments: listing cameras takes a thread for a moment.
        first, last = (np.min(part, 0) for part in (counted[:USUAL], counted[-USUAL:]))
        checks = {
            f"memory grows by {self.slope:.2f} MB in 10 minutes": not self.slope < LARGEST_SLOPE,
            "threads became more": last[2] > first[2],
            "handles became more": last[3] > first[3],
            "a frame was older than R3 allows": self.excess > 0,
            "the event loop stood still": self.gap() > LONGEST_GAP,
        }
        return [what for what, exceeded in checks.items() if exceeded]

    def _counted(self) -> list[tuple[float, float, int, int]]:
        begin = min(WARM_UP, self.minutes * 20)
        return [sample for sample in self.samples if sample[0] >= begin]


def window(minutes: float) -> list[str]:
    """Let the real window play; return which limits were exceeded."""
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    from app.app import engine_api
    from app.settings.schema import LaneSettings
    from app.settings.store import SettingsStore
    from app.shell.main_window import MainWindow
    from app.theme.theme import Theme, ThemeChoice
    from engine.render.scene import Layout
    from tests.app.conftest import Heartbeat, waited_for_a_core
    from tests.golden.still_window import until

    application = QApplication.instance() or QApplication([])
    with tempfile.TemporaryDirectory() as home:
        store = SettingsStore(Path(home, "settings.toml"))
        for path, value in {
            "lanes": LaneSettings((DEFAULT_MODEL, TEACHER)),
            "live.layout": Layout.SIDE_BY_SIDE,
            "filter": "glasses",
            "signals": True,
        }.items():
            store.update(path, value)
        shown = MainWindow(engine_api(), DEFAULT_MODEL, store, Theme(application, ThemeChoice.DARK))
        shown.resize(1280, 800)
        shown.show()
        shown.start("sample")
        until(lambda: shown.view.pixels is not None and shown.view._view.second is not None)
        beat = Heartbeat()
        run = Run(minutes, lambda: beat.longest_gap)
        waits = deque([(0.0, waited_for_a_core())], maxlen=200)

        def painted(lane: int, moment: float, age: float) -> None:
            waits.append((moment, waited_for_a_core()))
            captured = moment - age / 1e3
            before = next((wait for then, wait in reversed(waits) if then < captured), waits[0][1])
            # A frame goes through several threads in turn, and these wait for each other.
            starved = sum(seconds - before.get(thread, 0.0) for thread, seconds in waits[-1][1].items())
            run.ages.append(age)
            run.oldest = max(run.oldest, age)
            run.excess = max(run.excess, age - starved * 1e3 - allowed(shown.view._view.lanes[lane].result))

        shown.view.painted.connect(painted)
        timer = QTimer(interval=1000)
        timer.timeout.connect(lambda: run.sample() and application.quit())
        timer.start()
        application.exec()
        timer.stop()
        beat.stop()
        say(run.line())
        gone: list[bool] = []
        shown.gone.connect(lambda: gone.append(True))
        shown.close()
        until(lambda: bool(gone))
    return run.broken()


def allowed(result: Result) -> float:
    """Return how many milliseconds old R3 lets a frame be: twice the time for finding, and one period."""
    return 2 * sum(ms for stage, ms in result.stages.items() if stage != "capture") + 1e3 / RATE


def headless(minutes: float) -> list[str]:
    """Run headless; return which limits were exceeded."""
    run = Run(minutes)

    class Timed(SampleSource):
        """The sample, until the time is over."""

        def read(self) -> Frame | None:
            return None if over.is_set() else super().read()

    def watch() -> None:
        while not run.sample():
            time.sleep(1)
        over.set()

    over = threading.Event()
    threading.Thread(target=watch, name="watch").start()
    summary = run_headless(Timed(), Pipeline(make_detector(), ModelLibrary().load(DEFAULT_MODEL)), _endless())
    say(f"{run.line()}  {summary.fps:.1f} frames/s")
    return run.broken()


def _endless() -> HeadlessSettings:
    return HeadlessSettings(frames=sys.maxsize)


class Watched:
    """A running session on the sample, looked at as by a window."""

    def __init__(self) -> None:
        library, self._news = ModelLibrary(), threading.Event()
        self.load = library.load
        self.session = Session(
            SampleSource,
            lambda: Pipeline(make_detector(), library.load(DEFAULT_MODEL)),
            LiveSettings(),
            self._news.set,
        )
        self.session.pane = Pane(836, 627, 1.0)  # as in a window of 1280 x 800
        self.session.start()
        self.until(DEFAULT_MODEL)

    def until(self, model: str) -> None:
        """Wait until a result of a model is shown."""
        end = time.monotonic() + 60
        while (view := self.session.take_view()) is None or view.first.result.model != model:
            assert time.monotonic() < end, f"{model} shows nothing"
            self._news.wait(0.05)
            self._news.clear()

    def use(self, model: str) -> None:
        """Exchange the model."""
        self.session.use_model(lambda: self.load(model))
        self.until(model)


def sessions(count: int) -> list[str]:
    """Open and close sessions."""

    def play() -> None:
        Watched().session.stop()

    return _repeated(count, play, "sessions")


def changes(count: int) -> list[str]:
    """Exchange the small models of one session."""
    watched = Watched()
    # Without the default, to which each comparison returns: it would be shown before it is loaded again.
    others = (entry.name for entry in ModelLibrary().entries() if entry.name not in (LARGE, DEFAULT_MODEL))
    names = cycle(others)
    broken = _repeated(count, lambda: watched.use(next(names)), "changes", lambda: watched.use(DEFAULT_MODEL))
    watched.session.stop()
    return broken


def _repeated(count: int, act: Callable[[], None], what: str, back: Callable[[], None] = lambda: None) -> list[str]:
    """Repeat something, and compare memory, threads and handles with those after the first `SETTLED` times."""
    first: tuple[float, int, int] | None = None
    for number in range(1, count + 1):
        act()
        if number % SETTLED and number != count:
            continue
        back()
        now = settled(), threading.active_count(), handles()
        first = first or now
        say(f"{number:4} {what}  {now[0]:.1f} MB ({now[0] - first[0]:+.1f})  {now[1]} threads  {now[2]} handles")
    assert first is not None
    checks = {
        f"memory grew by {now[0] - first[0]:.1f} MB": now[0] - first[0] > MOST_GROWTH,
        "threads became more": now[1] > first[1],
        "handles became more": now[2] > first[2],
    }
    return [said for said, exceeded in checks.items() if exceeded]


def large() -> list[str]:
    """Use the largest model, and then the default again, three times."""
    watched = Watched()
    watched.use(TEACHER)
    watched.use(DEFAULT_MODEL)
    before = settled()
    kept = []
    for _ in range(3):
        watched.use(LARGE)
        most = resident()
        watched.use(DEFAULT_MODEL)
        kept.append(resident() - before)  # without collecting: the window does not either
        say(f"{before:.1f} MB before, {most:.1f} MB with {LARGE}, {kept[-1]:+.1f} MB after it")
    watched.session.stop()
    return [f"{LARGE} leaves {max(kept):.0f} MB"] if max(kept) > MOST_KEPT else []


def say(words: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def _asked(options: argparse.Namespace) -> Iterator[list[str]]:
    if options.sessions:
        yield sessions(options.sessions)
    if options.changes:
        yield changes(options.changes)
    if options.large:
        yield large()
    if options.minutes:
        yield headless(options.minutes) if options.headless else window(options.minutes)


def main() -> int:
    """Do what was asked for, and say which limits were exceeded."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=0.0, help="how long the window, or the run, is to last")
    parser.add_argument("--headless", action="store_true", help="without a window")
    parser.add_argument("--sessions", type=int, default=0, help="sessions to open and close")
    parser.add_argument("--changes", type=int, default=0, help="changes among the small models")
    parser.add_argument("--large", action="store_true", help="the largest model, loaded and given back")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    broken = [what for found in _asked(options) for what in found]
    say("\n".join(broken) or "Everything stayed within its limits.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
