"""What every source of frames offers."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from engine.frame import Frame

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
