"""Notices when a camera delivers pictures that show nothing: black ones, or the same one over and over."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Every 16th pixel both ways is enough to judge by and costs a few microseconds.
STRIDE = 16
# Levels of 0..255: a covered lens gives a little noise around a few levels.
BLACK_MEAN, BLACK_SPREAD = 8.0, 3.0

BLACK = "The picture is black: the lens is covered, a privacy shutter is closed, or another program holds the camera."
FROZEN = "The picture is frozen: the camera sends the same one again and again. Unplug it and plug it in again."


class PictureHints:
    """Watches the pictures of one camera.

    Args:
        after: seconds for which a picture must be black or frozen before it is worth a sentence.
    """

    def __init__(self, after: float) -> None:
        self._after = after
        self._last: NDArray[np.uint8] | None = None
        self._black_since: float | None = None
        self._frozen_since: float | None = None

    def observe(self, picture: NDArray[np.uint8], now: float) -> str:
        """Return what is wrong with the pictures up to `picture` `[H, W, 3]`, taken at `now` seconds; "" if nothing."""
        sparse = picture[::STRIDE, ::STRIDE].copy()
        black = sparse.mean() < BLACK_MEAN and sparse.std() < BLACK_SPREAD
        # Even a still scene differs from picture to picture by the noise of the sensor.
        frozen = self._last is not None and np.array_equal(sparse, self._last)
        self._last = sparse
        self._black_since = _since(self._black_since, black, now)
        self._frozen_since = _since(self._frozen_since, frozen, now)
        if self._lasts(self._black_since, now):
            return BLACK
        return FROZEN if self._lasts(self._frozen_since, now) else ""

    def _lasts(self, since: float | None, now: float) -> bool:
        return since is not None and now - since >= self._after


def _since(since: float | None, holds: bool | np.bool_, now: float) -> float | None:
    """Return since when something holds: as before, from now on, or not at all."""
    if not holds:
        return None
    return now if since is None else since
