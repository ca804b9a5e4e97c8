"""How much a slow teacher at its own pace slows the student, and what four lanes of one model cost each other.

`python -m tests.measure.lanes`. The student runs alone and with the teacher, and a model alone and in four lanes,
alternating, so that both see the same load of the machine. Each model runs on one thread; the teacher's network runs
again and again on every frame until it has taken its time on the processor.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import threading
import time
from dataclasses import replace
from functools import partial

import cv2
import numpy as np

from app.cli.terminal import table
from engine.core.faces import Result
from engine.core.frame import Frame
from engine.inference.detector import DEFAULT_DETECTOR, make_detector
from engine.inference.library import DEFAULT_MODEL, ModelLibrary
from engine.inference.pipeline import Pipeline
from engine.live.session import Session
from engine.live.settings import MOST_LANES, LiveSettings, Pace
from engine.render.canvas import Pane
from engine.render.scene import Layout
from engine.sources.base import SourceKind
from engine.sources.sample import SampleClip

TEACHER = "teacher-tolerant-68"
PICTURES = range(300, 390)  # of the sample, a face that moves; shown to and fro
ALONE = LiveSettings(pace=Pace.LIVE)
TOGETHER = replace(ALONE, layout=Layout.SIDE_BY_SIDE)
SAME = "student-68-lite"  # in all lanes
ALL = replace(TOGETHER, lanes=MOST_LANES)
UNTHROTTLED = 1000.0  # frames a second
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
    """A session with a lane for each model, watched as a window does."""

    def __init__(self, pictures: list[np.ndarray], rate: float, lanes: list[tuple[type[Pipeline], str]]) -> None:
        library = ModelLibrary()

        def pipeline(lane: int) -> Pipeline:
            kind, model = lanes[lane]
            return kind(make_detector(DEFAULT_DETECTOR), library.load(model, 1))

        self._news, self._lanes = threading.Event(), len(lanes)
        self.session = Session(
            lambda: Turning(pictures, rate), lambda: pipeline(0), replace(TOGETHER, lanes=len(lanes)), self._news.set
        )
        self.session.pane = Pane(836, 627, 1.0)  # as in a window of 1280 x 800
        for lane, (_, model) in enumerate(lanes[1:], 1):
            self.session.use_model(partial(library.load, model, 1), lane, partial(pipeline, lane))
        self.session.start()
        while min(self.watch(0.2)) == 0:
            pass

    def turn(self, settings: LiveSettings, seconds: float) -> list[float]:
        """Return how many results a second were shown of each lane."""
        self.session.settings = settings
        self.watch(SETTLING)
        start = time.monotonic()
        shown = self.watch(seconds)
        took = time.monotonic() - start
        return [count / took for count in shown]

    def watch(self, seconds: float) -> list[int]:
        """Take views for a while; return how many new frames each lane showed."""
        shown: list[set[int]] = [set() for _ in range(self._lanes)]
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._news.wait(min(left, 0.1))
            self._news.clear()
            view = self.session.take_view()
            if view is None:
                continue
            for number, lane in view.by_number.items():
                if lane.result.model:
                    shown[number].add(lane.result.frame.id)
        return [len(numbers) for numbers in shown]


def measure(pictures: list[np.ndarray], rate: float, turns: int, seconds: float) -> tuple[str, ...]:
    """Return a row of the table."""
    measured = Measured(pictures, rate, [(Pipeline, DEFAULT_MODEL), (SlowPipeline, TEACHER)])
    pairs = [(measured.turn(ALONE, seconds), measured.turn(TOGETHER, seconds)) for _ in range(turns)]
    measured.session.stop()
    alone, together = (np.array([pair[place] for pair in pairs]) for place in (0, 1))
    shares = together[:, 0] / alone[:, 0] * 100
    return (
        f"{rate:.0f} fps" if rate < UNTHROTTLED else "as fast as it can",
        f"{np.median(alone[:, 0]):.1f}",
        f"{np.median(together[:, 0]):.1f}",
        f"{np.median(shares):.1f} %",
        f"{shares.min():.1f} to {shares.max():.1f} %",
        f"{np.median(together[:, 1]):.1f}",
    )


def measure_four(pictures: list[np.ndarray], turns: int, seconds: float) -> tuple[str, ...]:
    """Return a row of the table: each of four lanes of one model, as a share of a quarter of what it does alone."""
    measured = Measured(pictures, UNTHROTTLED, [(Pipeline, SAME)] * MOST_LANES)
    pairs = [(measured.turn(ALONE, seconds)[0], measured.turn(ALL, seconds)) for _ in range(turns)]
    measured.session.stop()
    alone = np.array([first for first, _ in pairs])
    together = np.array([lanes for _, lanes in pairs])
    shares = np.median(together / (alone[:, None] / MOST_LANES), axis=0) * 100
    return (
        SAME,
        f"{np.median(alone):.1f}",
        ", ".join(f"{rate:.1f}" for rate in np.median(together, axis=0)),
        ", ".join(f"{share:.0f} %" for share in shares),
    )


def main() -> None:
    """Measure and say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=6, help="pairs of turns for each source")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a turn")
    parser.add_argument("--only-four", action="store_true", help="measure the four lanes of one model alone")
    parser.add_argument("--teacher-ms", type=float, default=300.0, help="what the teacher takes for a frame")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    SlowPipeline.seconds = options.teacher_ms / 1e3
    clip = SampleClip()
    pictures = [clip.frame(number)[0] for number in PICTURES]
    four = [("four lanes of", "alone", "each beside the others", "share of a quarter")]
    four.append(measure_four(pictures, options.turns, options.seconds))
    tables = [table(four)]
    if not options.only_four:
        rows = [("source", "student alone", "beside the teacher", "share", "of single turns", "teacher")]
        rows += [measure(pictures, rate, options.turns, options.seconds) for rate in (30.0, UNTHROTTLED)]
        tables.append(table(rows))
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores" if hasattr(os, "getloadavg") else ""
    sys.stdout.write(f"Frames a second, median of {options.turns} turns each; {load}\n" + "\n\n".join(tables) + "\n")


if __name__ == "__main__":
    main()
