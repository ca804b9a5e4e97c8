"""Two pictures combined into one, as in the window, for screenshots and recordings."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.render.palette import PLATE

GAP = 8  # pixels between two pictures; even, because video codecs want even widths


def joined(first: NDArray[np.uint8], second: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    """Return two pictures `[H, W, 4]` side by side as a new one `[H, 2 W + GAP, 4]`, all uint8 BGRA.

    A second one of another size is fitted into the first's, None leaves its place empty. The size does not depend on
    it, so a recording can begin before the second lane has a picture.
    """
    height, width = first.shape[:2]
    out = np.empty((height, 2 * width + GAP, 4), np.uint8)
    out[:, :width] = first
    if second is not None and second.shape == first.shape:
        out[:, width : width + GAP] = (*PLATE, 255)
        out[:, width + GAP :] = second
        return out
    out[:, width:] = (*PLATE, 255)
    if second is not None and second.size:
        # Into a dark cell, as large as fits.
        high, wide = second.shape[:2]
        scale = min(height / high, width / wide)
        size = max(1, round(wide * scale)), max(1, round(high * scale))
        left, top = width + GAP + (width - size[0]) // 2, (height - size[1]) // 2
        area = out[top : top + size[1], left : left + size[0]]
        area[:] = cv2.resize(second, size, interpolation=cv2.INTER_AREA)
    return out


def split(first: NDArray[np.uint8], second: NDArray[np.uint8] | None, place: float) -> NDArray[np.uint8]:
    """Return a new picture: the first left of a line, the second right of it, all `[H, W, 4]` uint8 BGRA.

    A second one of another size is scaled to the first's, None shows the first alone. The line is at `place`, a share
    of the width in [0, 1].
    """
    out = first.copy()
    if second is not None and second.size:
        height, width = first.shape[:2]
        column = round(min(max(place, 0.0), 1.0) * width)
        if second.shape != first.shape:
            second = cv2.resize(second, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        out[:, column:] = second[:, column:]
    return out
