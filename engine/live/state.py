"""What a live source is doing: its states, the legal transitions, and the time limits of the watchdog."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from engine.core.errors import UnderstudyError
from engine.core.stats import REFRESH


class SourceState(Enum):
    """What a source is doing."""

    STARTING = "starting"  # being opened; no frame yet
    LIVE = "live"  # frames come
    STALLED = "stalled"  # none came for a while
    RECONNECTING = "reconnecting"  # the camera was closed and is opened again
    ENDED = "ended"  # every frame was delivered
    FAILED = "failed"  # it cannot go on


# States in which faces on the last picture would be taken for live ones.
SILENT_STATES = frozenset({SourceState.STALLED, SourceState.RECONNECTING})
# States after which nothing more comes by itself.
FINAL_STATES = frozenset({SourceState.ENDED, SourceState.FAILED})

TRANSITIONS: dict[SourceState, frozenset[SourceState]] = {
    SourceState.STARTING: frozenset({SourceState.LIVE, SourceState.ENDED, SourceState.FAILED}),
    SourceState.LIVE: frozenset({SourceState.STALLED, SourceState.RECONNECTING, SourceState.ENDED, SourceState.FAILED}),
    SourceState.STALLED: frozenset({SourceState.LIVE, SourceState.RECONNECTING, SourceState.ENDED, SourceState.FAILED}),
    SourceState.RECONNECTING: frozenset({SourceState.LIVE}),
    # Only of a file, when the user goes back in it.
    SourceState.ENDED: frozenset({SourceState.LIVE, SourceState.STALLED, SourceState.FAILED}),
    SourceState.FAILED: frozenset(),
}


@dataclass(frozen=True)
class Status:
    """The state of the source, for the user.

    Attributes:
        state: what it is doing.
        source: its name; "" until it was opened.
        message: one sentence for the user, "" when there is nothing to say.
        error: why it failed; None in every state but `FAILED`.
    """

    state: SourceState
    source: str
    message: str
    error: UnderstudyError | None = None


class StateMachine:
    """The status of one source, moved by one thread and read by any.

    Args:
        changed: called after every change, on the thread that made it.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._lock = threading.Lock()
        self._status = Status(SourceState.STARTING, "", "")

    @property
    def status(self) -> Status:
        """The current status."""
        return self._status

    def move(
        self, state: SourceState, message: str, source: str | None = None, error: UnderstudyError | None = None
    ) -> None:
        """Go to `state`, or stay in it with another message; `source` None keeps the name.

        Raises:
            ValueError: there is no transition from the present state to `state`.
        """
        with self._lock:
            old = self._status
            if state is not old.state and state not in TRANSITIONS[old.state]:
                raise ValueError(f"no transition from {old.state.value} to {state.value}")
            self._status = Status(state, old.source if source is None else source, message, error)
            changed = self._status != old
        if changed:
            self._changed()


@dataclass(frozen=True)
class Timing:
    """The time limits of a live session, all in seconds unless stated otherwise.

    Attributes:
        tick: between two checks of waiting threads.
        stall: no frame for this long, or for `stall_periods` frame periods if that is longer, is a stall.
        stall_periods: see `stall`; in frame periods.
        dead: a camera without a frame for this long is lost; never sooner than one more `stall` after it stalled.
        slow_opening: opening that takes longer is reported.
        open_limit: opening that takes longer has failed.
        retries: pauses before the attempts to open a lost camera again.
        slow_retry: pause once these are used up.
        most_attempts: attempts within `attempts_span`, so that a faulty driver is not flooded.
        attempts_span: see `most_attempts`.
        absent_retry: pause while the camera is not even listed; checking that costs nothing.
        hint: a picture that is black or frozen for this long is reported.
        recovery: an error of the model or the pipeline is cleared once frames were good for this long.
        refresh: how often the numbers on screen change.
    """

    tick: float = 0.05
    stall: float = 1.0
    stall_periods: float = 5.0
    dead: float = 3.0
    slow_opening: float = 3.0
    open_limit: float = 60.0
    retries: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0, 8.0)
    slow_retry: float = 12.0
    most_attempts: int = 5
    attempts_span: float = 60.0
    absent_retry: float = 1.0
    hint: float = 2.0
    recovery: float = 1.0
    refresh: float = REFRESH

    def stalled_after(self, period: float) -> float:
        """Return the silence that is a stall, for frames that come every `period` seconds."""
        return max(self.stall, self.stall_periods * period)

    def dead_after(self, period: float) -> float:
        """Return the silence after which a camera is lost."""
        return max(self.dead, self.stalled_after(period) + self.stall)


class Retries:
    """Decides when a lost camera is opened again: ever more rarely, and never too often within a minute."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._attempts: deque[float] = deque(maxlen=timing.most_attempts)
        self._failed = 0

    def attempted(self, now: float) -> None:
        """Remember that the device was touched at `now`."""
        self._attempts.append(now)

    def succeeded(self) -> None:
        """Start over with short pauses; the attempts still count against the limit."""
        self._failed = 0

    def next(self, now: float) -> float:
        """Return the seconds from `now` until the next attempt, one failure further than the last call."""
        steps = self._timing.retries
        pause = steps[self._failed] if self._failed < len(steps) else self._timing.slow_retry
        self._failed += 1
        return max(pause, self._blocked(now))

    def next_check(self, now: float) -> float:
        """Return the seconds from `now` until the next check whether the camera is plugged in again."""
        return max(self._timing.absent_retry, self._blocked(now))

    def _blocked(self, now: float) -> float:
        """Return the seconds for which the limit forbids another attempt."""
        if len(self._attempts) < self._timing.most_attempts:
            return 0.0
        return self._attempts[0] + self._timing.attempts_span - now
