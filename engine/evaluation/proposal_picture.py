"""A picture of some faces with the points that a model from elsewhere finds on them, so that a wrong card is seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.faces import Face
from engine.core.frame import Truth
from engine.core.geometry import landmark_box
from engine.core.schemes import IBUG_68
from engine.evaluation.proposal import KnownFace
from engine.evaluation.sheet import TILE
from engine.formats.images import write_picture
from engine.inference.card import Card
from engine.inference.landmarker import Landmarker
from engine.inference.runtimes import ModelRuntime
from engine.render.face_tile import face_tile
from engine.render.overlay import OverlayPainter

COLUMNS, ROWS = 3, 2


def write_proposal_picture(path: Path, runtime: ModelRuntime, card: Card, faces: Sequence[KnownFace]) -> None:
    """Write the picture that `proposal_picture` returns.

    Raises:
        ModelError: the card does not fit the network.
        RecordingError: the file cannot be written.
    """
    write_picture(path, proposal_picture(runtime, card, faces))


def proposal_picture(runtime: ModelRuntime, card: Card, faces: Sequence[KnownFace]) -> NDArray[np.uint8]:
    """Return six of the faces, with the points found as light dots and their truth as rings.

    The picture is `[2 TILE, 3 TILE, 3]` uint8 RGB.

    Raises:
        ModelError: the card does not fit the network.
    """
    landmarker, overlay = Landmarker(runtime, card), OverlayPainter()
    tiles = []
    for index in np.linspace(0, len(faces) - 1, COLUMNS * ROWS).round().astype(int):
        face = faces[index]
        found = landmarker.locate(face.picture, landmark_box(face.points))
        truth, box, drawn = Truth(IBUG_68, face.points), landmark_box(face.points), list[Face]()
        if found.finite:
            drawn.append(Face(0, box, 1.0, card.markup, found.points, np.ones_like(found.confidence), 0.0))
        tiles.append(face_tile(overlay, face.picture, box, drawn, truth, TILE))
    rows = [np.concatenate(tiles[row * COLUMNS : (row + 1) * COLUMNS], 1) for row in range(ROWS)]
    return np.asarray(cv2.cvtColor(np.concatenate(rows), cv2.COLOR_BGRA2RGB), np.uint8)
