"""What ink is drawn for, a saved picture or the screen, and how large its marks are there."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.core.frame import Frame
from engine.core.geometry import Box
from engine.render.layer import Region
from engine.render.text import EM_PER_CAPITAL, SMALLEST_CAPITAL, readable_size

SMALLEST_INK = 0.6  # times the usual measures
# In a saved picture these measures hold for a face of 200 pixels in a picture of 480. Larger pictures are shown smaller
# and larger faces have room for thicker ink, so it grows with the geometric mean of both.
USUAL_FACE, USUAL_PICTURE = 200.0, 480.0
SMALL_FACE = 60.0  # pixels: below, ink shrinks with the face, however large the picture
PICTURE_PER_INDEX = 90  # how much higher a picture is than the digits of an index, or wider if it is upright
# On the screen, in logical pixels, ink is the same for all pictures and faces but the smallest, whose landmarks are
# close together.
SCREEN_INK = 1.2  # times the usual measures
SMALL_FACE_ON_SCREEN = 100.0
LABEL_CAPITAL = 9


@dataclass(frozen=True)
class Pane:
    """The part of a screen that a picture fills: its size in device pixels, and how many of them are a logical one."""

    width: int
    height: int
    ratio: float


@dataclass(frozen=True)
class Canvas:
    """Pixels to draw ink on, which show a whole frame.

    Attributes:
        width, height: pixels.
        across, down: how many of them show one pixel of the frame.
        ratio: device pixels of a logical one on the screen; None for the frame's own pixels, as they are saved.
    """

    width: int
    height: int
    across: float = 1.0
    down: float = 1.0
    ratio: float | None = None

    @staticmethod
    def of(frame: Frame) -> Canvas:
        """Return the frame's own pixels."""
        return Canvas(frame.width, frame.height)

    @staticmethod
    def on_screen(frame: Frame, pane: Pane) -> Canvas:
        """Return the device pixels of a pane that a frame fills."""
        return Canvas(pane.width, pane.height, pane.width / frame.width, pane.height / frame.height, pane.ratio)

    def places(self, points: NDArray[np.floating], mirrored: bool = False) -> NDArray[np.floating]:
        """Return where points `[..., 2]` of the frame are on it, or where a mirror shows them."""
        if self.ratio is not None:
            points = ((points + 0.5) * (self.across, self.down) - 0.5).astype(np.float32)
        return mirrored_points(points, self.width) if mirrored else points

    def box(self, box: Box, mirrored: bool = False) -> Box:
        """Return where a box of the frame is on it, or where a mirror shows it."""
        (x0, y0), (x1, y1) = self.places(np.array(((box.x0, box.y0), (box.x1, box.y1))), mirrored).tolist()
        return Box(min(x0, x1), y0, max(x0, x1), y1)

    def ink_scale(self, box: Box) -> float:
        """Return by what the usual measures of ink are multiplied for a face that has this box on it."""
        face = min(max(box.width, box.height, 1.0), max(self.height, self.width))
        if self.ratio is not None:
            return self.ratio * max(SMALLEST_INK, SCREEN_INK * min(1.0, face / self.ratio / SMALL_FACE_ON_SCREEN))
        usual = math.sqrt(face / USUAL_FACE * min(self.height, self.width) / USUAL_PICTURE)
        return max(SMALLEST_INK, min(usual, face / SMALL_FACE))

    def around(self, box: Box, margin: float) -> Region:
        """Return its pixels within `margin` of a box on it."""
        return Region.around(box, margin, self.width, self.height)

    @property
    def index_size(self) -> float:
        """The em of indices, as small as can be read, in its pixels."""
        if self.ratio is None:
            return max(SMALLEST_CAPITAL, round(min(self.height, self.width) / PICTURE_PER_INDEX)) * EM_PER_CAPITAL
        return round(SMALLEST_CAPITAL * self.ratio) * EM_PER_CAPITAL

    @property
    def label_size(self) -> float:
        """The em of labels, in its pixels."""
        if self.ratio is None:
            return readable_size(self.width, self.height)
        return round(LABEL_CAPITAL * self.ratio) * EM_PER_CAPITAL


def mirrored_points(points: NDArray[np.floating], width: int) -> NDArray[np.floating]:
    """Return points `[..., 2]` as a mirror shows them in a picture of `width`."""
    return np.array((width - 1, 0), np.float32) + points * np.array((-1, 1), np.float32)
