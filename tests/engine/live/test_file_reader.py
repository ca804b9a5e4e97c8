"""When the frames of a file are due."""

from __future__ import annotations

import pytest

from engine.live.file_reader import Pacer
from tests.fakes.clock import FakeClock


class Waits:
    """As much of an event as a pacer uses: passes the time of a fake clock, and notes how much."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.lengths: list[float] = []

    def wait(self, seconds: float) -> None:
        self.lengths.append(max(0.0, seconds))
        self._clock.advance(max(0.0, seconds))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def test_frames_are_a_period_apart_whatever_time_the_work_takes(clock):
    waits = Waits(clock)
    pacer = Pacer(10.0, clock, waits)
    shown = []
    for work in (0.0, 0.03, 0.09, 0.01):
        pacer.wait(None)
        shown.append(clock())
        clock.advance(work)
    assert shown == pytest.approx([100.0, 100.1, 100.2, 100.3])
    assert waits.lengths == pytest.approx([0.0, 0.1, 0.07, 0.01])


def test_times_of_the_file_beat_its_rate(clock):
    pacer = Pacer(10.0, clock, Waits(clock))
    shown = []
    for moment in (5.0, 5.5, 5.52, 9.0):
        pacer.wait(moment)
        shown.append(clock() - 100)
    assert shown == pytest.approx([0.0, 0.5, 0.52, 4.0])


def test_a_delay_is_not_made_up_for_by_a_fast_forward(clock):
    waits = Waits(clock)
    pacer = Pacer(10.0, clock, waits)
    pacer.wait(None)
    clock.advance(3.0)
    for _ in range(4):
        pacer.wait(None)
    assert waits.lengths == pytest.approx([0.0, 0.0, 0.1, 0.1, 0.1])


@pytest.mark.parametrize(
    "moments", [(0.0, float("nan"), float("nan")), (0.0, -1.0, -2.0), (0.0, 1e9, 2e9), (0.0, 0.0, 0.0)]
)
def test_fault_33_times_that_jump_become_steps_of_the_rate(clock, moments):
    waits = Waits(clock)
    pacer = Pacer(20.0, clock, waits)
    for moment in moments:
        pacer.wait(moment)
    assert waits.lengths == pytest.approx([0.0, 0.05, 0.05])


@pytest.mark.parametrize("rate", [None, 0.0, -1.0, float("nan"), float("inf")])
def test_fault_32_without_a_rate_that_can_be_true_there_are_30_frames_a_second(clock, rate):
    assert Pacer(rate, clock, Waits(clock)).period == pytest.approx(1 / 30)
