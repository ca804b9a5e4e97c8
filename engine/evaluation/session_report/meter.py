"""What is measured while several models process the frames of one source."""

from __future__ import annotations

import copy
import itertools
import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from engine.core.faces import Face, Result
from engine.core.frame import Frame, Truth
from engine.core.geometry import Box, landmark_box
from engine.core.metrics import normaliser
from engine.core.pairing import SharedPoints, beside_truth, face_distance, paired, shared_points, true_face
from engine.core.stats import JitterMeter
from engine.evaluation.session_report.lag import LagMeter
from engine.evaluation.session_report.worst_frames import WorstFrame, WorstFrames

# What is kept of each lane for each frame. Milliseconds; NME and jitter in percent of the eye distance; NaN where a
# number is missing, as of the detector where it did not run; NME is infinite where the lane missed the true face.
COLUMNS = ("latency", "detect", "landmark", "faces", "lost", "confidence", "nme", "jitter")


def _column() -> array[float]:
    return array("d")


@dataclass(frozen=True)
class LaneRecord:
    """What was measured of one lane.

    Attributes:
        columns: by the names in `COLUMNS`, one number for each frame.
        jitter: over all frames.
        behind_truth, behind_first: lag behind the ground truth, over the frames that have one; and behind the first
            lane, of which that has none.
    """

    columns: dict[str, array[float]] = field(default_factory=lambda: {name: _column() for name in COLUMNS})
    jitter: JitterMeter = field(default_factory=JitterMeter)
    behind_truth: LagMeter = field(default_factory=LagMeter)
    behind_first: LagMeter = field(default_factory=LagMeter)

    def lag(self, has_truth: bool) -> LagMeter:
        """Return the lag to report: behind the truth where any frame of the session has one."""
        return self.behind_truth if has_truth else self.behind_first


class SessionMeter:
    """Collects the results of the lanes of a session, frame by frame.

    Args:
        lanes: how many there are at first.
        continuous: whether frames continue one another; pictures of a folder do not, and have no jitter and no lag.

    Attributes:
        lanes: what was measured of each.
        distances: for each pair of lanes, first < second, one number for each frame: the mean distance of the landmarks
            of the faces that both found, in percent of the eye distance; NaN without such a face.
        numbers, names, moments: of each frame its number, the name of its picture or "", and its seconds since the
            first; of pictures, which have no time, their place counted from 0.
        has_truth: whether any frame had ground truth.
    """

    def __init__(self, lanes: int, continuous: bool = True) -> None:
        self.lanes = [LaneRecord() for _ in range(lanes)]
        self.distances = {pair: _column() for pair in itertools.combinations(range(lanes), 2)}
        self.numbers, self.names, self.moments = array("q"), list[str](), _column()
        self.has_truth = False
        self.continuous = continuous
        self._begin = 0.0
        self._last_ids: list[set[int]] = [set() for _ in range(lanes)]
        self._apart = WorstFrames() if continuous else WorstFrames(apart=0.0)
        self._wrong = WorstFrames() if continuous else WorstFrames(apart=0.0)
        self._leader: int | None = None  # id of the first lane's face that the others' lag is measured by

    def add_lane(self) -> None:
        """Add a lane that begins with the next frame."""
        number, missing = len(self.lanes), array("d", [math.nan]) * len(self.moments)
        self.lanes.append(LaneRecord({name: missing[:] for name in COLUMNS}))
        self.distances |= {(first, number): missing[:] for first in range(number)}
        self._last_ids.append(set())
        for worst in (self._apart, self._wrong):
            worst.add_lane()

    def add(self, frame: Frame, results: Sequence[Result | None], has_picture: bool = True) -> None:
        """Count what each lane found on a frame; None where the lane has failed, or left this frame out.

        A frame without its picture is never among the worst.
        """
        if not self.moments:
            self._begin = frame.moment
        moment = frame.moment - self._begin if self.continuous else float(len(self.moments))
        self.numbers.append(frame.number)
        self.names.append(frame.name)
        self.moments.append(moment)
        self.has_truth = self.has_truth or frame.truth is not None
        for index, result in enumerate(results):
            self._count(index, frame, result)
        if self.continuous:
            self._count_lags(frame, results)
        furthest = self._count_distance(results)
        if has_picture:
            self._keep_apart(frame, moment, results, furthest)
            self._keep_wrong(frame, moment, results)

    @property
    def measured_lanes(self) -> list[int]:
        """Those lanes, counted from 0, that gave a result."""
        return [number for number, lane in enumerate(self.lanes) if not all(map(math.isnan, lane.columns["faces"]))]

    def of_lanes(self, lanes: Sequence[int]) -> SessionMeter:
        """Return what was measured of some lanes, which are counted from 0 again; nothing is added to it."""
        made, numbers = copy.copy(self), {lane: number for number, lane in enumerate(lanes)}
        made.lanes = [self.lanes[lane] for lane in lanes]
        made.distances = {
            (numbers[first], numbers[second]): column
            for (first, second), column in self.distances.items()
            if first in numbers and second in numbers
        }
        made._apart, made._wrong = self._apart.of_lanes(lanes), self._wrong.of_lanes(lanes)
        return made

    @property
    def furthest_apart(self) -> tuple[WorstFrame, ...]:
        """The frames on which two lanes differ most, in percent of the eye distance."""
        return self._apart.frames

    @property
    def most_wrong(self) -> tuple[WorstFrame, ...]:
        """The frames with the largest NME of any lane."""
        return self._wrong.frames

    def _count(self, index: int, frame: Frame, result: Result | None) -> None:
        lane = self.lanes[index]
        values = dict.fromkeys(COLUMNS, math.nan)
        if result is not None:
            ids = {face.id for face in result.faces}
            lost = self._last_ids[index] - ids if self.continuous else ()
            self._last_ids[index] = ids
            jitter = lane.jitter.add(result) if self.continuous else None
            values |= {
                "latency": result.latency,
                "landmark": result.stages["landmark"],
                "faces": len(ids),
                "lost": len(lost),
                "nme": _error(frame.truth, result),
            }
            if result.detected:
                values["detect"] = result.stages["detect"]
            if result.faces:
                values["confidence"] = float(np.mean([face.confidence.mean() for face in result.faces]))
            if jitter is not None:
                values["jitter"] = jitter
        for name, value in values.items():
            lane.columns[name].append(value)

    def _count_lags(self, frame: Frame, results: Sequence[Result | None]) -> None:
        """Measure each lane's lag behind the truth, and behind the first lane: each pair of frames by one reference.

        A lane that leaves a frame out goes on with its next one.
        """
        first = results[0]
        leader = first.faces[0] if first is not None and first.faces else None
        if first is not None:
            led_by, self._leader = self._leader, None if leader is None else leader.id
            if leader is None or leader.id != led_by:
                for lane in self.lanes:
                    lane.behind_first.interrupt()
        for index, (lane, result) in enumerate(zip(self.lanes, results, strict=True)):
            if result is None:
                continue
            of_truth = None if frame.truth is None else beside_truth(frame.truth, result.faces)
            _count_lag(lane.behind_truth, frame, of_truth)
            if index and first is not None:
                _count_lag(lane.behind_first, frame, None if leader is None else _beside_face(leader, result.faces))

    def _count_distance(self, results: Sequence[Result | None]) -> tuple[Face, Face] | None:
        """Measure how far each pair of lanes is apart; return the two faces that are furthest, if there are any."""
        worst, furthest = math.nan, None
        for pair, column in self.distances.items():
            first, second = (results[index] for index in pair)
            faces = [] if first is None or second is None else paired(first.faces, second.faces)
            distances = [face_distance(*its) for its in faces]
            mean = sum(distances) / len(distances) if distances else math.nan
            column.append(mean)
            if distances and not worst >= mean:
                worst, furthest = mean, faces[int(np.argmax(distances))]
        return furthest

    def _keep_apart(
        self, frame: Frame, moment: float, results: Sequence[Result | None], furthest: tuple[Face, Face] | None
    ) -> None:
        if furthest is None:
            return
        newest = {pair: column[-1] for pair, column in self.distances.items() if not math.isnan(column[-1])}
        words = []
        for index in range(len(results)):
            its = [value for pair, value in newest.items() if index in pair]
            words.append(f"up to {max(its):.2f} % from another" if its else "no common face")
        self._apart.add(max(newest.values()), moment, frame, _around(*furthest), results, words)

    def _keep_wrong(self, frame: Frame, moment: float, results: Sequence[Result | None]) -> None:
        errors = [lane.columns["nme"][-1] for lane in self.lanes]
        known = [error for error in errors if not math.isnan(error)]
        if frame.truth is None or not known:
            return
        words = [_error_words(error) for error in errors]
        self._wrong.add(max(known), moment, frame, landmark_box(frame.truth.points), results, words)


def _error(truth: Truth | None, result: Result) -> float:
    """Return the NME in percent, infinite where the true face was missed, NaN where it is unknown."""
    if result.nme is not None:
        return result.nme
    if truth is None or true_face(result.faces, truth) is not None:
        return math.nan
    return math.inf if math.isfinite(normaliser(truth.scheme, truth.points)) else math.nan


def _error_words(error: float) -> str:
    if math.isnan(error):
        return "no error known"
    return f"NME {error:.2f} %" if math.isfinite(error) else "missed"


def _around(first: Face, second: Face) -> Box:
    one, other = first.box, second.box
    return Box(min(one.x0, other.x0), min(one.y0, other.y0), max(one.x1, other.x1), max(one.y1, other.y1))


def _count_lag(meter: LagMeter, frame: Frame, shared: SharedPoints | None) -> None:
    if shared is None:
        meter.interrupt()
    else:
        meter.add(frame.moment, shared.reference, shared.points, shared.eye_distance)


def _beside_face(leader: Face, faces: Sequence[Face]) -> SharedPoints | None:
    pairs = paired([leader], faces)
    return shared_points(*pairs[0]) if pairs else None
