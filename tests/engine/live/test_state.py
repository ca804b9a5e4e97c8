from __future__ import annotations

from itertools import product

import pytest

from engine.core.errors import SourceError
from engine.live.state import TRANSITIONS, Retries, SourceState, StateMachine, Status, Timing

WAYS = {
    SourceState.STARTING: [],
    SourceState.LIVE: [SourceState.LIVE],
    SourceState.STALLED: [SourceState.LIVE, SourceState.STALLED],
    SourceState.RECONNECTING: [SourceState.LIVE, SourceState.RECONNECTING],
    SourceState.ENDED: [SourceState.ENDED],
    SourceState.FAILED: [SourceState.FAILED],
}


def machine_in(state: SourceState, reported: list[Status] | None = None) -> StateMachine:
    machine = StateMachine(lambda: None if reported is None else reported.append(machine.status))
    for step in WAYS[state]:
        machine.move(step, "")
    return machine


@pytest.mark.parametrize(("begin", "end"), list(product(SourceState, SourceState)))
def test_every_way_between_states_is_open_or_closed_as_the_table_says(begin, end):
    machine = machine_in(begin)
    if end is begin or end in TRANSITIONS[begin]:
        machine.move(end, "why")
        assert machine.status.state is end
    else:
        with pytest.raises(ValueError, match="no transition"):
            machine.move(end, "why")
        assert machine.status.state is begin


def test_nothing_leads_out_of_a_failure_and_only_a_picture_out_of_reconnecting():
    assert SourceState.LIVE in TRANSITIONS[SourceState.ENDED], "by going back in a file"
    assert SourceState.RECONNECTING not in TRANSITIONS[SourceState.ENDED]
    assert not TRANSITIONS[SourceState.FAILED]
    assert TRANSITIONS[SourceState.RECONNECTING] == {SourceState.LIVE}
    assert set(TRANSITIONS) == set(SourceState)


def test_listeners_hear_of_changes_only():
    reported: list[Status] = []
    machine = machine_in(SourceState.STARTING, reported)
    machine.move(SourceState.LIVE, "", "Cam")
    machine.move(SourceState.LIVE, "")
    machine.move(SourceState.LIVE, "dark")
    assert reported == [Status(SourceState.LIVE, "Cam", ""), Status(SourceState.LIVE, "Cam", "dark")]


def test_the_error_of_a_failure_goes_with_its_status():
    error = SourceError("It is gone", "it was unplugged", "plug it in")
    machine = machine_in(SourceState.LIVE)
    machine.move(SourceState.FAILED, str(error), error=error)
    assert machine.status.error is error


def test_a_slow_camera_is_given_more_time():
    timing = Timing()
    assert timing.stalled_after(1 / 30) == 1.0
    assert timing.dead_after(1 / 30) == 3.0
    assert timing.stalled_after(0.5) == 2.5
    assert timing.dead_after(0.5) == 3.5


def test_attempts_come_ever_more_rarely():
    retries = Retries(Timing())
    assert [retries.next(0.0) for _ in range(7)] == [0.5, 1, 2, 4, 8, 12, 12]
    retries.succeeded()
    assert retries.next(0.0) == 0.5


def test_there_are_never_more_than_five_attempts_a_minute():
    retries = Retries(Timing())
    now, attempts = 0.0, []
    while now < 600:
        now += retries.next(now)
        retries.attempted(now)
        attempts.append(now)
    for attempt in attempts:
        assert sum(attempt <= other < attempt + 60 for other in attempts) <= 5
    assert attempts[:5] == [0.5, 1.5, 3.5, 7.5, 15.5], "the first five come soon"
    assert len(attempts) >= 45, "and it never stops trying"


def test_a_flapping_camera_cannot_get_around_the_limit():
    retries = Retries(Timing())
    now, attempts = 0.0, []
    while now < 300:
        now += retries.next_check(now)  # it is back at once, each time
        retries.attempted(now)
        retries.succeeded()
        attempts.append(now)
    for attempt in attempts:
        assert sum(attempt <= other < attempt + 60 for other in attempts) <= 5
