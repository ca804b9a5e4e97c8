"""Pairing the faces that two models found on one frame or one found with the truth, and the landmarks' distance."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.core.faces import Face
from engine.core.frame import Truth
from engine.core.geometry import landmark_box
from engine.core.metrics import interocular_distance

SAME_FACE = 0.5  # eye distances between the centres of two boxes up to which they count as the same face


def shared_points(first: Face, second: Face) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the landmarks of two faces that mark the same places: all of one scheme, else the 68 shared points.

    Faces of two schemes must both have at least the 68 points of iBUG.
    """
    if first.scheme is second.scheme:
        return first.landmarks, second.landmarks
    return first.as_68(), second.as_68()


def eye_distance(face: Face) -> float:
    """Return the distance of the outer eye corners in pixels."""
    return interocular_distance(face.scheme, face.landmarks)


def paired(first: Sequence[Face], second: Sequence[Face]) -> list[tuple[Face, Face]]:
    """Return the faces that both models found: each of the first with the nearest of the second, if it is near.

    Faces whose schemes share no points are left out.
    """
    pairs: list[tuple[Face, Face]] = []
    free = list(second)
    for face in first:
        comparable = [
            other for other in free if face.scheme is other.scheme or (face.scheme.has_68 and other.scheme.has_68)
        ]
        nearest = min(comparable, key=lambda other: _distance(face, other), default=None)
        if nearest is not None and _distance(face, nearest) <= SAME_FACE * eye_distance(face):
            pairs.append((face, nearest))
            free.remove(nearest)
    return pairs


def true_face(faces: Sequence[Face], truth: Truth) -> Face | None:
    """Return the face whose landmark box overlaps that of the ground truth most; None if none does: it was missed."""
    box = landmark_box(truth.points)
    best = max(faces, key=lambda face: face.box.overlap(box), default=None)
    return best if best is not None and best.box.overlap(box) > 0 else None


def face_distance(first: Face, second: Face) -> float:
    """Return the mean distance of the shared points in percent of the mean eye distance of both."""
    ours, theirs = shared_points(first, second)
    eyes = (eye_distance(first) + eye_distance(second)) / 2
    return float(np.linalg.norm(ours - theirs, axis=1).mean()) * 100 / max(eyes, 1.0)


def _distance(first: Face, second: Face) -> float:
    return math.dist(first.box.centre, second.box.centre)
