"""How much a slow teacher at its own pace slows the student: `python -m tests.measure.lanes`.

The student runs alone and with the teacher, alternating, so that both see the same load of the machine. Each
model runs on one thread; the teacher's network runs again and again on every frame until it has taken its time on the
processor.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import threading
import time
from dataclasses import replace

import cv2
import numpy as np

from app.cli.terminal import table
from engine.core.faces import Result
from engine.core.frame import Frame
from engine.inference.detector import DEFAULT_DETECTOR, make_detector
from engine.inference.library import DEFAULT_MODEL, ModelLibrary
from engine.inference.pipeline import Pipeline
from engine.live.session import Session
from engine.live.settings import LiveSettings, Pace
from engine.render.scene import Layout
from engine.sources.base import SourceKind
from engine.sources.sample import SampleClip

TEACHER = "teacher-tolerant-68"
PICTURES = range(300, 390)  # of the sample, a face that moves; shown to and fro
ALONE = LiveSettings(pace=Pace.LIVE)
TOGETHER = replace(ALONE, layout=Layout.SIDE_BY_SIDE)
SETTLING = 0.7  # seconds of each turn that do not count


class SlowPipeline(Pipeline):
    """A pipeline that takes so many seconds of a processor for every frame."""

    seconds = 0.3

    def process(self, frame: Frame, capture_ms: float = 0.0) -> Result:
        start = time.thread_time()
        result = super().process(frame, capture_ms)
        while time.thread_time() - start < self.seconds:
            self.landmarker._runtime.run()  # as a larger network would: the processor without Python
        return result


class Turning:
    """An endless video whose pictures are made beforehand, so that reading costs nothing."""

    name, kind, frame_count, remark = "a face", SourceKind.VIDEO, None, ""

    def __init__(self, pictures: list[np.ndarray], rate: float) -> None:
        self.rate = rate
        self._pictures = itertools.cycle([*pictures, *pictures[-2:0:-1]])
        self._numbers = itertools.count()

    def read(self) -> Frame:
        return Frame(next(self._numbers), time.monotonic(), next(self._pictures), self.name)

    def close(self) -> None:
        pass


class Measured:
    """A session with a student and a slow teacher, watched as a window does."""

    def __init__(self, pictures: list[np.ndarray], rate: float) -> None:
        library = ModelLibrary()

        def pipeline(kind: type[Pipeline], model: str) -> Pipeline:
            return kind(make_detector(DEFAULT_DETECTOR), library.load(model, 1))

        self._news = threading.Event()
        self._numbers: list[int] = []
        self.session = Session(
            lambda: Turning(pictures, rate), lambda: pipeline(Pipeline, DEFAULT_MODEL), TOGETHER, self._news.set
        )
        self.session.use_model(lambda: library.load(TEACHER, 1), 1, lambda: pipeline(SlowPipeline, TEACHER))

    def turn(self, settings: LiveSettings, seconds: float) -> tuple[float, float]:
        """Return how many results a second were shown of the student and of the teacher."""
        self.session.settings = settings
        self.watch(SETTLING)
        start = time.monotonic()
        first, second = self.watch(seconds)
        took = time.monotonic() - start
        return first / took, second / took

    def watch(self, seconds: float) -> tuple[int, int]:
        """Take views for a while; return how many new frames each lane showed."""
        shown: tuple[set[int], set[int]] = (set(), set())
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._news.wait(min(left, 0.1))
            self._news.clear()
            view = self.session.take_view()
            if view is None:
                continue
            for lane, numbers in zip((view.first, view.second), shown, strict=True):
                if lane is not None and lane.result.model:
                    numbers.add(lane.result.frame.id)
        return len(shown[0]), len(shown[1])


def measure(pictures: list[np.ndarray], rate: float, turns: int, seconds: float) -> tuple[str, ...]:
    """Return a row of the table."""
    measured = Measured(pictures, rate)
    measured.session.start()
    while measured.watch(0.2)[1] == 0:
        pass
    pairs = [(measured.turn(ALONE, seconds), measured.turn(TOGETHER, seconds)) for _ in range(turns)]
    measured.session.stop()
    alone, together = (np.array([pair[place] for pair in pairs]) for place in (0, 1))
    shares = together[:, 0] / alone[:, 0] * 100
    return (
        f"{rate:.0f} fps" if rate < 1000 else "as fast as it can",
        f"{np.median(alone[:, 0]):.1f}",
        f"{np.median(together[:, 0]):.1f}",
        f"{np.median(shares):.1f} %",
        f"{shares.min():.1f} to {shares.max():.1f} %",
        f"{np.median(together[:, 1]):.1f}",
    )


def main() -> None:
    """Measure and say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=6, help="pairs of turns for each source")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a turn")
    parser.add_argument("--teacher-ms", type=float, default=300.0, help="what the teacher takes for a frame")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    SlowPipeline.seconds = options.teacher_ms / 1e3
    clip = SampleClip()
    pictures = [clip.frame(number)[0] for number in PICTURES]
    rows = [("source", "student alone", "beside the teacher", "share", "of single turns", "teacher")]
    rows += [measure(pictures, rate, options.turns, options.seconds) for rate in (30.0, 1000.0)]
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores" if hasattr(os, "getloadavg") else ""
    sys.stdout.write(f"Frames a second, median of {options.turns} turns each; {load}\n{table(rows)}\n")


if __name__ == "__main__":
    main()
