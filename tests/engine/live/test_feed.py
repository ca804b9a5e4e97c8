"""Frames on their way to the finders: no finder misses one that it needs, and none is out of date."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from engine.core.frame import Epoch, Frame
from engine.live.feed import PATIENCE, Feed, active_lanes
from engine.live.settings import LiveSettings, Pace
from engine.render.scene import Layout
from tests.fakes.clock import FakeClock
from tests.fakes.live_fakes import picture, wait_until

pytestmark = pytest.mark.usefixtures("no_thread_left")

TWO = LiveSettings(layout=Layout.SIDE_BY_SIDE)
LOCKED = replace(TWO, pace=Pace.LOCKED)
PAUSED = replace(TWO, paused=True)


class Bench:
    """A feed of some finders, and what the user set."""

    def __init__(self, settings: LiveSettings, finders: int = 2) -> None:
        self.settings, self.clock = settings, FakeClock(0.0)
        self.feed = Feed(lambda: self.settings, self.clock)
        for _ in range(finders):
            self.feed.add()

    def waiting(self, finder: int, got: list[Frame | None]) -> threading.Thread:
        """Let a finder wait for a frame on a thread of its own, which puts it into `got`."""
        thread = threading.Thread(target=lambda: got.append(self.feed.take(finder, 5)))
        thread.start()
        wait_until(lambda: self.feed._waits[finder])
        return thread


def frame(number: int, camera: bool = False, asked: bool = False) -> Frame:
    return Frame(number, 0.0, picture(number), "x", epoch=Epoch(is_camera=camera), asked=asked)


def test_at_live_pace_the_first_finder_does_not_wait_and_the_other_gets_the_newest():
    bench = Bench(TWO)
    for number in range(3):
        bench.feed.replace(frame(number))
        assert bench.feed.take(0, 0).id == number
    assert bench.feed.take(1, 0).id == 2
    assert bench.feed.take(1, 0) is None, "it is given a frame once"


def test_frames_of_a_file_wait_for_the_first_finder_unless_it_is_slower_than_the_file():
    bench = Bench(TWO)

    def second_gets(number, late):
        assert bench.feed.put(replace(frame(number), captured=bench.clock.now), 0)
        bench.clock.advance(late)
        return (its := bench.feed.take(1, 0)) is not None and its.id == number

    assert not second_gets(1, PATIENCE / 2)
    assert [bench.feed.take(finder, 0).id for finder in (0, 1)] == [1, 1], "dealt out as the first asks for it"
    assert not second_gets(2, PATIENCE)
    assert [bench.feed.take(finder, 0).id for finder in (0, 1)] == [2, 2]
    assert second_gets(3, 0.0), "too late in all"
    assert second_gets(4, 0.0)
    assert bench.feed.take(0, 0).id == 4
    assert bench.feed.take(0, 0) is None, "the first has caught up"
    assert not second_gets(5, 0.0)


def test_the_frame_of_a_camera_goes_to_any_finder_that_waits_and_the_first_gets_the_newest():
    bench = Bench(TWO)
    for number in range(3):
        bench.feed.replace(frame(number, camera=True))
        assert bench.feed.take(1, 0).id == number
    assert bench.feed.take(0, 0).id == 2
    assert bench.feed.take(0, 0) is None


def test_a_finder_that_waits_for_a_camera_is_woken_while_the_first_is_busy():
    bench, got = Bench(TWO), []
    other = bench.waiting(1, got)
    bench.feed.replace(frame(1, camera=True))
    other.join(1)
    assert [its.id for its in got] == [1]


def test_of_four_lanes_a_layout_of_two_has_its_pair_active_and_always_the_first():
    four = replace(TWO, lanes=4)
    overlaid = replace(four, layout=Layout.OVERLAID, pair=(3, 2))
    assert active_lanes(four, 4) == (0, 1, 2, 3)
    assert active_lanes(four, 3) == (0, 1, 2), "one is not there yet"
    assert active_lanes(overlaid, 4) == (0, 2, 3)
    assert active_lanes(replace(overlaid, lanes=3), 4) == (0, 1), "a lane was taken away, and with it the pair"
    assert active_lanes(replace(four, layout=Layout.SINGLE), 4) == (0,)
    assert active_lanes(replace(four, lanes=1), 4) == (0,)
    bench = Bench(overlaid, 4)
    bench.feed.replace(frame(1))
    taken = [bench.feed.take(finder, 0) for finder in range(4)]
    assert [its and its.id for its in taken] == [1, None, 1, 1]


def test_a_frame_is_not_replaced_before_the_first_finder_has_woken_to_take_it():
    bench = Bench(TWO)
    bench.feed._waits[0] = True  # it waits, on a thread that does not run just now
    bench.feed.put(frame(1), 0)
    assert bench.feed.take(1, 0).id == 1
    bench.feed.put(frame(2), 0)
    assert bench.feed.take(1, 0) is None
    assert [bench.feed.take(0, 0).id for _ in range(2)] == [1, 2]


def test_at_locked_pace_a_frame_is_dealt_out_once_all_wait_for_it():
    bench, got = Bench(LOCKED), []
    bench.feed.replace(frame(1))
    assert bench.feed.take(0, 0) is None
    other = bench.waiting(1, got)
    bench.feed.replace(frame(2))
    assert bench.feed.take(0, 0).id == 2
    other.join(5)
    assert [its.id for its in got] == [2]


def test_a_finder_that_rests_is_not_waited_for_and_gets_nothing():
    bench = Bench(LiveSettings(pace=Pace.LOCKED))
    bench.feed.replace(frame(1))
    assert bench.feed.take(0, 0).id == 1
    assert bench.feed.take(1, 0) is None


def test_no_frame_that_is_put_makes_room_for_another():
    bench = Bench(TWO)
    assert bench.feed.put(frame(1), 0)
    assert not bench.feed.put(frame(2), 0)
    assert bench.feed.take(0, 0).id == 1
    assert bench.feed.put(frame(2), 0)


def test_in_a_pause_a_file_waits_a_camera_goes_by_and_what_the_user_asked_for_comes():
    bench = Bench(PAUSED)
    bench.feed.replace(frame(1))
    assert bench.feed.take(0, 0) is None
    assert bench.feed.take_back().id == 1
    bench.feed.replace(frame(2, camera=True))
    assert bench.feed.take(0, 0) is None
    assert bench.feed.take_back() is None, "it would be minutes old once the picture goes on"
    bench.feed.replace(frame(3, asked=True))
    assert [bench.feed.take(finder, 0).id for finder in (0, 1)] == [3, 3]


def test_a_pause_makes_the_first_finder_of_a_file_late_in_none_of_its_frames():
    bench = Bench(TWO)
    assert bench.feed.put(frame(1), 0)
    bench.settings = PAUSED
    bench.clock.advance(50 * PATIENCE)
    assert bench.feed.take(0, 0) is None, "as it asks at every tick"
    bench.settings = TWO
    for number in (1, 2, 3):
        assert [bench.feed.take(finder, 0).id for finder in (0, 1)] == [number, number]
        assert bench.feed.put(frame(number + 1), 0), "captured before the pause, as the reader waited for room"
        assert bench.feed.take(1, 0) is None, "it waits for the first"


def test_closing_wakes_everyone_and_leaves_nothing():
    bench, got = Bench(TWO), []
    other = bench.waiting(0, got)
    bench.feed.close()
    other.join(5)
    assert got == [None]
    begin = time.monotonic()
    assert not bench.feed.put(frame(1), 10)
    assert time.monotonic() - begin < 5, "nothing is waited for"
    assert not bench.feed.replace(frame(1))
