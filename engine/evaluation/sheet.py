"""A sheet of the worst faces of an evaluation, each with its prediction and its ground truth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.faces import Face
from engine.core.frame import Truth
from engine.core.geometry import landmark_box
from engine.core.schemes import Scheme
from engine.evaluation.evaluate import Evaluation, ScoredFace
from engine.evaluation.tables import title
from engine.formats.images import read_picture, write_picture
from engine.render.face_tile import face_tile
from engine.render.overlay import OverlayPainter
from engine.render.palette import MUTED, PLATE, TEXT, TRUTH
from engine.render.text import EM_PER_CAPITAL, TextPainter

WORST, COLUMNS = 24, 6
TILE, CAPTION, GAP, HEADER = 300, 48, 10, 52  # pixels
LARGE, SMALL = 11 * EM_PER_CAPITAL, 8 * EM_PER_CAPITAL  # em of letters whose capitals are 11 and 8 pixels high


def worst_faces(evaluation: Evaluation, count: int = WORST) -> list[ScoredFace]:
    """Return the faces with the largest NME, largest first; missed ones come before all, those without NME are out."""
    ranked = [scored for scored in evaluation.faces if not math.isnan(scored.nme)]
    return sorted(ranked, key=lambda scored: scored.nme, reverse=True)[:count]


def write_sheet(path: Path, evaluation: Evaluation) -> str | None:
    """Write the sheet; where there is no face to show or a picture is missing, return that as a sentence instead.

    Raises:
        SourceError: a picture cannot be read.
        RecordingError: the file cannot be written.
    """
    worst = worst_faces(evaluation)
    if not worst:
        return "The sheet of the worst faces is left out, because no face has an error."
    missing = [scored.image for scored in worst if not scored.face.image.is_file()]
    if missing:
        return f"The sheet of the worst faces is left out, because pictures are missing, the first is {missing[0]}."
    write_picture(path, _sheet(evaluation, worst))
    return None


def _sheet(evaluation: Evaluation, worst: Sequence[ScoredFace]) -> NDArray[np.uint8]:
    """Return the sheet `[H, W, 3]` uint8 RGB."""
    columns = min(COLUMNS, len(worst))
    rows = math.ceil(len(worst) / columns)
    shape = (HEADER + rows * (TILE + CAPTION), columns * (TILE + GAP) + GAP, 4)
    sheet = np.full(shape, (*PLATE, 255), np.uint8)
    painter, overlay = TextPainter(), OverlayPainter()
    _draw_header(sheet, painter, evaluation, len(worst))
    for index, scored in enumerate(worst):
        row, column = divmod(index, columns)
        x, y = GAP + column * (TILE + GAP), HEADER + row * (TILE + CAPTION)
        sheet[y : y + TILE, x : x + TILE] = _tile(overlay, scored, evaluation.scheme)
        _draw_caption(sheet, painter, scored, x, y + TILE)
    return cv2.cvtColor(sheet, cv2.COLOR_BGRA2RGB)


def _draw_header(sheet: NDArray[np.uint8], painter: TextPainter, evaluation: Evaluation, count: int) -> None:
    x, y = GAP, HEADER - 19
    text = f"{title(evaluation)}: the {count} worst of {evaluation.n} faces"
    painter.draw(sheet, text, (x, y), LARGE, TEXT)
    x += round(painter.width(text, LARGE) + 2 * LARGE)
    for words, colour in (("light dots: found", MUTED), ("orange rings: ground truth", TRUTH)):
        painter.draw(sheet, words, (x, y), SMALL, colour)
        x += round(painter.width(words, SMALL) + 1.5 * SMALL)


def _draw_caption(sheet: NDArray[np.uint8], painter: TextPainter, scored: ScoredFace, x: int, y: int) -> None:
    error = "missed" if scored.points is None else f"NME {scored.nme:.2f} %"
    painter.draw(sheet, error, (x, y + 19), LARGE, TEXT)
    name = Path(scored.image).name
    while painter.width(name, SMALL) > TILE:
        name = f"{name.removesuffix('…')[:-1]}…"
    painter.draw(sheet, name, (x, y + 36), SMALL, MUTED)


def _tile(overlay: OverlayPainter, scored: ScoredFace, scheme: Scheme) -> NDArray[np.uint8]:
    """Return a face with its points `[TILE, TILE, 4]` uint8 BGRA."""
    both = [points for points in (scored.truth, scored.points) if points is not None]
    faces: tuple[Face, ...] = ()
    if scored.points is not None:
        sure = np.ones(len(scored.points), np.float32)
        faces = (Face(0, landmark_box(scored.points), 1.0, scheme, scored.points, sure, 0.0),)
    picture = read_picture(scored.face.image)
    shown = landmark_box(np.concatenate(both))
    return face_tile(overlay, picture, shown, faces, Truth(scheme, scored.truth), TILE)
