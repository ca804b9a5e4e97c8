"""What every source of frames offers, and the conversion of OpenCV's pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol, runtime_checkable

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.errors import SourceError
from engine.core.frame import Frame

# Frames per second of a source without a rate of its own.
FALLBACK_RATE = 30.0
HALF_MILLISECOND = 0.0005  # seconds; moments that are nearer than this are the same
# Uncompressed pictures of some size fill a USB 2 cable at a few frames per second.
FAST_PIXELS = "MJPG"
_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
TURNS = (0, *_TURNS)
# How a number of channels becomes RGB; BGR ends here.
_CONVERSIONS = {1: cv2.COLOR_GRAY2RGB, 3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGB}


class SourceKind(Enum):
    """Where frames come from, which decides whether frames may be dropped."""

    CAMERA = "camera"  # live: the newest frame counts, older ones are dropped
    VIDEO = "video"  # every frame counts, shown at the file's own rate
    PICTURES = "pictures"  # every picture counts, each shown for a while
    SAMPLE = "sample"  # endless and computed: like a video, with ground truth


class Source(Protocol):
    """An opened source. It is used by one thread only; `close` may come from another.

    Attributes:
        name: name for users: the camera's, the file's, or "Sample".
        kind: what kind of source it is.
        rate: frames per second at which the source wants to be shown; None for cameras, whose rate is measured.
        frame_count: number of frames if it is known for certain, else None.
        remark: a sentence on what is missing from what was read so far, as of damaged files; "" if nothing is.
    """

    name: str
    kind: SourceKind
    rate: float | None
    frame_count: int | None

    @property
    def remark(self) -> str: ...

    def read(self) -> Frame | None:
        """Return the next frame, or None when the source has ended.

        May block as long as the driver does; callers need a time-out of their own.

        Raises:
            SourceError: the source failed.
        """

    def close(self) -> None:
        """Release the device or file. Must be safe to call twice."""


@runtime_checkable
class Seekable(Protocol):
    """A source that can continue from any place. The `id` of each of its frames is its place, counted from 0."""

    @property
    def duration(self) -> float | None:
        """Seconds from the first frame to the end as far as is known; None if unknown."""

    def place_at(self, seconds: float) -> int:
        """Return the place of the frame that is shown at a moment; the nearest one before the start and after the end.

        Where that is only found by seeking, it may be beyond the end.
        """

    def seek(self, place: int) -> None:
        """Let the next `read` return the frame at `place`, or the last one if there are fewer.

        Raises:
            SourceError: the source failed.
        """


def place_shown(seconds: float, rate: float, count: int | None = None) -> int:
    """Return the place of the frame that is shown at a moment, where `rate` frames a second follow one another.

    Before the start it is the first one, and after the end the last one, where it is known how many they are.
    """
    # Times may have been rounded, so a frame counts as shown half a millisecond before its moment.
    place = math.floor((seconds + HALF_MILLISECOND) * rate)
    return max(0, place if count is None else min(place, count - 1))


@dataclass(frozen=True)
class CameraFormat:
    """What a camera is asked for, and how its pictures are turned.

    Attributes:
        width, height, rate: in pixels and pictures per second; it may deliver others.
        pixels: the four letters of the format in which it sends them, as MJPG or YUYV; it may ignore that.
        turn: by how many degrees its pictures are turned clockwise, one of `TURNS`.
    """

    width: int
    height: int
    rate: int
    pixels: str = FAST_PIXELS
    turn: int = 0


@runtime_checkable
class Adjustable(Protocol):
    """A camera that can be asked for another format while it runs."""

    def ask(self, wanted: CameraFormat) -> None:
        """Ask for a format before the next picture; returns at once, from any thread."""


def turned(picture: NDArray[Any], turn: int) -> NDArray[Any]:
    """Return a picture `[H, W]` or `[H, W, C]` turned clockwise by `turn` degrees, one of `TURNS`."""
    return cv2.rotate(picture, _TURNS[turn]) if turn else picture


def to_rgb(picture: NDArray[Any], source: str) -> NDArray[np.uint8]:
    """Convert a picture of OpenCV to a new `[H, W, 3]` uint8 RGB picture.

    Args:
        picture: `[H, W]` or `[H, W, 1]` grey, `[H, W, 3]` BGR or `[H, W, 4]` BGRA; uint8, or uint16 of full range.
        source: name for the error.

    Raises:
        SourceError: another depth or number of channels, which could only be guessed at.
    """
    channels = 1 if picture.ndim == 2 else picture.shape[-1]
    if picture.ndim not in (2, 3) or channels not in _CONVERSIONS or picture.dtype not in (np.uint8, np.uint16):
        raise SourceError(
            f"{source} delivers pictures of the kind {picture.shape} {picture.dtype}",
            "grey, BGR or BGRA of 8 or 16 bits were expected",
            "choose another format in the camera's own settings, or convert the file",
        )
    if picture.dtype == np.uint16:
        picture = (picture >> 8).astype(np.uint8)
    return cv2.cvtColor(np.ascontiguousarray(picture), _CONVERSIONS[channels])
