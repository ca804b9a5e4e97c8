"""Blinks: eyes that close and open again in the time that a blink takes, whatever the frame rate and the noise."""

import numpy as np
import pytest

from engine.inference.signals import CLOSED, LONGEST_BLINK, OPEN, SHORTEST_BLINK, BlinkCounter


def count(series, rate=30.0):
    counter = BlinkCounter()
    for index, openness in enumerate(series):
        counter.add(float(openness), index / rate)
    return counter.count


def closures(*frames, pause=10):
    """Open eyes with closures of so many frames each between."""
    return [1.0] * pause + [value for closed in frames for value in [0.0] * closed + [1.0] * pause]


@pytest.mark.parametrize(("frames", "blinks"), [(0, 0), (1, 0), (2, 1), (5, 1), (15, 1), (16, 0), (60, 0)])
def test_only_closures_of_50_to_500_ms_count(frames, blinks):
    assert (SHORTEST_BLINK, LONGEST_BLINK) == (0.05, 0.5)
    assert count(closures(frames)) == blinks


@pytest.mark.parametrize("rate", [15, 30, 60, 120])
def test_the_frame_rate_does_not_matter(rate):
    seconds = np.arange(0, 6, 1 / rate)
    eyes = np.ones(len(seconds))
    for begin in (1.0, 2.0, 2.5, 4.0):
        eyes[(seconds >= begin) & (seconds < begin + 0.2)] = 0.05
    assert count(eyes, rate) == 4


def test_noise_between_the_two_levels_counts_for_nothing():
    noise = np.random.default_rng(0).uniform(CLOSED + 0.01, OPEN - 0.01, 300)
    assert count([1.0, *noise, 1.0]) == 0
    trembling = [1.0, 1.0, CLOSED - 0.01, OPEN - 0.01, CLOSED - 0.01, OPEN - 0.01, 1.0]
    assert count(trembling) == 1


def test_two_blinks_one_after_the_other_are_two():
    assert count(closures(4, 4, pause=3)) == 2


def test_eyes_that_were_closed_from_the_start_did_not_blink():
    assert count([0.0] * 5 + [1.0] * 5) == 0


def test_a_closure_across_a_gap_does_not_count():
    counter = BlinkCounter()
    for moment, openness in ((0.0, 1.0), (0.1, 0.0), (0.2, 1.0), (0.3, 0.0)):
        counter.add(openness, moment)
    counter.reset()
    counter.add(1.0, 0.4)
    assert counter.count == 1
