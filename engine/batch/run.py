"""Running a source through a pipeline without a window, frame by frame."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from engine.batch.frames import finish_recording, moment_in, process_frames
from engine.core.pairing import true_face
from engine.core.stats import Meter, Spread
from engine.evaluation.session_report.meter import SessionMeter
from engine.formats.images import write_picture
from engine.inference.pipeline import Pipeline
from engine.output.recorder import TimedRecorder
from engine.output.streaming.streamer import Streamer
from engine.render.overlay import OverlayPainter
from engine.render.scene import Look, OverlayOptions
from engine.sources.base import Source, SourceKind


@dataclass(frozen=True)
class HeadlessSettings:
    """What to do with the frames.

    Attributes:
        frames: stop after so many; None runs files to their end and endless sources for
            `engine.batch.frames.ENDLESS_FRAMES`.
        record: video file for the annotated frames.
        picture: picture file for the last annotated frame with a face.
        overlay: what is drawn.
        stream: gets every result; it is stopped where it was opened.
        stop: asked before each frame; True ends the run as the end of a file does.
        session: measures every result for a report; None for none.
    """

    frames: int | None = None
    record: Path | None = None
    picture: Path | None = None
    overlay: OverlayOptions = field(default_factory=OverlayOptions)
    stream: Streamer | None = None
    stop: Callable[[], bool] = lambda: False
    session: SessionMeter | None = None


@dataclass(frozen=True)
class HeadlessSummary:
    """What a run reports.

    Attributes:
        frames: frames processed.
        faces_found: share of them with a face, in [0, 1].
        no_face, too_small: how many have no face, and only faces that are too small for exact landmarks.
        fps: frames per second of processing, the source's own time included.
        latency_ms: milliseconds of each stage; `total` is their sum without `capture`.
        nme: mean error in percent of the eye distance; None without ground truth, or where its face was always missed.
        missed: how many frames have ground truth, and no face that lies on it.
        jitter: see `engine.core.stats.JitterMeter`; None if the face was never still.
        blinks: of all faces.
        model, source: their names.
        files: what was written, by kind.
    """

    frames: int
    faces_found: float
    no_face: int
    too_small: int
    fps: float
    latency_ms: Mapping[str, Spread]
    nme: float | None
    missed: int
    jitter: float | None
    blinks: int
    model: str
    source: str
    files: Mapping[str, str]

    def as_report(self) -> dict[str, Any]:
        """Return the summary as plain values for JSON, rounded to what is meant."""
        values = asdict(self)
        for spread in values["latency_ms"].values():
            spread.update({name: round(milliseconds, 3) for name, milliseconds in spread.items()})
        for name in ("faces_found", "fps", "nme", "jitter"):
            values[name] = None if values[name] is None else round(values[name], 4)
        return values


def run_headless(source: Source, pipeline: Pipeline, settings: HeadlessSettings) -> HeadlessSummary:
    """Process a source frame by frame.

    Raises:
        SourceError: the source failed or gave no frame.
        ModelError: the model gave numbers that are not finite.
        RecordingError: a video cannot be written.
    """
    meter, shown = Meter(window=None, refresh=0), Meter()
    painter = OverlayPainter()
    blinks: dict[int, int] = {}  # of each face, by its id
    no_face = too_small = missed = 0
    canvas = np.empty((0, 0, 4), np.uint8)
    keep = None
    start = time.monotonic()
    recording = (
        TimedRecorder(settings.record, source.rate, live=source.kind is SourceKind.CAMERA) if settings.record else None
    )
    with recording or nullcontext():
        for result, signals in process_frames(source, pipeline, settings.frames, settings.stop):
            frame = result.frame
            no_face += not result.faces
            too_small += result.too_small
            missed += frame.truth is not None and true_face(result.faces, frame.truth) is None
            if canvas.shape[:2] != frame.image.shape[:2]:
                canvas = np.empty((*frame.image.shape[:2], 4), np.uint8)
            if settings.stream is not None:
                settings.stream.send(result, signals)
            if settings.session is not None:
                settings.session.add(frame, [result])
            blinks.update({face.id: face.blinks for face in signals if face is not None})
            began = time.perf_counter()
            painter.paint(canvas, result, Look(settings.overlay), shown.stats(), signals)
            draw_ms = (time.perf_counter() - began) * 1e3
            for numbers in (meter, shown):
                numbers.add(result, time.monotonic(), draw_ms)
            if recording is not None:
                recording.write(canvas.copy(), moment_in(source, frame))
            if settings.picture is not None and (result.faces or keep is None):
                keep = canvas.copy()
        if recording is not None:
            finish_recording(source, recording)
        elapsed = time.monotonic() - start
    stats = meter.stats()
    if settings.picture is not None and keep is not None:
        write_picture(settings.picture, cv2.cvtColor(keep, cv2.COLOR_BGRA2RGB))
    written = {"video": settings.record, "picture": settings.picture}
    return HeadlessSummary(
        frames=stats.frames,
        faces_found=stats.found,
        no_face=no_face,
        too_small=too_small,
        fps=stats.frames / elapsed,
        latency_ms=stats.latency_ms,
        nme=stats.nme,
        missed=missed,
        jitter=stats.jitter,
        blinks=sum(blinks.values()),
        model=pipeline.landmarker.name,
        source=source.name,
        files={kind: str(path) for kind, path in written.items() if path is not None},
    )
