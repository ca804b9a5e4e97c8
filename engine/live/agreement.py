"""How near two models are to each other on the same frames. Agreement is not accuracy: both may be wrong alike."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict, deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.core.faces import Face, Result
from engine.core.metrics import interocular_distance
from engine.core.stats import WINDOW
from engine.inference.pipeline import as_68

WAITING = 64  # results that wait for the other lane's: two seconds at 30 frames a second
SAME_FACE = 0.5  # eye distances between the middles of two faces up to which they are taken for the same one


def can_be_compared(first: Face, second: Face) -> bool:
    """Tell whether two faces are marked at the same places: by one scheme, or both at least at the 68 shared points."""
    return first.scheme is second.scheme or bool(first.scheme.as_68 and second.scheme.as_68)


def shared_points(first: Face, second: Face) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the landmarks of two faces that mark the same places: all of one scheme, else the 68 shared points.

    The faces must be such that `can_be_compared`.
    """
    if first.scheme is second.scheme:
        return first.landmarks, second.landmarks
    return as_68(first), as_68(second)


def eye_distance(face: Face) -> float:
    """Return the distance of the outer eye corners in pixels."""
    return interocular_distance(face.scheme, face.landmarks)


def paired(first: Sequence[Face], second: Sequence[Face]) -> list[tuple[Face, Face]]:
    """Return the faces that both models see: each of the first's with the nearest of the second's, if it is near.

    Faces whose schemes share no points are left out.
    """
    pairs: list[tuple[Face, Face]] = []
    free = list(second)
    for face in first:
        comparable = [other for other in free if can_be_compared(face, other)]
        nearest = min(comparable, key=lambda other: _apart(face, other), default=None)
        if nearest is not None and _apart(face, nearest) <= SAME_FACE * eye_distance(face):
            pairs.append((face, nearest))
            free.remove(nearest)
    return pairs


def face_agreement(first: Face, second: Face) -> float:
    """Return the mean distance of the shared points in percent of the mean eye distance of both."""
    ours, theirs = shared_points(first, second)
    eyes = (eye_distance(first) + eye_distance(second)) / 2
    return float(np.linalg.norm(ours - theirs, axis=1).mean()) * 100 / max(eyes, 1.0)


class AgreementMeter:
    """Pairs the results of two lanes by their frames and tells how near they are. Safe from any thread.

    Another model in a lane starts it anew.
    """

    def __init__(self, window: int = WINDOW) -> None:
        self._lock = threading.Lock()
        self._waiting: tuple[OrderedDict[int, tuple[Face, ...]], ...] = (OrderedDict(), OrderedDict())
        self._values: deque[float] = deque(maxlen=window)
        self._models = ["", ""]

    def add(self, lane: int, result: Result) -> None:
        """Count what lane 0 or 1 found on a frame."""
        with self._lock:
            if self._models[lane] not in ("", result.model):
                self._forget()
            self._models[lane] = result.model
            other = self._waiting[1 - lane].pop(result.frame.id, None)
            if other is None:
                self._wait(lane, result)
                return
            first, second = (result.faces, other) if lane == 0 else (other, result.faces)
            apart = [face_agreement(*pair) for pair in paired(first, second)]
            # Frames without a common face push older ones out: what was long ago must not pass for the present.
            self._values.append(float(np.mean(apart)) if apart else math.nan)

    def forget(self) -> None:
        """Start anew, as after the exchange of a model."""
        with self._lock:
            self._forget()

    @property
    def value(self) -> float | None:
        """Mean over the window in percent of the eye distance; None where no frame of it had a face in common."""
        with self._lock:
            known = [value for value in self._values if not math.isnan(value)]
        return float(np.mean(known)) if known else None

    @property
    def newest(self) -> float | None:
        """The newest frame's; None where it had no face in common."""
        with self._lock:
            return self._values[-1] if self._values and not math.isnan(self._values[-1]) else None

    def _forget(self) -> None:
        self._values.clear()
        for waiting in self._waiting:
            waiting.clear()

    def _wait(self, lane: int, result: Result) -> None:
        waiting = self._waiting[lane]
        waiting[result.frame.id] = result.faces
        if len(waiting) > WAITING:
            waiting.popitem(last=False)


def _apart(first: Face, second: Face) -> float:
    return float(np.hypot(*np.subtract(first.box.centre, second.box.centre)))
