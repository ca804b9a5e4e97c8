"""The pose of a head, drawn as three axes that grow out of the tip of the nose."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.render.layer import Layer
from engine.render.palette import PARTS, TEXT

# To the person's left, up, and forwards, as in `HeadPose.axes`. The axes differ in lightness too, and the one that
# leads forwards has a dot at its end: of a face that looks into the camera nothing else of it can be seen.
COLOURS = (PARTS["eye"], PARTS["lip"], TEXT)
ALPHA = 0.95
DOT = 1.6  # radius, in widths of the line


def draw_pose(layer: Layer, axes: NDArray[np.floating], width: int) -> None:
    """Draw the axes of a head on a layer that was cleared for a region around them.

    Args:
        layer: sealed and laid by the caller.
        axes: `[4, 2]` finite, pixels of the picture, see `HeadPose.axes`; mirrored where the picture is.
        width: of the lines in pixels.
    """
    fixed = layer.fixed(axes)
    for end, colour in zip(fixed[1:], COLOURS, strict=True):
        layer.lines(np.stack((fixed[0], end))[None], width, colour, ALPHA)
    layer.dots(axes[3:], DOT * width + 1, np.array(COLOURS[2:], np.float32), np.ones(1, np.float32))
