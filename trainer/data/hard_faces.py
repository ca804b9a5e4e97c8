"""Faces that students find hard, by their labels: heads turned to the side, and closed eyes."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from engine.core.schemes import Scheme
from engine.inference.head_pose import FACE_MODEL, RIGID_POINTS, angles
from trainer.augment import Faces
from trainer.losses.eyes import eye_sizes

TURNED_YAW = 35.0  # degrees
# Aspect ratio of an eye below which it counts as closed; people draw the lids of closed eyes a little apart.
CLOSED_RATIO = 0.15
# Points of the rigid face model that a pose takes at least, and the least that is seen of a depth: as a share of the
# model's size, the smallest singular value of its points.
FEWEST_POINTS, LEAST_DEPTH = 5, 0.05


def draw_weights(faces: Faces, scheme: Scheme, turned: float, closed: float) -> torch.Tensor:
    """Return factors `[N]` float64 on how often faces are drawn: `turned`, `closed`, or their product, and else 1."""
    weights = torch.ones(len(faces.points), dtype=torch.float64)
    weights[are_turned(faces.points, scheme)] *= turned
    weights[are_closed(faces, scheme)] *= closed
    return weights


def are_turned(points: torch.Tensor, scheme: Scheme) -> torch.Tensor:
    """Return which faces `[N]` are turned by more than `TURNED_YAW`; `points` `[N, K, 2]`, NaN without a label."""
    if not scheme.as_68:
        return torch.zeros(len(points), dtype=torch.bool)
    rigid = points[:, [scheme.as_68[index] for index in RIGID_POINTS]].numpy()
    return torch.tensor([abs(yaw_of(face)) > TURNED_YAW for face in rigid])


def yaw_of(points: NDArray[np.floating]) -> float:
    """Return the yaw in degrees of a head seen from far away, by its `RIGID_POINTS` `[11, 2]`, NaN without a label.

    It is 0 where there are too few of them.
    """
    known = np.isfinite(points).all(-1)
    if known.sum() < FEWEST_POINTS:
        return 0.0
    model = FACE_MODEL[known] - FACE_MODEL[known].mean(0)
    if np.linalg.svd(model, compute_uv=False)[-1] < LEAST_DEPTH * np.linalg.norm(model) / np.sqrt(len(model)):
        return 0.0
    linear = np.linalg.lstsq(model, points[known] - points[known].mean(0), rcond=None)[0].T
    # The two orthogonal rows nearest to what was found, and the third that makes them a rotation.
    left, _, right = np.linalg.svd(linear, full_matrices=False)
    rows = left @ right
    return angles(np.vstack([rows, np.cross(*rows)]))[0]


def are_closed(faces: Faces, scheme: Scheme) -> torch.Tensor:
    """Return which faces `[N]` have their eyes closed, by what is known of their state or by their labels."""
    closed = faces.eyes_open == 0
    if scheme.as_68:
        heights, widths = eye_sizes(faces.points, scheme)
        closed |= (heights / widths).nanmean(1) < CLOSED_RATIO
    return closed
