"""A mailbox for one item between two threads: either the newest replaces the older one, or every item is delivered."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Mailbox(Generic[Item]):
    """Holds at most one item.

    Live sources `replace` an item that was not taken in time, so the item taken is always the newest and memory
    does not grow. Files `put`: the producer waits until the mailbox is empty, so that nothing is lost.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: Item | None = None
        self._closed = False

    def replace(self, item: Item) -> bool:
        """Store `item` in place of an older one, without waiting; return False if the mailbox is closed."""
        with self._changed:
            if not self._closed:
                self._item = item
                self._changed.notify_all()
            return not self._closed

    def put(self, item: Item, timeout: float) -> bool:
        """Store `item` once the mailbox is empty; return False if it is closed, or full for `timeout` seconds."""
        with self._changed:
            free = self._changed.wait_for(lambda: self._closed or self._item is None, timeout)
            if self._closed or not free:
                return False
            self._item = item
            self._changed.notify_all()
            return True

    def take(self, timeout: float, wanted: Callable[[Item], bool] = lambda _: True) -> Item | None:
        """Remove and return the item; None if there was none within `timeout` seconds or the mailbox is closed.

        An item that is not `wanted` stays.
        """
        with self._changed:
            if not self._changed.wait_for(
                lambda: self._closed or (self._item is not None and wanted(self._item)), timeout
            ):
                return None
            item, self._item = self._item, None
            self._changed.notify_all()
            return item

    def close(self) -> None:
        """Refuse further items, drop the stored one, and wake all waiting threads."""
        with self._changed:
            self._closed = True
            self._item = None
            self._changed.notify_all()
