"""Signals that ask the program to end: noted first, so that what is at work can be finished."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Ctrl-C; what `kill` and a machine that shuts down send; a terminal that is closed; Ctrl-Break of Windows.
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)]
# A terminal that is closed hangs up twice, by the kernel and by its shell, which is one wish.
REPEATED_WITHIN = 1.0  # seconds


class Interrupted(KeyboardInterrupt):
    """A signal asked the program to end at once."""

    def __init__(self, number: int) -> None:
        super().__init__(f"signal {number}")
        self.exit_code = 128 + number


class Interruption:
    """The first signal that came.

    Attributes:
        exit_code: 128 and the signal's number, as shells have it; 0 while none has come.
    """

    exit_code = 0

    def is_set(self) -> bool:
        """Return whether a signal has come."""
        return self.exit_code != 0


def break_off(number: int) -> None:
    """Raise `Interrupted`."""
    raise Interrupted(number)


@contextmanager
def interruption_watch(
    on_first: Callable[[int], object] = lambda _: None, on_further: Callable[[int], object] = break_off
) -> Iterator[Interruption]:
    """Note the first signal that asks to end, and call `on_first`; each further one calls `on_further`.

    Of any but Ctrl-C, a repetition within a second is ignored: whatever closes a session may send it twice.
    SIGTERM or SIGHUP stays ignored if it was, as under `nohup`. Signals reach the main thread alone; on any other none
    is ever noted.
    """
    noted = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield noted
        return

    moment = 0.0

    def note(number: int, _frame: object) -> None:
        nonlocal moment
        if not noted.is_set():
            noted.exit_code, moment = 128 + number, time.monotonic()
            on_first(number)
            return
        repeated = noted.exit_code == 128 + number != 128 + signal.SIGINT
        if repeated and time.monotonic() < moment + REPEATED_WITHIN:
            return
        moment = 0.0
        on_further(number)

    watched = [each for each in SIGNALS if each == signal.SIGINT or signal.getsignal(each) != signal.SIG_IGN]
    former = {each: signal.signal(each, note) for each in watched}
    try:
        yield noted
    finally:
        for each, before in former.items():
            signal.signal(each, signal.SIG_DFL if before is None else before)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let each signal that asks to end raise `Interrupted`, where nothing inside notes it."""
    with interruption_watch(break_off):
        yield
