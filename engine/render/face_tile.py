"""A square picture of one face, enlarged, with landmarks and ground truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine.core.faces import Face, Result
from engine.core.frame import Frame, Truth
from engine.core.geometry import Box, crop_of_box, landmark_box
from engine.core.stats import Meter
from engine.render.overlay import OverlayPainter
from engine.render.scene import Look, OverlayOptions

TILE_SCALE = 1.3  # side of a tile, of the larger side of the box that it shows
OPTIONS = OverlayOptions(points=True, contours=False, box=False, numbers=False, truth=True)


def face_tile(
    overlay: OverlayPainter,
    picture: NDArray[np.uint8],
    shown: Box,
    faces: Sequence[Face],
    truth: Truth | None,
    side: int,
) -> NDArray[np.uint8]:
    """Return the part of a picture around a box, with landmarks, as `[side, side, 4]` uint8 BGRA.

    Args:
        overlay: draws.
        picture: `[H, W, 3]` uint8 RGB.
        shown: the box, in pixels of the picture.
        faces: are drawn, in pixels of the picture; what lies outside is cut off.
        truth: is drawn too; None for none.
        side: of the tile in pixels.
    """
    crop = crop_of_box(shown, TILE_SCALE)

    def placed(points: NDArray[np.float32]) -> NDArray[np.float32]:
        return crop.from_picture(points) * side - 0.5

    drawn = []
    for face in faces:
        points = placed(face.landmarks)
        drawn.append(replace(face, landmarks=points, box=landmark_box(points)))
    its_truth = None if truth is None else Truth(truth.scheme, placed(truth.points))
    frame = Frame(0, 0.0, crop.sample(picture, side), "", truth=its_truth)
    tile = np.empty((side, side, 4), np.uint8)
    overlay.paint(tile, Result(frame, tuple(drawn), "", {}, detected=False), Look(OPTIONS), Meter().stats())
    return tile
