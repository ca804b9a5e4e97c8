"""The warps of the sample: eyes and mouth move column by column, the head turns as a whole.

Each warp moves pictures backwards (where does this pixel come from?) and points forwards by the same function, so the
landmarks of an animated portrait are exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.core.metrics import interocular_distance
from engine.core.schemes import IBUG_68
from engine.sources.sample_script import Pose

# Rounds of the fixed point in `HeadTurn.forward`: each shrinks the error to less than 0.4 of it.
_ROUNDS = 9
_SMALLEST_SEGMENT = 1e-3  # pixels; a segment pressed flat still divides


@dataclass(frozen=True)
class ColumnWarp:
    """Moves the parts between knots up and down, each column of pixels by itself, piecewise linearly.

    Attributes:
        left: x of the first column, in pixels.
        rest: `[K, W]` y of the knots of each column, growing along K.
        move: `[K, W]` by how much the knots move at amount 1; zero for the first and the last, so that everything
            beyond them stays.
    """

    left: int
    rest: NDArray[np.float32]
    move: NDArray[np.float32]

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the picture outside which nothing ever moves."""
        rows = slice(math.floor(self.rest[0].min()), math.ceil(self.rest[-1].max()) + 1)
        return rows, slice(self.left, self.left + self.rest.shape[1])

    def backward(self, amount: float) -> NDArray[np.float32]:
        """Return for each pixel of the window the y `[H, W]`, in pixels of the picture, that it shows."""
        rows, _ = self.window
        y = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None]
        return _piecewise_linear(y, self.rest + amount * self.move, self.rest)

    def forward(self, points: NDArray[np.float64], amount: float) -> NDArray[np.float64]:
        """Return where points `[N, 2]` go."""
        column = points[:, 0] - self.left
        inside = (column >= 0) & (column <= self.rest.shape[1] - 1)
        before = np.clip(column.astype(int), 0, self.rest.shape[1] - 2)
        share = column - before
        rest, move = (knots[:, before] * (1 - share) + knots[:, before + 1] * share for knots in (self.rest, self.move))
        y = _piecewise_linear(points[:, 1], rest, rest + amount * move)
        return np.stack([points[:, 0], np.where(inside, y, points[:, 1])], axis=1)


def _piecewise_linear(y: NDArray, source: NDArray, target: NDArray) -> NDArray:
    """Map `y` by the line through the knots (source, target) `[K, ...]`; unchanged below and above all of them."""
    lengths = np.maximum(np.diff(source, axis=0), _SMALLEST_SEGMENT)
    stretch = np.diff(target, axis=0) / lengths - 1
    mapped = y
    for start, length, excess in zip(source, lengths, stretch, strict=False):
        mapped = mapped + excess * np.clip(y - start, 0, length)
    return mapped


def eyelid_warp(points: NDArray[np.float64], upper: tuple[int, ...], lower: tuple[int, ...]) -> ColumnWarp:
    """Return the warp that closes an eye of a portrait with landmarks `[68, 2]`.

    Each lid is given by the indices of its points, corners included, from left to right.
    """
    unit = interocular_distance(IBUG_68, points)
    x = _columns(points[upper[0], 0], points[upper[-1], 0])
    lid, lower_lid = _curve(points[list(upper)], x), _curve(points[list(lower)], x)
    opening = np.maximum(lower_lid - lid, 0)
    zero = np.zeros_like(x)
    # The skin above the lashes stretches; lid edge and lashes come down as they are; the lower lid rises a little.
    rest = (lid - 0.1 * unit, lid - 0.03 * unit, lid, lid + opening, lid + opening + 0.09 * unit)
    move = (zero, 0.82 * opening, 0.82 * opening, -0.14 * opening, zero)
    return ColumnWarp(int(x[0]), np.array(rest, np.float32), np.array(move, np.float32))


def jaw_warp(points: NDArray[np.float64]) -> ColumnWarp:
    """Return the warp that opens the mouth: upper lip and teeth stay, lower lip and chin come down.

    Its knots: upper lip's inner edge, edge of the teeth, lower lip's inner and outer edge, chin, collar.
    """
    unit = interocular_distance(IBUG_68, points)
    middle = points[[8, 57, 66], 0].mean()
    x = _columns(middle - 0.62 * unit, middle + 0.62 * unit)
    drop = 0.15 * unit * np.cos(np.pi / 2 * (x - middle) / (0.63 * unit)) ** 2
    upper_lip = _curve(points[60:65], x)
    opening = np.maximum(_curve(points[[60, 67, 66, 65, 64]], x) - upper_lip, 0)
    lower_lip = upper_lip + opening
    lip_edge = np.maximum(_curve(points[[48, 59, 58, 57, 56, 55, 54]], x), lower_lip)
    chin = np.maximum(_curve(points[3:14], x), lip_edge)
    lip_drop = drop * np.sqrt(opening / opening.max())
    zero = np.zeros_like(x)
    teeth = lower_lip - np.minimum(0.01 * unit, 0.5 * opening)
    rest = (upper_lip, teeth, lower_lip, lip_edge, chin, chin + 0.45 * unit)
    move = (zero, zero, lip_drop, lip_drop, drop, zero)
    return ColumnWarp(int(x[0]), np.array(rest, np.float32), np.array(move, np.float32))


def _columns(first: float, last: float) -> NDArray[np.float64]:
    return np.arange(math.floor(first), math.ceil(last) + 1, dtype=np.float64)


def _curve(knots: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the y of a smooth line through (up to five) or along `knots` `[N, 2]`; level beyond its ends."""
    middle = knots[:, 0].mean()
    inside = np.clip(x, knots[:, 0].min(), knots[:, 0].max())
    return np.polyval(np.polyfit(knots[:, 0] - middle, knots[:, 1], min(len(knots) - 1, 4)), inside - middle)


@dataclass(frozen=True)
class HeadTurn:
    """Turns and leans the head: a relief of the face that shifts with the angle, fading out around the head.

    Attributes:
        middle: x and y of the middle of the face, in pixels.
        unit: distance of the outer eye corners, in pixels.
    """

    middle: tuple[float, float]
    unit: float

    def backward(self, places: NDArray[np.floating], pose: Pose) -> NDArray:
        """Return where the pixels at `places` `[2, ...]` (x and y first) come from."""
        return places - self._shift(places, pose)

    def forward(self, points: NDArray[np.float64], pose: Pose) -> NDArray[np.float64]:
        """Return where points `[N, 2]` go: the places that `backward` maps onto them."""
        start = points.T
        places = start
        for _ in range(_ROUNDS):
            places = start + self._shift(places, pose)
        return places.T

    def _shift(self, places: NDArray[np.floating], pose: Pose) -> NDArray:
        u = (places[0] - self.middle[0]) / self.unit
        v = (places[1] - self.middle[1]) / self.unit
        head = np.exp(-(((u / 1.6) ** 2 + ((v + 0.45) / 1.75) ** 2) ** 3))
        depth = 0.7 * np.exp(-((u / 0.52) ** 2) - (v / 0.76) ** 2)
        depth += 0.1 * np.exp(-((u / 0.2) ** 2) - (v / 0.26) ** 2)  # the nose
        yaw, nod, tilt = (math.sin(math.radians(angle)) for angle in (pose.yaw, pose.nod, pose.tilt))
        # The neck bends about a place a little below the chin.
        return self.unit * np.stack([
            yaw * (depth + 0.2 * head) - tilt * head * (v - 0.9),
            nod * (depth + 0.1 * head) + tilt * head * u,
        ])  # fmt: skip
