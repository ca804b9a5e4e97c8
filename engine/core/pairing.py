"""Pairing the faces that two models found on one frame or one found with the truth, and the landmarks' distance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.core.faces import Face
from engine.core.frame import Truth
from engine.core.geometry import landmark_box
from engine.core.metrics import interocular_distance, nme
from engine.core.schemes import Scheme, common_scheme

SAME_FACE = 0.5  # eye distances between the centres of two boxes up to which they count as the same face


@dataclass(frozen=True)
class SharedPoints:
    """The points that mark the same places in a reference, the truth or another face, and in a face.

    Attributes:
        scheme: their markup.
        reference, points: [K, 2] pixels.
    """

    scheme: Scheme
    reference: NDArray[np.float32]
    points: NDArray[np.float32]

    @property
    def eye_distance(self) -> float:
        """The distance of the reference's outer eye corners in pixels."""
        return interocular_distance(self.scheme, self.reference)

    @property
    def nme(self) -> float:
        """The mean distance in percent of the reference's outer eye corners."""
        return nme(self.scheme, self.points, self.reference)


def shared_points(reference: Face | Truth, face: Face) -> SharedPoints:
    """Return all points of a common markup, else the 68 of iBUG.

    Raises:
        ValueError: one of two markups lacks the 68 points.
    """
    scheme = common_scheme(reference.scheme, face.scheme)
    if scheme is None:
        raise ValueError(f"{reference.scheme.points} and {face.scheme.points} points share none")
    at = reference.points if isinstance(reference, Truth) else reference.landmarks
    return SharedPoints(scheme, reference.scheme.points_in(scheme, at), face.scheme.points_in(scheme, face.landmarks))


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
        comparable = [other for other in free if common_scheme(face.scheme, other.scheme)]
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


def beside_truth(truth: Truth, faces: Sequence[Face]) -> SharedPoints | None:
    """Return the points of the true face; None where it was missed and where its markup shares no points with it."""
    face = true_face(faces, truth)
    return shared_points(truth, face) if face is not None and common_scheme(truth.scheme, face.scheme) else None


def face_distance(first: Face, second: Face) -> float:
    """Return the mean distance of the shared points in percent of the mean eye distance of both."""
    shared = shared_points(first, second)
    eyes = (eye_distance(first) + eye_distance(second)) / 2
    return float(np.linalg.norm(shared.reference - shared.points, axis=1).mean()) * 100 / max(eyes, 1.0)


def _distance(first: Face, second: Face) -> float:
    return math.dist(first.box.centre, second.box.centre)
