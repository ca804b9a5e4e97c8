"""The sheet of derived labels, no photographs: `python -m tools.figures.derived_labels PACK ... --out FILE.png`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.errors import PackError, UnderstudyError
from engine.core.geometry import crop_of_box, landmark_box
from engine.core.schemes import WFLW_98
from engine.formats.images import write_picture
from engine.formats.packs import read_arrays
from engine.render.ink import drawing_plan
from engine.render.layer import Layer, Region
from engine.render.palette import MUTED, PARTS, PLATE, TEXT, TRUTH
from engine.render.text import TextPainter
from trainer.data.derived98 import DERIVED, MANUAL, MOVED

COLUMNS, ROWS = 6, 4
TILE, GAP, FOOT = 230, 12, 44  # pixels
SHOWN = 1.08  # side of a tile in larger sides of the landmark box
DOT, TEXT_SIZE = 2.2, 18.0  # radius and em in pixels
LINE_ALPHA = 0.5
KINDS = {
    MANUAL: ("manual", TEXT),
    MOVED: ("manual, moved to where WFLW has the point", PARTS["eye"]),
    DERIVED: ("derived", TRUTH),
}


def draw(faces: Sequence[NDArray[np.floating]], origins: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Return faces as points and contours on a plain ground, as one RGB picture `[H, W, 3]`.

    Args:
        faces: each `[98, 2]`; NaN without a label.
        origins: for each face the origin `[98]` of its labels.
    """
    canvas = np.empty((ROWS * (TILE + GAP) + GAP + FOOT, COLUMNS * (TILE + GAP) + GAP, 4), np.uint8)
    canvas[:] = (*PLATE, 255)
    layer = Layer()
    for index, (points, origin) in enumerate(zip(faces, origins, strict=True)):
        y, x = GAP + index // COLUMNS * (TILE + GAP), GAP + index % COLUMNS * (TILE + GAP)
        _draw_face(canvas[y : y + TILE, x : x + TILE], points, origin, layer)
    _draw_legend(canvas, layer)
    return cv2.cvtColor(canvas, cv2.COLOR_BGRA2RGB)


def chosen_faces(packs: Sequence[Path]) -> tuple[list[NDArray[np.float32]], list[NDArray[np.uint8]]]:
    """Return `COLUMNS * ROWS` labels `[98, 2]` and their origins `[98]`, spread evenly over the faces of derived packs.

    Raises:
        PackError: one is no pack that `understudy data derive98` wrote, or they hold too few faces.
    """
    landmarks, origins = [], []
    for folder in packs:
        arrays = read_arrays(folder)
        if "origin" not in arrays or arrays["origin"].shape[1:] != (WFLW_98.points,):
            raise PackError(
                f"The pack {folder} does not say where its labels are from",
                "only “understudy data derive98” writes this",
                "give packs that it wrote",
            )
        landmarks.append(arrays["landmarks"].astype(np.float32))
        origins.append(arrays["origin"].astype(np.uint8))
    every, count = np.concatenate(landmarks), COLUMNS * ROWS
    if len(every) < count:
        raise PackError(f"There are only {len(every)} faces", f"the sheet shows {count}", "give more packs")
    picked = np.linspace(0, len(every) - 1, count).round().astype(int)
    return list(every[picked]), list(np.concatenate(origins)[picked])


def _draw_face(tile: NDArray[np.uint8], points: NDArray[np.floating], origin: NDArray[np.uint8], layer: Layer) -> None:
    places = crop_of_box(landmark_box(points), SHOWN).from_picture(points) * TILE - 0.5
    labelled = np.isfinite(places).all(1)
    layer.clear(Region(0, 0, TILE, TILE))
    for _, ends in drawing_plan(WFLW_98).lines:
        layer.lines(layer.fixed(places[ends[labelled[ends].all(1)]]), 1, MUTED, LINE_ALPHA)
    colours = np.array([KINDS[int(kind)][1] for kind in origin], np.float32)
    layer.dots(places[labelled], DOT, colours[labelled], np.ones(int(labelled.sum()), np.float32))
    layer.lay(tile)


def _draw_legend(canvas: NDArray[np.uint8], layer: Layer) -> None:
    height, width = canvas.shape[:2]
    painter, x, y = TextPainter(), 2.0 * GAP, height - FOOT / 2
    layer.clear(Region(0, height - FOOT, width, height))
    for words, colour in KINDS.values():
        layer.dots(np.array([[x, y]]), 2 * DOT, np.array([colour], np.float32), np.ones(1, np.float32))
        painter.draw(canvas, words, (x + GAP, y + TEXT_SIZE / 3), TEXT_SIZE, TEXT)
        x += painter.width(words, TEXT_SIZE) + 4 * GAP
    layer.lay(canvas)


def main(arguments: list[str] | None = None) -> None:
    """Draw the sheet of derived packs."""
    parser = argparse.ArgumentParser(prog="python -m tools.figures.derived_labels", description=__doc__)
    parser.add_argument("packs", nargs="+", type=Path, metavar="PACK", help="packs of “understudy data derive98”")
    parser.add_argument("--out", type=Path, required=True, help="the picture to write")
    options = parser.parse_args(arguments)
    try:
        write_picture(options.out, draw(*chosen_faces(options.packs)))
    except UnderstudyError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
