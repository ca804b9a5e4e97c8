"""What the soak of `python -m tests.measure.soak` takes for growth, and what for noise."""

from __future__ import annotations

import mmap
import sys

import pytest

from engine.core.frame import Frame
from engine.inference.pipeline import Pipeline
from tests.fakes.live_fakes import picture
from tests.fakes.models import FakeDetector, FakeLandmarker, FakeScene
from tests.measure.soak import Run, allowed, resident

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")


def run(grow=0.0, threads=lambda second: 7, files=lambda second: 9, **changes) -> Run:
    """Ten minutes in which memory grows by so many MB in ten minutes, and by 50 MB before the warm-up is over."""
    made = Run(10, **changes)
    for second in range(600):
        megabytes = 250 + grow * second / 600 + (second % 7) * 0.1 - 50 * (second < 110)
        made.samples.append((float(second), megabytes, threads(second), files(second)))
    return made


@pytest.mark.parametrize("grow", [0.0, 1.5, 5.0, 40.0])
def test_fault_71_the_slope_is_that_after_the_warm_up(grow):
    assert run(grow).slope == pytest.approx(grow, abs=0.05)
    assert run(grow).broken() == ([] if grow < 2 else [f"memory grows by {run(grow).slope:.2f} MB in 10 minutes"])


def test_fault_71_threads_and_handles_that_stay_are_growth_and_those_of_a_moment_are_not():
    assert run(threads=lambda second: 7 + (second % 5 == 0)).broken() == []
    assert run(threads=lambda second: 7 + (second > 500)).broken() == ["threads became more"]
    assert run(files=lambda second: 9 + second // 100).broken() == ["handles became more"]


def test_fault_71_old_frames_and_a_loop_that_stands_still_are_seen():
    assert run(excess=1.0).broken() == ["a frame was older than R3 allows"]
    assert run(gap=lambda: 0.2).broken() == ["the event loop stood still"]
    assert run(excess=-1.0, gap=lambda: 0.05).broken() == []


def test_a_run_that_was_too_short_says_nothing_good():
    assert Run(10, samples=[(0.0, 250.0, 7, 9)] * 3).broken() != []


def test_a_frame_may_be_as_old_as_two_findings_and_a_period():
    scene = FakeScene((30, 20, 20, 0))
    result = Pipeline(FakeDetector(scene), FakeLandmarker(scene)).process(Frame(0, 0.0, picture(), "x"), 500.0)
    finding = sum(result.stages[stage] for stage in ("detect", "landmark", "smooth"))
    assert allowed(result) == pytest.approx(2 * finding + 1000 / 30), "without the wait for the source"


def test_memory_is_that_of_this_process():
    before = resident()
    with mmap.mmap(-1, 50_000_000) as block:  # new pages, where a bytearray may get some that were freed before
        block[::4096] = b"\1" * len(range(0, len(block), 4096))
        assert 40 < resident() - before < 70
