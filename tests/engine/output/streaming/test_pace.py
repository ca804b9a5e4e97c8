"""What a slow client reads is new, whatever queue it has."""

from __future__ import annotations

from collections import deque

import pytest

from engine.output.streaming.pace import Pace

FRAME = 1 / 30  # seconds between messages


def ages(reads_every: float, high: int, low: int, seconds: float) -> list[tuple[float, float]]:
    """Simulate a client; return the moment and the age of each message it reads.

    Its library reads ahead until it holds `high` messages and goes on at `low`, as that of Python does with 16 and 4;
    it answers a ping when it reads ahead as far.
    """
    pace, network, queue, read = Pace(0.0), deque(), deque(), []
    reading, next_read = True, 0.0
    for step in range(round(seconds * 1000)):
        now = step / 1000
        if step % 33 == 0 and pace.is_free(now):
            network.append(("message", now))
            if pace.sent(now):
                network.append(("ping", now))
        reading = len(queue) < high if reading else len(queue) <= low
        while network and reading:
            kind, moment = network.popleft()
            if kind == "ping":
                pace.answered(now)
            else:
                queue.append(moment)
                reading = len(queue) < high
        if now >= next_read and queue:
            read.append((now, now - queue.popleft()))
            next_read = now + reads_every
    return read


@pytest.mark.parametrize(("high", "low"), [(1, 0), (4, 1), (16, 4)])
def test_a_client_that_reads_a_third_of_the_rate_reads_what_is_new(high, low):
    read = ages(0.1, high, low, 40)
    late = [age for moment, age in read if moment > 25]
    assert max(late) < 0.5
    assert len(late) > 15 * 10 * 0.4, "and it is not starved"


def test_a_client_that_keeps_up_gets_every_message():
    assert len(ages(0.0, 16, 4, 10)) == pytest.approx(10 / 0.033, abs=2)


def test_a_client_that_was_slow_for_a_moment_gets_more_again():
    pace, now = Pace(0.0), 0.0
    for number in range(60):
        pace.sent(now)
        now += 0.5 if number == 30 else 0.033
        pace.answered(now)
    gaps = []
    for _ in range(3000):
        if pace.is_free(now) and pace.sent(now):
            gaps.append(now)
            pace.answered(now)
        now += 0.033
    assert gaps[-1] - gaps[-2] < 0.15


def test_a_client_that_never_answers_is_not_held_back():
    pace = Pace(0.0)
    for number in range(100):
        assert pace.is_free(number * FRAME)
        pace.sent(number * FRAME)
