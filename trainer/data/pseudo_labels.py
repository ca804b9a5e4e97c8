"""The pseudo-label of a face: what a model sees in it and in its mirror image, and how far the two differ.

The label is the mean of both views, which lies where the points are: labels of data sets may lie to one side of them,
and a model that learned such labels does so in both views, on opposite sides. How far the views differ, the *spread*,
says how much a label can be relied on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.core.geometry import Crop, landmark_box
from engine.inference.landmarker import Landmarker, not_finite_error
from engine.inference.tracking import FaceTracker


@dataclass(frozen=True)
class PseudoLabel:
    """A face's landmarks `[K, 2]`, their confidence `[K]`, and the spread of its views in percent."""

    points: NDArray[np.float32]
    confidence: NDArray[np.float32]
    spread: float


def find_labels(picture: NDArray[np.uint8], tracker: FaceTracker) -> list[PseudoLabel]:
    """Return the faces of a picture, largest first.

    Raises:
        ModelError: the model gave numbers that are not finite.
    """
    tracker.reset()
    found = tracker.track(picture)
    if found.not_finite:
        raise not_finite_error(tracker.landmarker.card.name)
    if not found.tracks:
        return []
    mirrored = np.ascontiguousarray(picture[:, ::-1])
    crops = [tracker.landmarker.crop_of_face(track.landmarks) for track in found.tracks]
    return [label_of(tracker.landmarker, picture, mirrored, crop) for crop in crops]


def label_of(
    landmarker: Landmarker, picture: NDArray[np.uint8], mirrored: NDArray[np.uint8], crop: Crop
) -> PseudoLabel:
    """Return the mean of what a model sees in a crop of a picture and in that of its mirror image.

    Raises:
        ModelError: the model gave numbers that are not finite.
    """
    last = picture.shape[1] - 1
    order = list(landmarker.card.markup.mirror)
    plain = landmarker.predict(picture, crop)
    other = landmarker.predict(mirrored, Crop(last - crop.centre_x, crop.centre_y, crop.side, -crop.roll))
    if not (plain.finite and other.finite):
        raise not_finite_error(landmarker.card.name)
    back = (other.points * (-1, 1) + (last, 0))[order]
    points = ((plain.points + back) / 2).astype(np.float32)
    box = landmark_box(points)
    distance = float(np.linalg.norm(plain.points - back, axis=1).mean())
    spread = 100 * distance / max((box.width * box.height) ** 0.5, 1e-6)
    confidence = ((plain.confidence + other.confidence[order]) / 2).astype(np.float32)
    return PseudoLabel(points, confidence, spread)
