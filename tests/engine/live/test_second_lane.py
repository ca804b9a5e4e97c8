"""The second lane's thread: it never leaves the first one waiting, and shows nothing that is of no use any more."""

from __future__ import annotations

import threading
import time

import pytest

from engine.core.frame import Frame
from engine.live.lane import Lane
from engine.live.second_lane import SecondLane
from engine.live.settings import LiveSettings, Pace
from engine.live.state import SourceState
from engine.render.scene import Layout
from tests.fakes.live_fakes import FAST, FakeComposer, FakePipeline, picture, wait_until

pytestmark = pytest.mark.usefixtures("no_thread_left")

LOCKED = LiveSettings(layout=Layout.SIDE_BY_SIDE, pace=Pace.LOCKED)


class Bench:
    """A second lane at work inside a `with`, and what it found.

    Attributes:
        settings: what the user set; may be replaced.
        found: called with every result.
    """

    def __init__(self, pipeline=None, composer=None) -> None:
        self.pipeline, self.settings, self.found = pipeline or FakePipeline("teacher"), LOCKED, lambda result: None
        lane = Lane(lambda: self.pipeline, lambda: None, composer or FakeComposer(), FAST, time.monotonic, beside=True)
        self.second = SecondLane(
            lane,
            lambda: self.settings,
            lambda: SourceState.LIVE,
            lambda result: self.found(result),
            lambda: None,
            FAST.tick,
        )

    def __enter__(self) -> Bench:
        self.second.start()
        return self

    def __exit__(self, *_) -> None:
        assert self.second.stop(5)

    def answer(self, number):
        """Offer a frame in step and return what the first lane gets to wait for; fail if it waits for ever."""
        frame, until = frame_of(number), time.monotonic() + 5
        self.second.offer(frame, in_step=True)
        result = self.second.wait_for(frame, lambda: time.monotonic() < until)
        assert time.monotonic() < until, "the first lane would wait for ever"
        self.second.publish(frame)
        return result

    def shown(self):
        """Return the id of the frame on the newest picture; None if there is no new one."""
        view = self.second.lane.take()
        return None if view is None else view.result.frame.id


def frame_of(number):
    return Frame(number, time.monotonic(), picture(number), "x")


def test_whatever_is_thrown_in_step_the_first_lane_goes_on():
    bench = Bench()
    bench.found = lambda result: 1 / 0
    with bench:
        bench.answer(1)
        bench.found = lambda result: None
        assert bench.answer(2).frame.id == 2
        assert bench.shown() == 2


def test_a_drawing_that_always_fails_does_not_hold_the_first_lane_up():
    class Broken(FakeComposer):
        def compose(self, scene, out) -> None:
            raise ValueError("no such colour")

    with Bench(composer=Broken()) as bench:
        bench.answer(1)
        wait_until(lambda: bench.second.lane.error is not None)
        assert "could not be drawn" in str(bench.second.lane.error)


def test_a_picture_that_was_held_back_when_the_user_went_elsewhere_is_never_shown():
    counts = [True]
    with Bench(FakePipeline("teacher", delay=0.05)) as bench:
        bench.second.offer(frame_of(1), in_step=True, counts=lambda: counts[0])
        wait_until(lambda: bench.second._held is not None)
        counts[0] = False
        assert bench.second.wait_for(frame_of(1), lambda: False) is None
        wait_until(lambda: bench.second._held is None)
        assert bench.shown() is None


def test_a_picture_that_the_first_lane_gave_up_waiting_for_is_shown_late():
    with Bench(FakePipeline("teacher", delay=0.05)) as bench:
        bench.second.offer(frame_of(1), in_step=True)
        assert bench.second.wait_for(frame_of(1), lambda: False) is None
        wait_until(lambda: bench.shown() == 1)


def test_publishing_and_withdrawing_at_once_hand_over_at_most_one_picture():
    with Bench() as bench:
        for number in range(50):
            frame = frame_of(number)
            bench.second.offer(frame, in_step=True)
            bench.second.wait_for(frame, lambda: True)
            others = [threading.Thread(target=bench.second.publish, args=(frame,)) for _ in range(2)]
            for other in others:
                other.start()
            bench.second.withdraw()
            for other in others:
                other.join()
            assert bench.shown() in (number, None)


def test_nothing_found_before_it_rested_is_left_when_it_works_again():
    with Bench() as bench:
        assert bench.answer(1) is not None
        bench.settings = LiveSettings()
        wait_until(lambda: bench.second.latest is None and bench.second.lane.shown is None)
        bench.shown()
        bench.settings = LOCKED
        time.sleep(10 * FAST.tick)
        assert bench.shown() is None
        bench.second.catch_up(frame_of(1))
        wait_until(lambda: bench.shown() == 1)
