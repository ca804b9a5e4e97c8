"""A filter drawn on saved pictures and videos, written to new files."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import cv2

from engine.core.errors import SourceError, UsageError
from engine.core.frame import Frame
from engine.filters.loading import Filter
from engine.filters.painter import draw_filter
from engine.formats.images import PICTURE_SUFFIXES, write_picture
from engine.inference.landmarker import not_finite_error
from engine.inference.pipeline import Pipeline
from engine.inference.signals import SignalReader
from engine.output.video_writer import VideoRecorder
from engine.sources.base import FALLBACK_RATE, Source, SourceKind


@dataclass(frozen=True)
class Applied:
    """What was done.

    Attributes:
        frames: pictures or frames that were written.
        with_faces: how many of them have a face.
    """

    frames: int
    with_faces: int


def apply_to_source(source: Source, path: Path, pipeline: Pipeline, loaded: Filter, out: Path) -> Applied:
    """Draw a filter on every frame of a source and write the result.

    Args:
        source: pictures or a video, not yet read from.
        path: where it lies, so that no original is written over.
        pipeline: finds the faces.
        loaded: the filter.
        out: a picture's file for a single picture, a folder for several, a video's file (.mp4, .avi) for a video.

    Raises:
        UsageError: the source never ends, or `out` would be an original or does not suit it.
        SourceError: the source failed or gave no frame.
        ModelError: the model gave numbers that are not finite.
        RecordingError: a file cannot be written.
    """
    if source.kind in (SourceKind.CAMERA, SourceKind.SAMPLE):
        raise UsageError(
            f"“{source.name}” never ends, so it cannot be written as a file",
            "this is for pictures and videos",
            "record a video first: “understudy run --headless --record FILE”",
        )
    reader, frames, with_faces = SignalReader(), 0, 0
    with ExitStack() as stack:
        recorder: VideoRecorder | None = None
        while (frame := source.read()) is not None:
            result = pipeline.process(frame)
            if result.not_finite:
                raise not_finite_error(result.model)
            picture = frame.image.copy()
            draw_filter(loaded, picture, result.faces, reader.read(result), seconds=frame.time or 0.0)
            if source.kind is SourceKind.PICTURES:
                write_picture(_target(out, path, frame), picture)
            else:
                recorder = recorder or stack.enter_context(_recorder(out, path, source, frame))
                recorder.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
            frames, with_faces = frames + 1, with_faces + bool(result.faces)
    if not frames:
        raise SourceError(f"{source.name} gave no picture", "it is empty or ended at once", "choose another path")
    return Applied(frames, with_faces)


def _target(out: Path, path: Path, frame: Frame) -> Path:
    """Return where a picture goes."""
    is_file = out.suffix.lower() in PICTURE_SUFFIXES
    if is_file and path.is_dir():
        raise UsageError(f"{out} is one picture, but {path} is a folder", "--out names a file", "name a folder")
    target = out if is_file else out / frame.name
    _spare_original(target, path / frame.name if path.is_dir() else path)
    return target


def _recorder(out: Path, path: Path, source: Source, frame: Frame) -> VideoRecorder:
    _spare_original(out, path)
    return VideoRecorder(out, source.rate or FALLBACK_RATE, (frame.width, frame.height))


def _spare_original(target: Path, original: Path) -> None:
    if target.resolve() == original.resolve():
        raise UsageError(
            f"{target} is the original itself", "it would be written over", "choose another file or folder with --out"
        )
