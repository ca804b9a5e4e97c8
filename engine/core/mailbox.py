"""A mailbox for one item between two threads: the newest replaces the older one."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Mailbox(Generic[Item]):
    """Holds at most one item: it replaces one that was not taken in time, so what is taken is always the newest."""

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

    def take(self, timeout: float) -> Item | None:
        """Remove and return the item; None if there was none within `timeout` seconds or the mailbox is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._item is not None, timeout)
            item, self._item = self._item, None
            return item

    def close(self) -> None:
        """Refuse further items, drop the stored one, and wake all waiting threads."""
        with self._changed:
            self._closed = True
            self._item = None
            self._changed.notify_all()
