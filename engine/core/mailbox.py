"""The hand-over of items between two threads through a place for one: the newest only, or every one in turn."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Mailbox(Generic[Item]):
    """A place for one item.

    Live sources `replace`: what nobody took in time makes room for the newest, so what is taken is never old and
    memory never grows. Files `put`: the giver waits for room, so that nothing is lost.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: Item | None = None
        self._closed = False

    def replace(self, item: Item) -> bool:
        """Leave `item` in the place of an older one, without waiting; return False if the mailbox is closed."""
        with self._changed:
            if not self._closed:
                self._item = item
                self._changed.notify_all()
            return not self._closed

    def put(self, item: Item, timeout: float) -> bool:
        """Leave `item` once the place is free; return False if that took longer than `timeout` seconds or is closed."""
        with self._changed:
            free = self._changed.wait_for(lambda: self._closed or self._item is None, timeout)
            if self._closed or not free:
                return False
            self._item = item
            self._changed.notify_all()
            return True

    def take(self, timeout: float, wanted: Callable[[Item], bool] = lambda _: True) -> Item | None:
        """Return the item and free its place; None if there was none within `timeout` seconds or the mailbox is closed.

        An item that is not `wanted` stays where it is.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._closed or self._holds(wanted), timeout):
                return None
            item, self._item = self._item, None
            self._changed.notify_all()
            return item

    def close(self) -> None:
        """Refuse further items, forget the one that waits, and wake everyone who waits."""
        with self._changed:
            self._closed = True
            self._item = None
            self._changed.notify_all()

    def _holds(self, wanted: Callable[[Item], bool]) -> bool:
        return self._item is not None and wanted(self._item)
