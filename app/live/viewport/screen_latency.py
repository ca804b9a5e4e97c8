"""How long a frame takes from its capture until it is painted in the window."""

from __future__ import annotations

from collections import deque

from engine.core.faces import Result
from engine.core.stats import WINDOW, Spread, spread_of

LONGEST = 5.0  # seconds: longer ones come from a standstill, as when the machine slept


class ScreenLatency:
    """Measures one lane. A frame counts when it is painted for the first time.

    Frames captured before the picture last stood still do not count, as they waited; nor do those of more than
    `LONGEST` seconds.

    Args:
        window: number of frames of the spread.
    """

    def __init__(self, window: int = WINDOW) -> None:
        self._values: deque[float] = deque(maxlen=window)
        self._painted: tuple[int, float] | None = None  # the last frame's id and capture
        self._model = self._source = ""
        self._live_since: float | None = None
        self.latest: float | None = None  # of the frame on screen, in milliseconds

    @property
    def spread(self) -> Spread | None:
        """Median and 95th percentile in milliseconds over the window; None before the first frame."""
        return spread_of(self._values) if self._values else None

    def painted(self, result: Result, now: float, live: bool = True) -> float | None:
        """Count a result that is on screen.

        Args:
            result: what was painted; another model or another source begins a new window.
            now: `time.monotonic()` in seconds.
            live: whether frames come; False while the picture stands still.

        Returns:
            Milliseconds since the capture, also kept as `latest`; None for a frame that was painted before or that
            does not count.
        """
        if not live:
            self._live_since = None
        elif self._live_since is None:
            self._live_since = now
        model = result.model or self._model  # a frame without a model changes nothing
        if (model, result.frame.source) != (self._model, self._source):
            self._model, self._source = model, result.frame.source
            self._values.clear()
        shown, self._painted = self._painted, (result.frame.id, result.frame.captured)
        if shown == self._painted:
            return None
        seconds, since = now - result.frame.captured, self._live_since
        self.latest = None
        if since is None or result.frame.captured < since or not 0 <= seconds <= LONGEST:
            return None
        self.latest = seconds * 1e3
        self._values.append(self.latest)
        return self.latest
