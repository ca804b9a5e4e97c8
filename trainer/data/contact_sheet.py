"""Many faces on one picture, with their landmarks and a line each of what there is to say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.errors import SourceError
from engine.core.geometry import Crop, crop_of_box, landmark_box
from engine.core.schemes import SCHEMES
from engine.formats.images import read_picture
from engine.render.ink import drawing_plan
from engine.render.layer import Layer, Region
from engine.render.palette import MUTED, PLATE, TEXT, TRUTH, WHITE
from engine.render.text import EM_PER_CAPITAL, SMALLEST_CAPITAL, TextPainter

COLUMNS, ROWS = 8, 6
TILE = 192  # pixels
GAP = 10
LINE = 17
TEXT_SIZE = SMALLEST_CAPITAL * EM_PER_CAPITAL
# Side of the shown square in larger sides of the landmark box; few points mark only the middle of a face.
SHOWN, SHOWN_OF_FEW = 1.5, 3.0
DOT_RADIUS, DOT_RADIUS_OF_FEW = 1.3, 2.4
LINE_ALPHA, HALO = 0.6, 0.4


@dataclass(frozen=True)
class Tile:
    """A face to show.

    Attributes:
        image: path of the picture.
        points: `[K, 2]` pixels of the picture, any K; those that are not finite are left out.
        note: what there is to say about it.
        suspicious: whether the note is a complaint.
    """

    image: Path
    points: NDArray[np.float32]
    note: str
    suspicious: bool = False


def contact_sheet(tiles: Sequence[Tile]) -> NDArray[np.uint8]:
    """Return the first `COLUMNS * ROWS` faces as one RGB picture `[H, W, 3]` uint8, row by row.

    A picture that cannot be read leaves its place dark, with its name and note.
    """
    tiles = tiles[: COLUMNS * ROWS]
    rows = max(1, math.ceil(len(tiles) / COLUMNS))
    across, down = TILE + GAP, TILE + 2 * LINE + GAP
    canvas = np.empty((rows * down + GAP, COLUMNS * across + GAP, 4), np.uint8)
    canvas[:] = (*PLATE, 255)
    painter, layer = TextPainter(), Layer()
    for index, tile in enumerate(tiles):
        y, x = GAP + index // COLUMNS * down, GAP + index % COLUMNS * across
        _draw_face(canvas[y : y + TILE, x : x + TILE], tile, layer)
        lines = ((tile.image.stem, MUTED), (tile.note, TRUTH if tile.suspicious else TEXT))
        for line, (text, colour) in enumerate(lines, 1):
            painter.draw(canvas, _shortened(text, painter), (x, y + TILE + line * LINE - 3), TEXT_SIZE, colour)
    return cv2.cvtColor(canvas, cv2.COLOR_BGRA2RGB)


def _draw_face(place: NDArray[np.uint8], tile: Tile, layer: Layer) -> None:
    """Draw a face and its landmarks into `place` `[TILE, TILE, 4]` BGRA."""
    try:
        picture = read_picture(tile.image)
    except SourceError:
        return
    crop = _crop(picture, tile.points)
    place[:] = cv2.cvtColor(crop.sample(picture, TILE), cv2.COLOR_RGB2BGRA)
    finite = np.asarray(np.isfinite(tile.points).all(1))
    points = crop.from_picture(np.where(finite[:, None], tile.points, np.nan)) * TILE - 0.5
    layer.clear(Region(0, 0, TILE, TILE))
    colours, radius = np.tile(np.array(WHITE, np.float32), (len(points), 1)), DOT_RADIUS_OF_FEW
    if len(points) in SCHEMES:
        plan = drawing_plan(SCHEMES[len(points)])
        for colour, ends in plan.lines:
            whole = ends[finite[ends].all(1)]
            layer.lines(layer.fixed(points[whole]), 1, colour, LINE_ALPHA)
        colours, radius = plan.dots, DOT_RADIUS
    layer.dots(points[finite], radius, colours[finite], np.ones(int(finite.sum()), np.float32))
    layer.edge(HALO)
    layer.lay(place)


def _crop(picture: NDArray[np.uint8], points: NDArray[np.float32]) -> Crop:
    """Return the square around the landmarks; the whole picture where they say nothing."""
    height, width = picture.shape[:2]
    if np.isfinite(points).all(1).any():
        crop = crop_of_box(landmark_box(points), SHOWN if len(points) in SCHEMES else SHOWN_OF_FEW)
        if crop.side > 1:
            return crop
    return Crop((width - 1) / 2, (height - 1) / 2, float(max(width, height)))


def _shortened(text: str, painter: TextPainter) -> str:
    """Return `text`, its middle left out where it is wider than a tile."""
    shown, kept = text, len(text)
    while painter.width(shown, TEXT_SIZE) > TILE:
        kept -= 1
        shown = f"{text[: kept // 2]}…{text[len(text) - (kept - kept // 2) :]}"
    return shown
