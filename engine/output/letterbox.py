"""Fitting pictures of any size into one size, with black bars."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


class Letterbox:
    """Fits pictures into `size`, width and height in pixels. Nothing is allocated for pictures that have it already."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self._opaque = np.empty((size[1], size[0], 3), np.uint8)
        self._canvas = np.zeros((size[1], size[0], 3), np.uint8)

    def fit(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a picture `[H, W, 4]` or `[H, W, 3]` as `[height, width, 3]`, its colours in the same order.

        That is the picture itself if it has this form already; else a buffer that the next call overwrites.
        """
        height, width = picture.shape[:2]
        if (width, height) == self.size:
            return cv2.cvtColor(picture, cv2.COLOR_BGRA2BGR, dst=self._opaque) if picture.shape[2] == 4 else picture
        scale = min(self.size[0] / width, self.size[1] / height)
        inner = max(1, round(width * scale)), max(1, round(height * scale))
        opaque = picture if picture.shape[2] == 3 else cv2.cvtColor(picture, cv2.COLOR_BGRA2BGR)
        left, top = (self.size[0] - inner[0]) // 2, (self.size[1] - inner[1]) // 2
        self._canvas[:] = 0
        inside = self._canvas[top : top + inner[1], left : left + inner[0]]
        cv2.resize(opaque, inner, dst=inside, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        return self._canvas
