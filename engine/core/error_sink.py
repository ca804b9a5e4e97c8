"""Handing an error from a thread of the engine to whoever shows it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from engine.core.errors import UnderstudyError

log = logging.getLogger(__name__)

Tell = Callable[[UnderstudyError], None]


def tell_of(error: UnderstudyError, tell: Tell | None) -> None:
    """Call `tell`, if there is one, with an error; whatever it raises is logged, and the thread goes on.

    A window that is being taken down must not take the threads with it.
    """
    if tell is None:
        return
    try:
        tell(error)
    except Exception:
        log.exception("The listener failed")
