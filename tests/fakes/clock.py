"""A clock that only a test moves."""

from __future__ import annotations


class FakeClock:
    """Returns seconds as `time.monotonic` does."""

    def __init__(self, now: float = 100.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
