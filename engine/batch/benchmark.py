"""How fast models run on this machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.core.geometry import Crop
from engine.core.stats import spread_of
from engine.inference.landmarker import Landmarker

ROUNDS, RUNS = 20, 10


@dataclass(frozen=True)
class Speed:
    """Milliseconds of one face through one model: crop, network and mapping back; and the size of the model's file."""

    model: str
    threads: int
    p50: float
    p95: float
    bytes: int


def benchmark(
    landmarkers: list[tuple[Landmarker, int]],
    called_off: threading.Event | None = None,
    on_round: Callable[[int, int], object] = lambda _done, _of: None,
) -> list[Speed]:
    """Measure models, each with its number of threads, alternating, so that all see the same load.

    Returns the speeds in the order of `landmarkers`; none if it was `called_off`, which soon ends the measurement.
    After each round through all models `on_round` gets the number of rounds done, and of all.
    """
    picture = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    crop = Crop(320, 240, 260, 0.1)
    times: list[list[float]] = [[] for _ in landmarkers]
    for landmarker, _ in landmarkers:
        landmarker.predict(picture, crop)  # the first run allocates
    for done in range(1, ROUNDS + 1):
        for (landmarker, _), measured in zip(landmarkers, times, strict=True):
            if called_off is not None and called_off.is_set():
                return []
            for _ in range(RUNS):
                start = time.perf_counter()
                landmarker.predict(picture, crop)
                measured.append((time.perf_counter() - start) * 1e3)
        on_round(done, ROUNDS)
    spreads = [spread_of(measured) for measured in times]
    return [
        Speed(landmarker.card.name, threads, spread.p50, spread.p95, landmarker.card.bytes)
        for (landmarker, threads), spread in zip(landmarkers, spreads, strict=True)
    ]
