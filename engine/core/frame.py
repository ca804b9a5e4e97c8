"""A frame: one picture of a source with the time it was captured."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.schemes import Scheme

THUMBNAIL = (32, 18)  # columns and rows


@dataclass(frozen=True)
class Truth:
    """Where the landmarks of the one face of a frame really are: `[K, 2]` float32, pixels of the picture."""

    scheme: Scheme
    points: NDArray[np.float32]


class Epoch:
    """One unbroken run of frames of one source, in which each follows the last in time. Safe from any thread.

    Seeking, reopening and stopping end an epoch. A loop and a stall are mere discontinuities: another epoch begins, and
    what was read before may still be shown.

    Args:
        is_camera: whether its frames are live.
        shown: place and seconds of the frame on screen as it begins, see `Frame.number` and `Frame.time`.

    Attributes:
        over: whether it has ended; none of its frames may be shown any more.
        shown: place and seconds of its frame on screen.
        given: id of the newest frame that was handed over; -1 before the first.
        handled: id of the newest frame that was processed and drawn; -1 before the first.
        complete: whether the source has no more frames to hand over.
    """

    def __init__(self, is_camera: bool = False, shown: tuple[int, float | None] = (0, None)) -> None:
        self.is_camera, self.shown = is_camera, shown
        self.given = self.handled = -1
        self.over = self.complete = False

    @property
    def drained(self) -> bool:
        """Whether every frame was handed over, processed and drawn."""
        return self.complete and self.handled >= self.given


UNENDING = Epoch()  # of frames outside a live session


@dataclass(frozen=True)
class Frame:
    """One picture of a source.

    Attributes:
        id: counts the frames of the session, dropped ones included: a seek or a loop does not turn it back.
        captured: `time.monotonic()` in seconds at which the picture was captured.
        image: `[H, W, 3]` uint8 RGB; never written to once the frame exists.
        source: name of the source, as users know it.
        name: name of this picture, for sources of many files; "" otherwise.
        time: position in the source in seconds, None for live ones.
        truth: ground truth, where the source has it.
        epoch: the unbroken run of frames that it belongs to.
        place: in its file, counted from 0; None for live ones, and outside a session, where `id` is the place.
        wait_ms: milliseconds that reading it took.
        asked: whether the user sought or stepped to it, so that it is shown in a pause too.
        file: the video that it is from; None for all else.
    """

    id: int
    captured: float
    image: NDArray[np.uint8]
    source: str
    name: str = ""
    time: float | None = None
    truth: Truth | None = None
    epoch: Epoch = UNENDING
    place: int | None = None
    wait_ms: float = 0.0
    asked: bool = False
    file: Path | None = None

    @property
    def number(self) -> int:
        """The number that files and receivers get: the place in the file, counted from 0; of live ones the `id`."""
        return self.id if self.place is None else self.place

    @property
    def moment(self) -> float:
        """Seconds: the time in the file where there is one, else when the picture was captured.

        Results for a file must not depend on processing speed.
        """
        return self.captured if self.time is None else self.time

    @property
    def width(self) -> int:
        return self.image.shape[1]

    @property
    def height(self) -> int:
        return self.image.shape[0]

    @cached_property
    def thumbnail(self) -> NDArray[np.uint8]:
        """The picture's `thumbnail`, computed once for all who look at this frame."""
        return thumbnail(self.image)


def thumbnail(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a coarse picture `[18, 32, 3]` of a picture `[H, W, 3]`, in which a moving face changes little."""
    columns, rows = THUMBNAIL
    # Of four samples a cell, because a mean over whole cells would read every pixel.
    samples = cv2.resize(picture, (2 * columns, 2 * rows), interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.resize(samples, THUMBNAIL, interpolation=cv2.INTER_AREA), np.uint8)
