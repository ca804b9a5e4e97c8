"""Running a source through a pipeline without a window, frame by frame."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.errors import SourceError
from engine.core.frame import Frame
from engine.core.stats import Meter, Spread
from engine.formats.images import write_picture
from engine.inference.landmarker import not_finite_error
from engine.inference.pipeline import Pipeline
from engine.inference.signals import SignalReader
from engine.output.streaming.streamer import Streamer
from engine.output.video_writer import VideoRecorder, measured_rate
from engine.render.overlay import Composer
from engine.render.scene import OverlayOptions, Scene
from engine.sources.base import Source, SourceKind

# Sources without an end stop after this many frames unless told otherwise.
ENDLESS_FRAMES = 300
# A camera is recorded at the rate at which so many of its first frames came.
FRAMES_TO_MEASURE = 15


@dataclass(frozen=True)
class HeadlessSettings:
    """What to do with the frames.

    Attributes:
        frames: stop after so many; None runs files to their end and endless sources for `ENDLESS_FRAMES`.
        record: video file for the annotated frames.
        picture: picture file for the last annotated frame with a face.
        overlay: what is drawn.
        stream: gets every result; whoever opened it stops it.
    """

    frames: int | None = None
    record: Path | None = None
    picture: Path | None = None
    overlay: OverlayOptions = field(default_factory=OverlayOptions)
    stream: Streamer | None = None


@dataclass(frozen=True)
class HeadlessSummary:
    """What a run reports.

    Attributes:
        frames: frames processed.
        faces_found: share of them with a face, in [0, 1].
        fps: frames per second of processing, the source's own time included.
        latency_ms: milliseconds of each stage; `total` is their sum without `capture`.
        nme: mean error in percent of the eye distance; None without ground truth.
        jitter: see `engine.core.stats.JitterMeter`; None if the face was never still.
        blinks: of all faces.
        model, source: their names.
        files: what was written, by kind.
    """

    frames: int
    faces_found: float
    fps: float
    latency_ms: Mapping[str, Spread]
    nme: float | None
    jitter: float | None
    blinks: int
    model: str
    source: str
    files: Mapping[str, str]

    def as_report(self) -> dict[str, Any]:
        """Return the summary as plain values for JSON, rounded to what is meant."""
        values = asdict(self)
        values["latency_ms"] = {
            name: {"p50": round(spread.p50, 3), "p95": round(spread.p95, 3)} for name, spread in self.latency_ms.items()
        }
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
    composer, reader = Composer(), SignalReader()
    blinks: dict[int, int] = {}  # of each face, by its id
    canvas = np.empty((0, 0, 4), np.uint8)
    keep = None
    start = time.monotonic()
    with ExitStack() as stack:
        recording = stack.enter_context(_Recording(settings.record, source.rate)) if settings.record else None
        for frame, capture_ms in _frames(source, settings.frames):
            result = pipeline.process(frame, capture_ms)
            if result.not_finite:
                raise not_finite_error(result.model)
            if canvas.shape[:2] != frame.image.shape[:2]:
                canvas = np.empty((*frame.image.shape[:2], 4), np.uint8)
            signals = reader.read(result)
            if settings.stream is not None:
                settings.stream.send(result, signals)
            blinks.update({face.id: face.blinks for face in signals if face is not None})
            draw_ms = _draw(composer, Scene(result, shown.stats(), settings.overlay, signals=signals), canvas)
            for numbers in (meter, shown):
                numbers.add(result, time.monotonic(), draw_ms)
            if recording is not None:
                recording.write(canvas, frame.captured)
            if settings.picture is not None and (result.faces or keep is None):
                keep = canvas.copy()
        elapsed = time.monotonic() - start
    stats = meter.stats()
    if not stats.frames:
        raise SourceError(
            f"The source {source.name} gave no frame", "it is empty or ended at once", "choose another source"
        )
    if settings.picture is not None and keep is not None:
        write_picture(settings.picture, cv2.cvtColor(keep, cv2.COLOR_BGRA2RGB))
    written = {"video": settings.record, "picture": settings.picture}
    return HeadlessSummary(
        frames=stats.frames,
        faces_found=stats.found,
        fps=stats.frames / elapsed,
        latency_ms=stats.latency_ms,
        nme=stats.nme,
        jitter=stats.jitter,
        blinks=sum(blinks.values()),
        model=pipeline.landmarker.card.name,
        source=source.name,
        files={kind: str(path) for kind, path in written.items() if path is not None},
    )


class _Recording:
    """Records pictures at a known rate, or else at the one at which the first of them were taken."""

    def __init__(self, path: Path, rate: float | None) -> None:
        self._path, self._rate = path, rate
        self._recorder: VideoRecorder | None = None
        self._waiting: list[NDArray[np.uint8]] = []
        self._moments: list[float] = []

    def __enter__(self) -> _Recording:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        recorder = self._begin() if self._waiting else self._recorder
        if recorder is not None:
            recorder.__exit__(kind, error, trace)

    def write(self, picture: NDArray[np.uint8], moment: float) -> None:
        """Append a picture `[H, W, 4]` BGRA, taken at `moment` seconds."""
        if self._recorder is not None:
            self._recorder.write(picture)
            return
        self._waiting.append(picture.copy())
        self._moments.append(moment)
        if self._rate or len(self._waiting) == FRAMES_TO_MEASURE:
            self._begin()

    def _begin(self) -> VideoRecorder:
        """Write down the pictures that waited for the rate."""
        height, width = self._waiting[0].shape[:2]
        waiting, self._waiting = self._waiting, []
        self._recorder = VideoRecorder(self._path, self._rate or measured_rate(self._moments), (width, height))
        for picture in waiting:
            self._recorder.write(picture)
        return self._recorder


def _frames(source: Source, limit: int | None) -> Iterator[tuple[Frame, float]]:
    """Yield frames and the milliseconds each took to come."""
    if limit is None and source.kind in (SourceKind.SAMPLE, SourceKind.CAMERA):
        limit = ENDLESS_FRAMES
    count = 0
    while limit is None or count < limit:
        start = time.perf_counter()
        frame = source.read()
        if frame is None:
            return
        yield frame, (time.perf_counter() - start) * 1e3
        count += 1


def _draw(composer: Composer, scene: Scene, canvas: np.ndarray) -> float:
    start = time.perf_counter()
    composer.compose(scene, canvas)
    return (time.perf_counter() - start) * 1e3
