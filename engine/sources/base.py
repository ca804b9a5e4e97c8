"""What every source of frames offers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol, runtime_checkable

from engine.core.frame import Frame

# Frames per second of a source that does not tell its own.
FALLBACK_RATE = 30.0


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

        May block for as long as a driver blocks; whoever calls watches the time.

        Raises:
            SourceError: the source failed.
        """

    def close(self) -> None:
        """Release the device or file. Must be safe to call twice."""


@runtime_checkable
class Seekable(Protocol):
    """A source that can go on from any place. Each of its frames carries its place, counted from 0, as its `id`."""

    @property
    def duration(self) -> float | None:
        """Seconds from the first frame to the end as far as is known; None where nothing is known of it."""

    def place_at(self, seconds: float) -> int:
        """Return the place of the frame that is shown at a moment; the nearest one before the start and after the end.

        Where that is only found by going there, places beyond the end may come too.
        """

    def seek(self, place: int) -> None:
        """Let the next `read` return the frame at `place`, or the last one if there are fewer.

        Raises:
            SourceError: the source failed.
        """


@dataclass(frozen=True)
class CameraFormat:
    """What a camera is asked for; it may answer with something else.

    Attributes:
        width, height: of its pictures, in pixels.
        rate: pictures per second.
    """

    width: int
    height: int
    rate: int


@runtime_checkable
class Adjustable(Protocol):
    """A camera that can be asked for another format while it runs."""

    def ask(self, wanted: CameraFormat) -> None:
        """Ask for a format before the next picture; returns at once, from any thread."""
