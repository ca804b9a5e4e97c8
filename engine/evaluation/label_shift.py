"""How far a model's points lie beside what they mark, because the labels that it learned from do."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np

from engine.core.errors import PackError
from engine.core.geometry import crop_of_box, landmark_box
from engine.formats.images import read_picture
from engine.formats.packs import Pack, PackFace
from engine.inference.landmarker import Landmarker, not_finite_error

SHIFT_DIGITS = 5  # of the shift on a card: a thousandth of a percent of the crop
FACES = 600  # evenly spaced ones are enough: the shift of one face varies by 0.1 % of the crop


@dataclass(frozen=True)
class LabelShift:
    """The label shift of a model, see `engine.inference.card.Card`.

    Attributes:
        shift: in sides of the crop, to the right.
        faces: that it was measured on.
        as_labelled, on_picture: how far points on a picture lie to the right of those on its mirror image, mirrored
            back, in percent of the eye distance: as the model gives them, and with the shift of its card taken off.
    """

    shift: float
    faces: int
    as_labelled: float
    on_picture: float


def measure_label_shift(landmarker: Landmarker, packs: Sequence[Pack], most: int = FACES) -> LabelShift:
    """Measure the label shift of a model on at most so many faces of packs of any markup.

    It is half of how far the points on a picture lie to the right of those on its mirror image, mirrored back: what a
    model learned of both has no side, so the rest belongs to the labels. Only the boxes of the faces are used.

    Raises:
        SourceError: a picture cannot be read.
        ModelError: the model gave numbers that are not finite.
        PackError: the packs hold no face.
    """
    faces = [face for pack in packs for face in pack.faces if not face.same_picture_as_test]
    if not faces:
        raise PackError("There is no face to measure on", "the packs are empty", "give packs of labelled faces")
    landmarker = copy(landmarker)
    landmarker.as_labelled, landmarker.flip = True, False
    chosen = np.unique(np.linspace(0, len(faces) - 1, min(most, len(faces))).round().astype(int))
    apart, eyes = np.array([_apart(landmarker, faces[index]) for index in chosen]).T
    shift = float(apart.mean() / 2)
    left = apart - 2 * landmarker.card.label_shift
    return LabelShift(shift, len(chosen), float((apart / eyes).mean() * 100), float((left / eyes).mean() * 100))


def _apart(landmarker: Landmarker, face: PackFace) -> tuple[float, float]:
    """Return how far the points lie to the right of those of the mirror image, and the eye distance, in crop sides."""
    card = landmarker.card
    crop = crop_of_box(landmark_box(face.landmarks), card.crop.scale, card.crop.dy)
    pixels = crop.sample(read_picture(face.image), card.input_size)
    points, (seen, _) = landmarker.read(pixels)[0], landmarker.read(pixels[:, ::-1])
    if not (np.isfinite(points).all() and np.isfinite(seen).all()):
        raise not_finite_error(card.name)
    right, left = card.markup.outer_eye_corners
    back = 1 - seen[landmarker.mirror(), 0]
    return float((points[:, 0] - back).mean()), float(np.linalg.norm(points[left] - points[right]))
