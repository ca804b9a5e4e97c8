"""How long a run will take, from how fast it went so far."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QCoreApplication

translate = QCoreApplication.translate  # under the name that lupdate looks for
REMEMBERED = 12  # changes of the step
MINUTE, HOUR = 60, 3600  # seconds


class TimeLeft:
    """Watches the step of a run.

    Args:
        clock: gives seconds that only rise.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: deque[tuple[float, int]] = deque(maxlen=REMEMBERED)

    def restart(self) -> None:
        """Forget the past: another run, or the same one resumed."""
        self._seen.clear()

    def note(self, step: int) -> None:
        """Say at which step the run is."""
        if not self._seen or step != self._seen[-1][1]:
            self._seen.append((self._clock(), step))

    def seconds(self, steps: int) -> float | None:
        """Return how long it will take until step `steps`; None before the speed is known."""
        if len(self._seen) < 2:
            return None
        (began, first), (now, last) = self._seen[0], self._seen[-1]
        if last <= first or now <= began:
            return None
        pace = (now - began) / (last - first)
        return max(0.0, (steps - last) * pace - (self._clock() - now))


def duration_words(seconds: float) -> str:
    """Return a length of time as people say it."""
    if seconds < MINUTE:
        return translate("time_left", "less than a minute")
    if seconds < HOUR:
        return translate("time_left", "about {0} min").format(round(seconds / MINUTE))
    hours, rest = divmod(seconds, HOUR)
    return translate("time_left", "about {0} h {1} min").format(int(hours), int(rest / MINUTE))
