"""For how long loading a model stops all other threads: `python -m tests.measure.loading`.

LiteRT holds Python's lock while it prepares a model, so no other thread turns meanwhile, nor does the window. Of each
shipped model is said for how long another thread stood still while this one loaded it and then ran it, by the clock,
and what loading and running took of this thread's processor time. The best of several tries counts, as other programs
only make it longer.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from app.cli.terminal import table
from engine.core.paths import asset_path
from engine.inference.runtime import Runtime

TICK = 0.001  # seconds


class Ticker:
    """Measures the longest time for which a thread of its own did not turn, in seconds."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ticker")

    def _run(self) -> None:
        last = time.monotonic()
        while not self._ended.wait(TICK):
            now = time.monotonic()
            self.longest, last = max(self.longest, now - last), now

    @contextmanager
    def running(self) -> Iterator[None]:
        """Tick until the end."""
        self._thread.start()
        try:
            yield
        finally:
            self._ended.set()
            self._thread.join()


def stopped(work: Callable[[], object]) -> tuple[float, float]:
    """Return for how long another thread stood still while `work` ran, and its processor time, in seconds."""
    ticker = Ticker()
    with ticker.running():
        time.sleep(10 * TICK)
        begun = time.thread_time()
        work()
        spent = time.thread_time() - begun
        time.sleep(10 * TICK)
    return ticker.longest, spent


def best(work: Callable[[], object], tries: int) -> tuple[float, ...]:
    """Return the least that `stopped` says in several tries."""
    return tuple(map(min, zip(*(stopped(work) for _ in range(tries)), strict=True)))


def main() -> None:
    """Measure and say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=5, help="of which the best counts")
    tries = parser.parse_args().tries
    rows = [("milliseconds", "stood still while loaded", "processor", "while run", "processor")]
    for file in sorted(asset_path("models").glob("*.tflite")):
        load = partial(Runtime, file.read_bytes(), file.stem)
        times = *best(load, tries), *best(load().run, tries)
        rows.append((file.stem, *(f"{1e3 * seconds:.0f}" for seconds in times)))
    sys.stdout.write(f"{table(rows)}\n")


if __name__ == "__main__":
    main()
