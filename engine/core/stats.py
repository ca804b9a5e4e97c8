"""Live numbers over a bounded window: frames per second, milliseconds per stage, accuracy, jitter."""

from __future__ import annotations

import math
from array import array
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.core.faces import STAGES, Face, Result
from engine.core.frame import Truth
from engine.core.metrics import interocular_distance

WINDOW = 120  # results that the numbers are computed from: four seconds at 30 frames a second
KEPT = 8192  # numbers of a whole run
REFRESH = 0.25  # seconds between two updates: digits that change faster cannot be read, and cost time
SHORTEST_SPAN = 0.25  # seconds of results from which a rate is known: the first few of a model come in a burst
# Percent of the eye distance that a face may move between two results and still count as still, by the points that were
# found and by those of the truth, which are steadier.
STILL_MOTION, STILL_TRUTH = 0.5, 0.02


@dataclass(frozen=True)
class Spread:
    """Median and 95th percentile of milliseconds."""

    p50: float
    p95: float


@dataclass(frozen=True)
class Stats:
    """The numbers on screen.

    Attributes:
        fps: results per second over the window; None before it spans `SHORTEST_SPAN` seconds.
        latency_ms: spread of each stage, of `detect` over the frames on which the detector ran; and of `total`, the
            sum of a frame's stages without the wait for the source.
        nme: mean error against ground truth in percent of the eye distance; None without truth.
        found: share of the window's frames with a face.
        dropped: frames that the source delivered and that were not processed, since the start.
        frames: frames with a result since the start.
        cpu: share of one processor core that the lane takes for finding and drawing; None as long as `fps`.
        jitter: see `JitterMeter`; None if the face was never still.
    """

    fps: float | None
    latency_ms: Mapping[str, Spread]
    nme: float | None
    found: float
    dropped: int
    frames: int
    cpu: float | None = None
    jitter: float | None = None


class Thinned:
    """Numbers of a run of any length in bounded memory: the first `KEPT`, then every second of all, fourth and so on.

    Attributes:
        mean: of all that were appended.
    """

    def __init__(self) -> None:
        self.clear()

    def append(self, value: float) -> None:
        """Add a number."""
        if self._count % self._every == 0:
            self._kept.append(value)
            if len(self._kept) == KEPT:
                del self._kept[1::2]
                self._every *= 2
        self._count += 1
        self._total += value

    def clear(self) -> None:
        """Forget all."""
        self._kept = array("d")
        self._count, self._every, self._total = 0, 1, 0.0

    @property
    def mean(self) -> float:
        return self._total / self._count

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[float]:
        return iter(self._kept)


class Meter:
    """Computes the stats over a window of this many results.

    Of a window of None, for whole runs, fps and cpu are those of the last `WINDOW` results, means those of all, and
    spreads those of numbers evenly spread over all, see `Thinned`. Stats stay the same for `refresh` seconds; 0 updates
    them at every call.
    """

    def __init__(self, window: int | None = WINDOW, refresh: float = REFRESH) -> None:
        self._refresh = refresh
        self._stats: Stats | None = None
        self._renewed = 0.0
        self._last: float | None = None  # when the last result was ready; None where the time since does not count
        self._gaps: deque[float] = deque(maxlen=window or WINDOW)  # seconds between two results
        self._stages = {name: _numbers(window) for name in (*STAGES, "total")}
        self._errors, self._found = _numbers(window), _numbers(window)
        self._cpu_ms: deque[float] = deque(maxlen=window or WINDOW)  # of the results that ended those gaps
        self._jitter = JitterMeter(window)
        self._first_id: int | None = None
        self._frames = 0
        self._last_id = -1
        self._skipped = 0

    def add(self, result: Result, now: float, draw_ms: float = 0.0, cpu_ms: float = 0.0) -> None:
        """Count a result that was ready at `now`, in seconds of a monotonic clock.

        Drawing it took `draw_ms` milliseconds; all its processor time is `cpu_ms`.
        """
        if self._last is not None:
            self._gaps.append(now - self._last)
            self._cpu_ms.append(cpu_ms)
        self._last = now
        self._jitter.add(result)
        stages = {**result.stages, "draw": draw_ms}
        for name, value in stages.items():
            # The detector is idle while faces are tracked; its zeros would hide the cost of a detection.
            if name != "detect" or result.detected:
                self._stages[name].append(value)
        self._stages["total"].append(sum(value for name, value in stages.items() if name != "capture"))
        if result.nme is not None:
            self._errors.append(result.nme)
        self._found.append(bool(result.faces))
        if self._first_id is None:
            self._first_id = result.frame.id
        if result.frame.id != self._last_id:  # a frame that another model processes again counts once
            self._frames += 1
        self._last_id = result.frame.id

    def resume(self, first: int) -> None:
        """Continue with the frame of id `first` after a pause: neither its time nor its frames count."""
        self._last = None
        if self._first_id is not None:
            self._skipped += max(0, first - self._last_id - 1)

    def forget(self) -> None:
        """Clear the window, as for another model, but not the count of frames."""
        self._stats = self._last = None
        self._found.clear()
        self._jitter.forget()
        for window in (self._gaps, self._errors, self._cpu_ms, *self._stages.values()):
            window.clear()

    def stats(self) -> Stats:
        """Return the numbers as of at most `refresh` seconds before the last result."""
        now = self._last or 0.0
        if self._stats is None or now - self._renewed >= self._refresh:
            self._stats, self._renewed = self._measure(), now
        return self._stats

    def _measure(self) -> Stats:
        span = sum(self._gaps)
        seen = 0 if self._first_id is None else self._last_id - self._first_id + 1
        return Stats(
            fps=len(self._gaps) / span if span >= SHORTEST_SPAN else None,
            latency_ms={name: spread_of(values) for name, values in self._stages.items() if values},
            nme=_mean(self._errors),
            found=_mean(self._found) or 0.0,
            dropped=seen - self._frames - self._skipped,
            frames=self._frames,
            cpu=sum(self._cpu_ms) / 1e3 / span if span >= SHORTEST_SPAN else None,
            jitter=self._jitter.value,
        )


class JitterMeter:
    """Measures the jitter of the landmarks of a still face.

    Jitter is the mean move of the points between two successive results of the same face, in percent of the eye
    distance, over the pairs in which the face is still: by ground truth where there is one, else by its own mean move.

    Args:
        window: over how many of such pairs; None for all.
    """

    def __init__(self, window: int | None = None) -> None:
        self._last: tuple[Face, Truth | None] | None = None  # not its frame, which would stay in memory
        self._moves = _numbers(window)

    def add(self, result: Result) -> float | None:
        """Count a result; return its jitter in percent of the eye distance, None where the face is not still."""
        last, self._last = self._last, (result.faces[0], result.frame.truth) if result.faces else None
        if last is None or self._last is None or last[0].id != self._last[0].id:
            return None
        before, after = last[0], self._last[0]
        eyes = interocular_distance(after.scheme, after.landmarks)
        # Collapsed landmarks have no scale.
        if not eyes > 0 or not _is_still(last, self._last, eyes):
            return None
        step = _mean_move(before.landmarks, after.landmarks) * 100 / eyes
        self._moves.append(step)
        return step

    def forget(self) -> None:
        """Forget all results, as for another model."""
        self._last = None
        self._moves.clear()

    @property
    def value(self) -> float | None:
        """Mean jitter in percent of the eye distance; None if the face was never still."""
        return _mean(self._moves)


def _is_still(before: tuple[Face, Truth | None], after: tuple[Face, Truth | None], eyes: float) -> bool:
    (face, truth), (next_face, next_truth) = before, after
    if truth is not None and next_truth is not None:
        return _mean_move(truth.points, next_truth.points) * 100 / eyes < STILL_TRUTH
    drift = next_face.landmarks.mean(0) - face.landmarks.mean(0)
    return float(np.hypot(*drift)) * 100 / eyes < STILL_MOTION


def _mean_move(before: NDArray[np.float32], after: NDArray[np.float32]) -> float:
    """Return the mean move in pixels of the points `[K, 2]` that both have; NaN without any."""
    moves = (after - before)[np.isfinite(before).all(1) & np.isfinite(after).all(1)]
    return float(np.hypot(moves[:, 0], moves[:, 1]).mean()) if len(moves) else math.nan


def _numbers(window: int | None) -> deque[float] | Thinned:
    return Thinned() if window is None else deque(maxlen=window)


def _mean(values: deque[float] | Thinned) -> float | None:
    if not values:
        return None
    return values.mean if isinstance(values, Thinned) else float(sum(values) / len(values))


def spread_of(values: Iterable[float]) -> Spread:
    """Return median and 95th percentile of at least one value, interpolated as `np.percentile` does, but faster."""
    ranked = sorted(values)

    def at(share: float) -> float:
        rank = share * (len(ranked) - 1)
        below = int(rank)
        return ranked[below] + (rank - below) * (ranked[min(below + 1, len(ranked) - 1)] - ranked[below])

    return Spread(float(at(0.5)), float(at(0.95)))
