"""Small faces: the detector looks at square tiles of a picture, where the whole would be too small in its input."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Box
from engine.inference.detector import Detection, FaceDetector

# A face is found down to about a tenth of a tile's side, so each size of tile has half the side of the next larger one.
OVERLAP = 0.3  # of neighbouring tiles, in sides: a face on an edge is whole in one of them
AROUND = 5  # sizes of a face: side of the tile in which it is looked for
SMALLEST_TILE = 256  # pixels a side; smaller ones would be enlarged
# Detections that overlap by more are of one face.
SAME_FACE_OVERLAP = 0.3

Tile = tuple[int, int, int]  # left, top, side in pixels; a picture with a shorter side cuts it off


def tiles_of(height: int, width: int) -> list[Tile]:
    """Return the tiles of a picture of this size, the largest first, each size from the top left to the bottom right.

    The largest have half its longer side; the smallest have `SMALLEST_TILE` to twice as many pixels a side. Empty for
    a picture in which the detector sees as much as in a tile.
    """
    tiles: list[Tile] = []
    side = max(height, width) / 2
    while side >= SMALLEST_TILE:
        rows, columns = _starts(height, side), _starts(width, side)
        tiles += [(left, top, math.ceil(side)) for top, left in itertools.product(rows, columns)]
        side /= 2
    return tiles


def tile_around(place: NDArray[np.float64], size: float, height: int, width: int) -> Tile:
    """Return the tile in which a face of a size, near a place of a picture of this size, is easy to find."""
    side = min(round(AROUND * size), max(height, width))
    left, top = (round(float(middle) - side / 2) for middle in place)
    return min(max(left, 0), max(width - side, 0)), min(max(top, 0), max(height - side, 0)), side


def detect_in_tiles(detector: FaceDetector, picture: NDArray[np.uint8], tiles: Iterable[Tile]) -> list[Detection]:
    """Return the faces that a detector finds in tiles of an RGB picture `[H, W, 3]` uint8, best first."""
    found = [
        _moved(detection, left, top)
        for left, top, side in tiles
        for detection in detector.detect(picture[top : top + side, left : left + side])
    ]
    found.sort(key=lambda detection: detection.score, reverse=True)
    faces: list[Detection] = []
    for detection in found:
        if all(detection.box.overlap(face.box) <= SAME_FACE_OVERLAP for face in faces):
            faces.append(detection)
    return faces


def _starts(length: int, side: float) -> list[int]:
    """Return where tiles of a side begin along a picture's edge, evenly spread."""
    room = max(0.0, length - side)
    steps = math.ceil(room / (side * (1 - OVERLAP)))
    return [round(room * step / max(steps, 1)) for step in range(steps + 1)]


def _moved(detection: Detection, right: int, down: int) -> Detection:
    box = detection.box
    (right_x, right_y), (left_x, left_y) = detection.right_eye, detection.left_eye
    return Detection(
        Box(box.x0 + right, box.y0 + down, box.x1 + right, box.y1 + down),
        detection.score,
        (right_x + right, right_y + down),
        (left_x + right, left_y + down),
    )
