"""The curves of a logged session over its frames, and its worst frames."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.core.pairing import face_distance, paired
from engine.evaluation.session_report.worst_frames import APART
from engine.formats.session_log import LoggedFrame, SessionLog

WORST = 12  # frames that are listed
MISSED = math.inf  # value of a frame on which a lane missed a face that another one found

Column = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """One chart: what is measured, its unit, and for each lane a number for each of the log's frames, NaN for none."""

    name: str
    unit: str
    lanes: tuple[Column, ...]


@dataclass(frozen=True)
class WorstFrame:
    """A frame by its place among the log's frames, and its value, `MISSED` where a face was missed."""

    place: int
    value: float


@dataclass(frozen=True)
class Curves:
    """What is shown of a log.

    Attributes:
        deviation: the error against ground truth where it is known, else the mean distance from the faces of the other
            lanes; both in percent of the eye distance.
        latency: in milliseconds.
        confidence: in [0, 1].
        worst: the frames with the largest deviation, or with one lane alone the least confidence, the worst first.
    """

    deviation: Curve
    latency: Curve
    confidence: Curve
    worst: tuple[WorstFrame, ...]


def curves_of(log: SessionLog) -> Curves:
    """Return the curves of a log, and its worst frames."""
    latency, confidence, errors = (
        tuple(_column(log, lane, name) for lane in range(len(log.lanes))) for name in ("latency", "confidence", "nme")
    )
    if any(np.isfinite(column).any() for column in errors):
        deviation = Curve("NME", "%", errors)
    else:
        deviation = Curve("distance", "%", _distance(log))
    badness = np.stack([*deviation.lanes, *_missed(log)])
    if not np.isfinite(deviation.lanes).any():
        badness = np.stack([1 - column for column in confidence])
    return Curves(deviation, Curve("latency", "ms", latency), Curve("confidence", "", confidence), _worst(log, badness))


def _column(log: SessionLog, lane: int, name: str) -> Column:
    frames, missing = log.lanes[lane].frames, LoggedFrame(())
    return np.array([getattr(frames.get(number, missing), name) for number in log.numbers.tolist()], np.float64)


def _distance(log: SessionLog) -> tuple[Column, ...]:
    """Return for each lane the mean distance of its faces from those of each other lane."""
    sums = np.zeros((len(log.lanes), len(log.numbers)))
    counts = np.zeros_like(sums)
    for place, number in enumerate(log.numbers.tolist()):
        for first, second in itertools.combinations(range(len(log.lanes)), 2):
            one, other = (log.lanes[lane].frames.get(number) for lane in (first, second))
            if one is None or other is None:
                continue
            apart = [face_distance(*pair) for pair in paired(one.faces, other.faces)]
            if apart:
                for lane in (first, second):
                    sums[lane, place] += sum(apart) / len(apart)
                    counts[lane, place] += 1
    with np.errstate(invalid="ignore"):
        return tuple(np.where(counts > 0, sums / counts, math.nan))


def _missed(log: SessionLog) -> tuple[Column, ...]:
    """Return for each lane `MISSED` where it found no face and another one did, else NaN."""
    found = np.full((len(log.lanes), len(log.numbers)), math.nan)
    for row, lane in zip(found, log.lanes, strict=True):
        for place, number in enumerate(log.numbers.tolist()):
            if (frame := lane.frames.get(number)) is not None:
                row[place] = bool(frame.faces)
    anywhere = np.nanmax(found, axis=0)
    return tuple(np.where((found == 0) & (anywhere > 0), MISSED, math.nan))


def _worst(log: SessionLog, badness: NDArray[np.float64]) -> tuple[WorstFrame, ...]:
    """Return the frames with the largest value of any lane, at least `APART` seconds apart where they have times."""
    values = np.where(np.isnan(badness), -math.inf, badness).max(axis=0)
    chosen: list[int] = []
    for place in np.argsort(-values, kind="stable").tolist():
        if len(chosen) == WORST or values[place] == -math.inf:
            break
        moment = log.times[place]
        if all(not abs(log.times[other] - moment) < APART for other in chosen):
            chosen.append(place)
    return tuple(WorstFrame(place, float(values[place])) for place in chosen)
