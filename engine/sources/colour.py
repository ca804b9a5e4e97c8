"""From whatever colours and depth OpenCV delivers to the engine's RGB."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.errors import SourceError

# How a number of channels becomes RGB; BGR ends here.
_CONVERSIONS = {1: cv2.COLOR_GRAY2RGB, 3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGB}


def to_rgb(picture: NDArray[Any], source: str) -> NDArray[np.uint8]:
    """Convert a picture of OpenCV to a new `[H, W, 3]` uint8 RGB picture.

    Args:
        picture: `[H, W]` or `[H, W, 1]` grey, `[H, W, 3]` BGR or `[H, W, 4]` BGRA; uint8, or uint16 of full range.
        source: name for the error.

    Raises:
        SourceError: another depth or number of channels, which could only be guessed at.
    """
    channels = 1 if picture.ndim == 2 else picture.shape[-1]
    if picture.ndim not in (2, 3) or channels not in _CONVERSIONS or picture.dtype not in (np.uint8, np.uint16):
        raise SourceError(
            f"{source} delivers pictures of the kind {picture.shape} {picture.dtype}",
            "grey, BGR or BGRA of 8 or 16 bits were expected",
            "choose another format in the camera's own settings, or convert the file",
        )
    if picture.dtype == np.uint16:
        picture = (picture >> 8).astype(np.uint8)
    return cv2.cvtColor(np.ascontiguousarray(picture), _CONVERSIONS[channels])
