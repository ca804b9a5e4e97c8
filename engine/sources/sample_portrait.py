"""A portrait that moves by a script: eyes, mouth, head and camera follow a pose, and the landmarks with them.

Eyes and mouth move column by column, the head turns as a whole. Each of these warps moves pictures backwards (where
does this pixel come from?) and points forwards by the same function, so the landmarks are exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.metrics import interocular_distance
from engine.core.schemes import IBUG_68

# The portrait is animated at double size, so that sampling it twice costs no sharpness.
_ENLARGED = 2
_STEP = 4  # frame pixels between the places at which the turn of the head is computed
_LASHES = np.array((48, 30, 22), np.float32)  # RGB, as the following
_THROAT = np.array((34, 10, 10), np.float32)
_TONGUE = np.array((128, 56, 54), np.float32)
_MIDDLE_OF_FACE = [27, 30, 33, 51]  # landmarks
# Rounds of the fixed point in `HeadTurn.forward`: each shrinks the error to less than 0.4 of it.
_ROUNDS = 9
_SMALLEST_SEGMENT = 1e-3  # pixels; a segment pressed flat still divides
LOOP_SECONDS = 24.0


@dataclass(frozen=True)
class Pose:
    """One moment of the script.

    Attributes:
        pan_x, pan_y: place of the middle of the face, in pixels from the centre of the frame.
        zoom: frame pixels per portrait pixel.
        roll: turn of the camera in degrees; positive turns the picture clockwise.
        yaw: turn of the head in degrees; positive to the right of the picture.
        nod: turn of the head in degrees; positive downwards.
        tilt: lean of the head on its neck in degrees; positive clockwise.
        blink: 0 eyes open, 1 closed.
        mouth: 0 as in the portrait, 1 wide open.
        brightness: gain of the light; 1 as in the portrait.
        warmth: colour of the light; 0 as in the portrait, 1 a lamp in the evening, -1 shade.
    """

    pan_x: float
    pan_y: float
    zoom: float
    roll: float
    yaw: float
    nod: float
    tilt: float
    blink: float
    mouth: float
    brightness: float
    warmth: float


# Per channel the keys (second, value); between two keys the value eases, after the last it returns to the first.
_KEYS: dict[str, tuple[tuple[float, float], ...]] = {
    "pan_x": ((0, -70), (2.9, 0), (8, 0), (10, 50), (12, -50), (14, 0), (17, 30), (19, 0), (20.5, 0), (22.3, -20)),
    "pan_y": ((0, 20), (2.9, 15), (8, 15), (10, 5), (12, 10), (14, 15), (17.5, -10), (20, 10), (22.3, 25)),
    "zoom": ((0, 1.5), (2.9, 2), (5.6, 2), (8.5, 2.6), (10, 2.5), (13, 2), (17.5, 2.3), (20.5, 1.8), (22.3, 1.45)),
    "roll": ((0, 0), (9, 0), (10.7, 20), (13.4, -20), (15, 0)),
    "yaw": ((0, 6), (2.9, 0), (5.6, 0), (6.9, 16), (8.6, -16), (10, 0), (15.5, 0), (17, -10), (19, 9), (21, 0)),
    "nod": ((0, 0), (13.5, 0), (14.6, 8), (15.8, -7), (17, 0)),
    "tilt": ((0, -4), (2.9, 0), (5.6, 0), (7, 3), (9, -4), (10.5, 0), (16, 0), (17.5, 5), (20, -4), (22, 3)),
    "mouth": (
        (0, 0), (14.9, 0), (15.5, 0.6), (15.9, 0.1), (16.3, 0.5), (16.7, 0.2), (17.2, 0.8), (17.7, 0),
        (18.8, 0), (19.6, 0.85), (20.6, 0.85), (21.3, 0),
    ),
    "brightness": ((0, 1), (8, 1), (10.5, 0.6), (12, 0.75), (13.5, 1), (20, 1), (21.5, 1.12), (23.5, 1)),
    "warmth": ((0, 0), (6, 0), (8.5, -0.8), (10.5, 0.2), (12.5, 1), (15, 0)),
}  # fmt: skip

# Each blink: the second it begins and how long the eyes stay closed.
_BLINKS = ((1.3, 0.05), (6.4, 0.05), (8.9, 0.05), (12.4, 0.05), (12.8, 0.05), (14.3, 0.5), (18.3, 0.07), (22.4, 0.07))
_CLOSING, _OPENING = 0.1, 0.2  # seconds


def pose_at(seconds: float) -> Pose:
    """Return the pose at a time of the clip in seconds; the script starts over after `LOOP_SECONDS`."""
    moment = seconds % LOOP_SECONDS
    values = {name: _eased(keys, moment) for name, keys in _KEYS.items()}
    return Pose(blink=max(_blink(moment - begin, closed) for begin, closed in _BLINKS), **values)


def _eased(keys: tuple[tuple[float, float], ...], moment: float) -> float:
    """Interpolate the keys around `moment` along half a cosine."""
    loop = (*keys, (keys[0][0] + LOOP_SECONDS, keys[0][1]))
    for (begin, start), (end, stop) in pairwise(loop):
        if moment < end:
            return start + (stop - start) * _ease((moment - begin) / (end - begin))
    return keys[0][1]


def _blink(elapsed: float, closed: float) -> float:
    """Return how far the eyes are closed `elapsed` seconds after a blink began."""
    if elapsed < _CLOSING:
        return _ease(elapsed / _CLOSING)
    return 1 - _ease((elapsed - _CLOSING - closed) / _OPENING)


def _ease(share: float) -> float:
    return 0.5 - 0.5 * math.cos(math.pi * min(max(share, 0.0), 1.0))


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


# Draws on a window of the portrait what a warp by an amount uncovers.
Paint = Callable[[NDArray[np.uint8], ColumnWarp, float], None]


class MovingPortrait:
    """Renders a portrait `[H, W, 3]` uint8 RGB with its landmarks `[68, 2]` in any pose, in frames of one size."""

    def __init__(self, picture: NDArray[np.uint8], landmarks: NDArray[np.floating], width: int, height: int) -> None:
        self._still = cv2.resize(picture, None, fx=_ENLARGED, fy=_ENLARGED, interpolation=cv2.INTER_CUBIC)
        self._animated = self._still.copy()
        self._landmarks = (np.asarray(landmarks, np.float64) + 0.5) * _ENLARGED - 0.5
        self._eyelids = (
            eyelid_warp(self._landmarks, (36, 37, 38, 39), (36, 41, 40, 39)),
            eyelid_warp(self._landmarks, (42, 43, 44, 45), (42, 47, 46, 45)),
        )
        self._jaw = jaw_warp(self._landmarks)
        self._middle = self._landmarks[_MIDDLE_OF_FACE].mean(0)
        middle_x, middle_y = self._middle.tolist()
        self._turn = HeadTurn((middle_x, middle_y), interocular_distance(IBUG_68, self._landmarks))
        self._width, self._height = width, height
        self._grid = _coarse_grid(width, height)
        self._map = np.empty((height + 2 * _STEP, width + 2 * _STEP, 2), np.float32)

    def render(self, pose: Pose) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Return the frame `[height, width, 3]` uint8 RGB, a new array, and its landmarks `[68, 2]` in its pixels."""
        landmarks = self._landmarks
        for eyelid in self._eyelids:
            self._move_columns(eyelid, pose.blink, _paint_lashes)
            landmarks = eyelid.forward(landmarks, pose.blink)
        self._move_columns(self._jaw, pose.mouth, _paint_mouth)
        landmarks = self._turn.forward(self._jaw.forward(landmarks, pose.mouth), pose)
        camera = self._camera(pose)
        return self._view(camera, pose), (landmarks @ camera[:, :2].T + camera[:, 2]).astype(np.float32)

    def _move_columns(self, warp: ColumnWarp, amount: float, paint: Paint) -> None:
        if not amount:
            self._animated[warp.window] = self._still[warp.window]
            return
        y = warp.backward(amount)
        x = np.broadcast_to(np.arange(y.shape[1], dtype=np.float32) + warp.window[1].start, y.shape)
        window = cv2.remap(self._still, x, y, cv2.INTER_LINEAR)
        paint(window, warp, amount)
        self._animated[warp.window] = window

    def _camera(self, pose: Pose) -> NDArray[np.float64]:
        """Return the 2x3 matrix from pixels of the enlarged portrait to pixels of the frame."""
        zoom, roll = pose.zoom / _ENLARGED, math.radians(pose.roll)
        cosine, sine = zoom * math.cos(roll), zoom * math.sin(roll)
        linear = np.array([[cosine, -sine], [sine, cosine]])
        centre = ((self._width - 1) / 2 + pose.pan_x, (self._height - 1) / 2 + pose.pan_y)
        return np.concatenate([linear, (centre - linear @ self._middle)[:, None]], axis=1)

    def _view(self, camera: NDArray[np.float64], pose: Pose) -> NDArray[np.uint8]:
        """Return what the camera sees of the animated portrait; beyond the picture's edge its mirror image."""
        back = cv2.invertAffineTransform(camera).astype(np.float32)
        places = np.tensordot(back[:, :2], self._grid, 1) + back[:, 2, None, None]
        coarse = np.stack(list(self._turn.backward(places, pose)), axis=-1, dtype=np.float32)
        cv2.resize(coarse, self._map.shape[1::-1], dst=self._map, interpolation=cv2.INTER_LINEAR)
        sources = self._map[_STEP:-_STEP, _STEP:-_STEP]
        return cv2.remap(self._animated, sources, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)


def _coarse_grid(width: int, height: int) -> NDArray[np.float32]:
    """Return the frame's x and y `[2, h, w]` at every `_STEP` pixels, one step beyond its edges.

    They are where resizing by `_STEP` and cutting off a step all round puts them.
    """
    x = np.arange(-_STEP, width + _STEP, _STEP) + (_STEP - 1) / 2
    y = np.arange(-_STEP, height + _STEP, _STEP) + (_STEP - 1) / 2
    return np.array(np.meshgrid(x, y), np.float32)


def _paint_lashes(window: NDArray[np.uint8], warp: ColumnWarp, amount: float) -> None:
    """Draw the line of the lashes over the pressed rest of a closing eye, in place."""
    upper, lower = (warp.rest + amount * warp.move)[2:4] - warp.window[0].start
    y = np.arange(len(window), dtype=np.float32)[:, None]
    middle, reach = (upper + lower) / 2, 1 + (lower - upper) / 2
    along = np.linspace(0, 1, window.shape[1], dtype=np.float32)
    tapered = np.sqrt(4 * along * (1 - along))
    # Half open eyes show no such line yet.
    cover = np.clip(reach - np.abs(y - middle), 0, 1) * tapered * 0.8 * amount**4
    _paint(window, cover, _LASHES)


def _paint_mouth(window: NDArray[np.uint8], warp: ColumnWarp, amount: float) -> None:
    """Fill the gap that opens between the teeth and the lower lip, in place."""
    teeth, lip = (warp.rest + amount * warp.move)[1:3] - warp.window[0].start
    first, last = math.floor(teeth.min()), math.ceil(lip.max())
    y = np.arange(first, last, dtype=np.float32)[:, None]
    cover = np.clip(y - teeth, 0, 1) * np.clip((lip - y) / 2, 0, 1)
    depth = np.clip((lip - y) / (lip - teeth).max(), 0, 1)[..., None]
    _paint(window[first:last], cover, _TONGUE + (_THROAT - _TONGUE) * np.sqrt(depth))


def _paint(part: NDArray[np.uint8], cover: NDArray[np.float32], colour: NDArray[np.float32]) -> None:
    part[:] = part + cover[..., None] * (colour - part)
