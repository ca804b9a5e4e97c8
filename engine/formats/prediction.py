"""The faces of one picture or frame, as they are written to files and read from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.core.faces import Face, Result
from engine.inference.signals import FaceSignals


@dataclass(frozen=True)
class Prediction:
    """All faces of one picture or frame.

    Attributes:
        image: file name of the picture, None for a frame of a video.
        source, frame: name of the video and number of the frame, None for a picture.
        width, height: of the picture in pixels.
        faces: largest first, or in the order of a pack, where `id` is the label's place in it; empty if none was found.
        model: name of the model.
        signals: of each face; None for a face that has none, empty if they were not requested.
        time: position of the frame in seconds; None if it is not to be written.
    """

    image: str | None
    source: str | None
    frame: int | None
    width: int
    height: int
    faces: tuple[Face, ...]
    model: str
    signals: tuple[FaceSignals | None, ...] = ()
    time: float | None = None


def as_prediction(result: Result, signals: Sequence[FaceSignals | None], time: float | None = None) -> Prediction:
    """Return a result without its picture, with the signals of its faces and its `time`, see `Prediction`."""
    frame = result.frame
    still = bool(frame.name)
    return Prediction(
        image=frame.name if still else None,
        source=None if still else frame.source,
        frame=None if still else frame.id,
        width=frame.width,
        height=frame.height,
        faces=result.faces,
        model=result.model,
        time=time,
        signals=tuple(signals[: len(result.faces)]),
    )
