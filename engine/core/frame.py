"""A frame: one picture of a source with the moment it was taken. Everything later carries it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.core.schemes import Scheme


@dataclass(frozen=True)
class Truth:
    """Where the landmarks of the one face of a frame really are.

    Attributes:
        scheme: markup of the points.
        points: `[K, 2]` float32, pixels of the picture.
    """

    scheme: Scheme
    points: NDArray[np.float32]


@dataclass(frozen=True)
class Frame:
    """One picture of a source.

    Attributes:
        id: grows by one with every frame that the source gives, dropped ones included.
        captured: `time.monotonic()` in seconds at which the picture was there.
        image: `[H, W, 3]` uint8 RGB; never written to once the frame exists.
        source: name of the source, as users know it.
        name: name of this picture, for sources of many files; "" otherwise.
        time: position in the source in seconds, None for live ones.
        truth: ground truth, where the source has it.
    """

    id: int
    captured: float
    image: NDArray[np.uint8]
    source: str
    name: str = ""
    time: float | None = None
    truth: Truth | None = None

    @property
    def moment(self) -> float:
        """Seconds: a file's own time, where there is one, else when the picture was there.

        What is found in a file must not depend on how fast it is processed.
        """
        return self.captured if self.time is None else self.time

    @property
    def width(self) -> int:
        return self.image.shape[1]

    @property
    def height(self) -> int:
        return self.image.shape[0]
