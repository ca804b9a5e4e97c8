"""The figures of a session: numbers of each lane, and how near the lanes are to one another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.core.metrics import Accuracy, accuracy
from engine.evaluation.session_report.meter import LaneRecord, SessionMeter


@dataclass(frozen=True)
class Percentiles:
    """Milliseconds of a stage: median, what 95 and 99 of 100 stay below, and the largest; over `count` frames."""

    count: int
    mean: float
    p50: float
    p95: float
    p99: float
    largest: float


@dataclass(frozen=True)
class LaneFigures:
    """The numbers of one lane.

    Attributes:
        frames: that it processed.
        latency, landmark, detect: of a frame as a whole without the wait for the source; of the landmark network; of
            the detector where it ran. None without any.
        throughput: frames a second that this lane could process by itself: 1000 / mean latency.
        accuracy: against ground truth; None without any.
        jitter: mean in percent of the eye distance, over `still` pairs of frames; None if the face was never still.
        lag: milliseconds behind the ground truth, or without one behind the first lane, over `moving` pairs of frames;
            None if it hardly moved.
        found: share of the frames with a face, in [0, 1].
        lost: how often a tracked face was not found on the next frame.
        confidence, low_confidence: mean, and 5th percentile, of the frames' mean confidence, in [0, 1].
    """

    frames: int
    latency: Percentiles | None
    landmark: Percentiles | None
    detect: Percentiles | None
    throughput: float | None
    accuracy: Accuracy | None
    jitter: float | None
    still: int
    lag: float | None
    moving: int
    found: float | None
    lost: int
    confidence: float | None
    low_confidence: float | None


@dataclass(frozen=True)
class Distance:
    """How far apart two lanes are: mean distance in percent of the eye distance over `frames` with a face in common."""

    mean: float | None
    p95: float | None
    frames: int


def lane_figures(record: LaneRecord, has_truth: bool) -> LaneFigures:
    """Return the numbers of one lane; `has_truth` says whether any frame had ground truth."""
    lag = record.lag(has_truth)
    columns = {name: np.array(column) for name, column in record.columns.items()}
    latency, confidence = percentiles(columns["latency"]), known(columns["confidence"])
    faces = known(columns["faces"])
    return LaneFigures(
        frames=len(faces),
        latency=latency,
        landmark=percentiles(columns["landmark"]),
        detect=percentiles(columns["detect"]),
        throughput=1e3 / latency.mean if latency is not None and latency.mean > 0 else None,
        accuracy=accuracy(columns["nme"]) if has_truth else None,
        jitter=record.jitter.value,
        still=len(known(columns["jitter"])),
        lag=lag.milliseconds,
        moving=lag.pairs,
        found=float(np.mean(faces > 0)) if len(faces) else None,
        lost=int(known(columns["lost"]).sum()),
        confidence=float(confidence.mean()) if len(confidence) else None,
        low_confidence=float(np.percentile(confidence, 5)) if len(confidence) else None,
    )


def distance_matrix(meter: SessionMeter) -> list[list[Distance | None]]:
    """Return the distance of each lane from each other one; None from itself."""
    count = len(meter.lanes)
    matrix: list[list[Distance | None]] = [[None] * count for _ in range(count)]
    for (first, second), column in meter.distances.items():
        values = known(column)
        found = len(values) > 0
        matrix[first][second] = matrix[second][first] = Distance(
            float(values.mean()) if found else None, float(np.percentile(values, 95)) if found else None, len(values)
        )
    return matrix


def percentiles(values: Sequence[float] | NDArray[np.floating]) -> Percentiles | None:
    """Return the percentiles of the values that are known; None without any."""
    numbers = known(values)
    if not len(numbers):
        return None
    p50, p95, p99 = np.percentile(numbers, (50, 95, 99))
    return Percentiles(len(numbers), float(numbers.mean()), float(p50), float(p95), float(p99), float(numbers.max()))


def known(values: Sequence[float] | NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the values without those that are NaN."""
    numbers = np.asarray(values, np.float64)
    return numbers[~np.isnan(numbers)]


def binned(moments: Sequence[float], values: Sequence[float], bins: int) -> list[tuple[float, float]]:
    """Return the means of values over at most `bins` equal stretches of time, each at the middle of its stretch.

    A stretch without a finite value gives NaN. With fewer values than stretches, each value stands at its own moment.
    """
    if len(moments) <= bins:
        points = zip(moments, values, strict=True)
        return [(moment, value if math.isfinite(value) else math.nan) for moment, value in points]
    places, numbers = np.asarray(moments, np.float64), np.asarray(values, np.float64)
    finite = np.isfinite(numbers)
    span = max(float(places[-1] - places[0]), 1e-9)
    index = np.minimum((places - places[0]) / span * bins, bins - 1).astype(int)
    counts = np.bincount(index[finite], minlength=bins)
    sums = np.bincount(index[finite], weights=numbers[finite], minlength=bins)
    means = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    middles = float(places[0]) + (np.arange(bins) + 0.5) * span / bins
    return list(zip(middles.tolist(), means.tolist(), strict=True))
