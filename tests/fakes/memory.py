"""What is still in memory."""

from __future__ import annotations

import gc


def alive(kind: type) -> int:
    """Return how many objects of a kind are in memory."""
    # Not `isinstance`, which asks weak proxies of what is gone.
    return sum(issubclass(type(thing), kind) for thing in gc.get_objects())
