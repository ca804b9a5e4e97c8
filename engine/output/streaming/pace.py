"""How fast a WebSocket client may be sent messages, so that what it reads is new."""

from __future__ import annotations

# Seconds. A client is asked by a ping how far it has read, at most once in ASK_EVERY; while its answer is overdue by
# OVERDUE it gets nothing. Where the answer took longer than SLOW, messages pile up in a queue of the client, of which
# no answer says how long it is: then it gets fewer than it has read until now, and slowly more again.
ASK_EVERY, OVERDUE, SLOW = 0.1, 0.15, 0.25
SHARE = 0.8  # of the rate at which a client was seen to read
RECOVERY = 0.003  # by which the gap between messages shrinks in a second
LONGEST_GAP = 1.0  # seconds
WINDOW = 10.0  # seconds over which the rate is measured at most


class Pace:
    """When one client may be sent the next message. Moments are seconds of one clock.

    A client that never answers pings, as the standard demands, is never held back here.

    Args:
        now: the present moment.
    """

    def __init__(self, now: float) -> None:
        self._asked: float | None = None  # moment of the ping that is not answered yet
        self._answers = False
        self._gap, self._next = 0.0, now
        self._since, self._count, self._last = now, 0, now

    def is_free(self, now: float) -> bool:
        """Return whether a message may be sent."""
        overdue = self._answers and self._asked is not None and now > self._asked + OVERDUE
        return now >= self._next and not overdue

    def sent(self, now: float) -> bool:
        """Note that a message was sent; return whether a ping shall follow it, which is answered by `answered`."""
        self._next = max(self._next, now - self._gap) + self._gap
        self._count += 1
        if self._asked is not None or now < self._last + ASK_EVERY:
            return False
        self._asked = now
        return True

    def answered(self, now: float) -> None:
        """Note that the client has read up to the last ping."""
        took = 0.0 if self._asked is None else now - self._asked
        self._gap *= 1 - min(RECOVERY * (now - self._last), 1.0)
        self._asked, self._answers, self._last = None, True, now
        if took > SLOW and self._count > 1:
            self._gap = min(max(self._gap, (now - self._since) / self._count / SHARE), LONGEST_GAP)
        if took > SLOW or now > self._since + WINDOW:
            self._since, self._count = now, 0
