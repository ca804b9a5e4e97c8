"""Pictures of several lanes combined into one, as in the window, for screenshots and recordings."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.render.palette import PLATE

GAP = 8  # pixels between two pictures; even, because video codecs want even sizes
COLUMNS = 2
DARK = np.array((*PLATE, 255), np.uint8).view(np.uint32)[0]  # a whole pixel, which is filled in faster


def joined(pictures: Sequence[NDArray[np.uint8] | None], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return pictures `[H, W, 4]` in rows of `COLUMNS` as a new one, all uint8 BGRA.

    One of another size is fitted into its place, None leaves it empty, and so the size of the whole depends on `size`,
    width and height of a place, and the number of pictures alone: a recording can begin before each lane has one. The
    place in the middle of the last row is for one that is alone there.
    """
    width, height = size
    columns = min(COLUMNS, len(pictures))
    rows = -(-len(pictures) // columns)
    high, wide = rows * (height + GAP) - GAP, columns * (width + GAP) - GAP
    out = np.full((high, wide), DARK, np.uint32).view(np.uint8).reshape(high, wide, 4)
    for picture, cell in zip(pictures, cells(out, len(pictures), size), strict=True):
        if picture is not None and picture.size:
            _fit(picture, cell)
    return out


def cells(out: NDArray[np.uint8], count: int, size: tuple[int, int]) -> list[NDArray[np.uint8]]:
    """Return the places `[H, W, 4]` of `count` pictures in what `joined` returned, to be written to."""
    (width, height), columns, places = size, min(COLUMNS, count), []
    for place in range(count):
        row, column = divmod(place, columns)
        left, top = column * (width + GAP), row * (height + GAP)
        if column == 0 and place == count - 1:
            left = (out.shape[1] - width) // 2
        places.append(out[top : top + height, left : left + width])
    return places


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


def _fit(picture: NDArray[np.uint8], cell: NDArray[np.uint8]) -> None:
    """Write a picture into the middle of a cell, as large as it fits."""
    height, width = cell.shape[:2]
    high, wide = picture.shape[:2]
    if picture.shape == cell.shape:
        cell[:] = picture
        return
    scale = min(height / high, width / wide)
    size = max(1, round(wide * scale)), max(1, round(high * scale))
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    cell[top : top + size[1], left : left + size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
