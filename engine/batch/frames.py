"""The frame loop of everything that runs without a window: each frame of a source through a pipeline, in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from engine.core.errors import SourceError, UsageError
from engine.core.face_signals import FaceSignals
from engine.core.faces import Result
from engine.core.frame import Frame
from engine.inference.landmarker import not_finite_error
from engine.inference.pipeline import Pipeline
from engine.inference.signals import SignalReader
from engine.output.recorder import TimedRecorder
from engine.sources.base import FALLBACK_RATE, Seekable, Source, SourceKind

# Sources without an end stop after this many frames unless a number is given.
ENDLESS_FRAMES = 300


def process_frames(
    source: Source, pipeline: Pipeline, limit: int | None = None, stop: Callable[[], bool] = lambda: False
) -> Iterator[tuple[Result, tuple[FaceSignals | None, ...]]]:
    """Yield the result of each frame of a source that was not read yet, and the signals of each face.

    It stops after `limit` frames; None reads files to their end, and `ENDLESS_FRAMES` of endless sources.
    It stops before any frame as soon as `stop` returns True.

    Raises:
        SourceError: the source failed or gave no frame.
        ModelError: the model gave numbers that are not finite.
    """
    reader = SignalReader()
    for frame, capture_ms in read_frames(source, limit, stop):
        result = pipeline.process(frame, capture_ms)
        if result.not_finite:
            raise not_finite_error(result.model)
        yield result, reader.read(result)


def read_frames(
    source: Source, limit: int | None = None, stop: Callable[[], bool] = lambda: False
) -> Iterator[tuple[Frame, float]]:
    """Yield each frame of a source that was not read yet, and the milliseconds that it took to arrive.

    It ends as `process_frames` does.

    Raises:
        SourceError: the source failed or gave no frame.
    """
    if limit is None and is_endless(source):
        limit = ENDLESS_FRAMES
    count = 0
    while (limit is None or count < limit) and not stop():
        start = time.perf_counter()
        frame = source.read()
        if frame is None:
            break
        yield frame, (time.perf_counter() - start) * 1e3
        count += 1
    if not count and not stop():
        raise SourceError(f"{source.name} gave no picture", "it is empty or ended at once", "choose another source")


def moment_in(source: Source, frame: Frame) -> float:
    """Return when a frame is shown in seconds, for a recording: by the file's time, or of live ones by the clock."""
    if frame.time is not None or source.kind is SourceKind.CAMERA:
        return frame.moment
    return frame.id / (source.rate or FALLBACK_RATE)


def finish_recording(source: Source, recording: TimedRecorder) -> None:
    """Show a recording's last picture for as long as the source shows its last frame, if it was read to its end."""
    if source.kind is SourceKind.VIDEO and source.frame_count is not None and isinstance(source, Seekable):
        recording.hold_until(source.duration or 0.0)


def is_endless(source: Source) -> bool:
    """Return whether a source goes on until it is stopped."""
    return source.kind in (SourceKind.CAMERA, SourceKind.SAMPLE)


def require_end(source: Source, what: str) -> None:
    """Refuse a source of which `what` cannot be written as a file.

    Raises:
        UsageError: it never ends.
    """
    if is_endless(source):
        raise UsageError(
            f"“{source.name}” never ends, so {what} cannot be written as a file",
            "this is for pictures and videos",
            "record a video first: “understudy run --headless --record FILE”",
        )
