"""A portrait that moves: eyes, mouth, head and camera follow a pose, and the landmarks with them."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.metrics import interocular_distance
from engine.core.schemes import IBUG_68
from engine.sources.sample_script import Pose
from engine.sources.sample_warp import ColumnWarp, HeadTurn, eyelid_warp, jaw_warp

# Draws on a window of the portrait what a warp by an amount uncovers.
Paint = Callable[[NDArray[np.uint8], ColumnWarp, float], None]

# The portrait is animated at double size, so that sampling it twice costs no sharpness.
_ENLARGED = 2
_STEP = 4  # frame pixels between the places at which the turn of the head is computed
_LASHES = np.array((48, 30, 22), np.float32)  # RGB, as the following
_THROAT = np.array((34, 10, 10), np.float32)
_TONGUE = np.array((128, 56, 54), np.float32)
_MIDDLE_OF_FACE = [27, 30, 33, 51]  # landmarks


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
