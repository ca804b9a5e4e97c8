"""Three pictures in turn, so that the one on screen is never written to and nothing is allocated per frame."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Label = TypeVar("Label")


class TripleBuffer(Generic[Label]):
    """A writer and a reader that never wait for each other.

    At any time the writer owns one picture, the reader another, and the third holds the newest finished one. Each
    finished picture carries a label: whatever describes it.
    """

    def __init__(self) -> None:
        self._exchange = threading.Lock()
        self._written, self._ready, self._shown = (np.empty((0, 0, 4), np.uint8) for _ in range(3))
        self._label: Label | None = None

    def writable(self, height: int, width: int) -> NDArray[np.uint8]:
        """Return the writer's picture `[height, width, 4]` uint8 with whatever it holds; a new one if the size changed.

        It is the writer's until `publish`.
        """
        if self._written.shape[:2] != (height, width):
            self._written = np.empty((height, width, 4), np.uint8)
        return self._written

    def publish(self, label: Label) -> None:
        """Make the writer's picture the newest one; an older one that nobody took is given up."""
        with self._exchange:
            self._written, self._ready = self._ready, self._written
            self._label = label

    def take(self) -> tuple[NDArray[np.uint8], Label] | None:
        """Return the newest picture and its label, or None if the reader has them already.

        The picture is the reader's until the next call that returns one.
        """
        with self._exchange:
            label, self._label = self._label, None
            if label is None:
                return None
            self._shown, self._ready = self._ready, self._shown
            return self._shown, label
