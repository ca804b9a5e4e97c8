"""Watches that no thread outlives its test."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

GRACE = 3.0  # seconds for threads that are on their way out


@contextmanager
def no_thread_left() -> Iterator[None]:
    """Fail if threads that were started inside still run some seconds later."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + GRACE
    while (left := set(threading.enumerate()) - before) and time.monotonic() < deadline:
        time.sleep(0.005)
    assert not left, f"threads are left: {left}"
