"""How two models differ on a face: arrows from the first's landmarks to the second's, and heat per part of the face."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.core.faces import Face
from engine.core.pairing import shared_points
from engine.render.layer import Layer
from engine.render.palette import WHITE, heat_colour

HEAD, HEAD_WIDTH = 0.35, 0.2  # of an arrow's length
LONGEST_HEAD = 6.0  # pixels, times the width of the line
SHORTEST_ARROW = 1.0  # pixels: shorter ones are hidden by their own point
SHORTEST_WITH_HEAD = 7.0  # pixels, times the width of the line: shorter ones would have no shaft
ARROW_ALPHA, CONTOUR_ALPHA = 0.95, 0.8


class Difference:
    """The drawing of one face as two models see it, compared on the points they share.

    The arrows are `magnification` times longer than true.
    """

    def __init__(self, first: Face, second: Face, magnification: float) -> None:
        shared = shared_points(first, second)
        move = shared.points - shared.reference
        self._scheme = shared.scheme
        self._starts = shared.reference
        self._ends = shared.reference + move * np.float32(magnification)
        self._percent = np.linalg.norm(move, axis=1) * 100 / max(shared.eye_distance, 1.0)

    def reach(self) -> NDArray[np.float32]:
        """Return both ends `[2 K, 2]` of every arrow."""
        return np.concatenate([self._starts, self._ends])

    def draw(self, layer: Layer, width: int, radius: float) -> None:
        """Draw with lines of `width` and dots of `radius` pixels."""
        fixed = layer.fixed(self._starts)
        for contour in self._scheme.contours:
            points = list(contour.points)
            colour = heat_colour(float(self._percent[points].mean()))
            line = points + points[:1] * contour.closed
            layer.lines(fixed[None, line], width, colour, CONTOUR_ALPHA)
        along = self._ends - self._starts
        length = np.linalg.norm(along, axis=1, keepdims=True)
        long = length[:, 0] >= SHORTEST_ARROW
        start, tip, along, length = self._starts[long], self._ends[long], along[long], length[long]
        head = along * np.minimum(HEAD, LONGEST_HEAD * width / length) * (length >= SHORTEST_WITH_HEAD * width)
        side = head[:, ::-1] * np.array((-1, 1), np.float32) * (HEAD_WIDTH / HEAD)
        # Along the shaft to the tip, then the barbs.
        arrows = np.stack([start, tip, tip - head + side, tip, tip - head - side], 1).astype(np.float32)
        layer.lines(layer.fixed(arrows), width, WHITE, ARROW_ALPHA)
        heat = np.array([heat_colour(float(percent)) for percent in self._percent], np.float32)
        layer.dots(self._starts, radius, heat, np.ones(len(heat), np.float32))
