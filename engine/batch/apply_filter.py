"""A filter drawn on saved pictures and videos, written to new files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engine.batch.frames import finish_recording, moment_in, process_frames, require_end
from engine.core.errors import UsageError
from engine.core.frame import Frame
from engine.core.output_guard import OutputGuard
from engine.filters.painter import Filter
from engine.formats.images import WRITABLE_SUFFIXES, write_picture
from engine.inference.pipeline import Pipeline
from engine.output.recorder import TimedRecorder
from engine.sources.base import FALLBACK_RATE, Source, SourceKind


def apply_to_source(
    source: Source,
    path: Path,
    pipeline: Pipeline,
    loaded: Filter,
    out: Path,
    stop: Callable[[], bool] = lambda: False,
) -> tuple[int, int]:
    """Draw a filter on every frame of a source and write them; return how many, and on how many there is a face.

    Args:
        source: pictures or a video, not yet read from.
        path: of the source, so that no original is overwritten.
        pipeline: finds the faces.
        loaded: the filter.
        out: a picture's file for a single picture, a folder for several, a video's file (.mp4, .avi) for a video.
        stop: asked before each frame; True ends the work, and what was written is finished.

    Raises:
        UsageError: the source never ends, or `out` would be an original or does not suit it.
        SourceError: the source failed or gave no frame.
        ModelError: the model gave numbers that are not finite.
        RecordingError: a file cannot be written.
    """
    require_end(source, "it")
    if source.kind is not SourceKind.PICTURES:
        OutputGuard([path], overwrite=True).check(out)
    frames = with_faces = 0
    with TimedRecorder(out, source.rate or FALLBACK_RATE) as recorder:
        for result, signals in process_frames(source, pipeline, stop=stop):
            frame = result.frame
            picture = frame.image.copy()
            loaded.paint(picture, result.faces, signals, seconds=frame.time or 0.0)
            if source.kind is SourceKind.PICTURES:
                write_picture(_target(out, path, frame), picture)
            else:
                recorder.write(picture, moment_in(source, frame))
            frames, with_faces = frames + 1, with_faces + bool(result.faces)
        finish_recording(source, recorder)
    return frames, with_faces


def written_name(name: str) -> str:
    """Return the name under which a picture is written: its own, with `.png` behind a format that is only read."""
    return name if Path(name).suffix.lower() in WRITABLE_SUFFIXES else f"{name}.png"


def _target(out: Path, path: Path, frame: Frame) -> Path:
    """Return where a picture goes."""
    is_file = out.suffix.lower() in WRITABLE_SUFFIXES
    if is_file and path.is_dir():
        raise UsageError(f"{out} is one picture, but {path} is a folder", "--out names a file", "name a folder")
    target = out if is_file else out / written_name(frame.name)
    OutputGuard([path / frame.name if path.is_dir() else path], overwrite=True).check(target)
    return target
