"""How far apart two models are on the same frames. This is not accuracy: both may be wrong in the same way."""

from __future__ import annotations

import math
from collections import OrderedDict, deque

from engine.core.faces import Face, Result
from engine.core.pairing import face_distance, paired
from engine.core.stats import WINDOW

WAITING = 64  # results that wait for the other lane's: two seconds at 30 frames a second


class DistanceMeter:
    """Pairs the results of two lanes by their frames and measures how far apart they are.

    Exchanging a lane's model resets it.

    Attributes:
        value: mean over the window in percent of the eye distance; None where no frame of it had a face in common.
    """

    def __init__(self, window: int = WINDOW) -> None:
        self._waiting: tuple[OrderedDict[int, tuple[Face, ...]], ...] = (OrderedDict(), OrderedDict())
        self._values: deque[float] = deque(maxlen=window)
        self._models = ["", ""]
        self.value: float | None = None

    def add(self, lane: int, result: Result) -> None:
        """Count what lane 0 or 1 found on a frame."""
        if self._models[lane] not in ("", result.model):
            self.forget()
        self._models[lane] = result.model
        other = self._waiting[1 - lane].pop(result.frame.id, None)
        if other is None:
            self._wait(lane, result)
            return
        first, second = (result.faces, other) if lane == 0 else (other, result.faces)
        apart = [face_distance(*pair) for pair in paired(first, second)]
        # Frames without a common face push older ones out: old values must not be shown as current.
        self._values.append(sum(apart) / len(apart) if apart else math.nan)
        known = [value for value in self._values if not math.isnan(value)]
        self.value = sum(known) / len(known) if known else None

    def forget(self) -> None:
        """Forget every frame, as after the exchange of a model."""
        self._values.clear()
        self.value = None
        for waiting in self._waiting:
            waiting.clear()

    @property
    def newest(self) -> float | None:
        """The newest frame's; None where it had no face in common."""
        return self._values[-1] if self._values and not math.isnan(self._values[-1]) else None

    def _wait(self, lane: int, result: Result) -> None:
        waiting = self._waiting[lane]
        waiting[result.frame.id] = result.faces
        if len(waiting) > WAITING:
            waiting.popitem(last=False)
