"""The loss of two views of one face: however a face is framed, its points are the same."""

from __future__ import annotations

import torch

from engine.core.schemes import Scheme
from trainer.losses.basic import weighted_mean
from trainer.on_device import constant


def views_loss(points: torch.Tensor, to_crop: torch.Tensor, labelled: torch.Tensor, scheme: Scheme) -> torch.Tensor:
    """Return the mean square distance between two views' points, in percent of the stored crop's side.

    Args:
        points: the network's, `[B, K, 2]` in [0, 1] of the window; rows 2n and 2n + 1 are of one face.
        to_crop: see `Batch`.
        labelled: `[B, K]`, 1 where a point has a label in the window; what either view lacks does not count.
        scheme: of the points.
    """
    (right_x, down_x), (right_y, down_y) = (row.unbind(1) for row in to_crop[:, :, :2].unbind(1))
    mirrored = right_x * down_y < down_x * right_y  # a negative determinant
    moved = ((2 * points - 1) @ to_crop[:, :, :2].mT + to_crop[:, None, :, 2]) / 2
    order = constant(tuple(scheme.mirror), points.device)
    moved = torch.where(mirrored[:, None, None], moved[:, order], moved)
    known = torch.where(mirrored[:, None], labelled[:, order], labelled)
    squares = (100 * (moved[0::2] - moved[1::2])).square().sum(-1)
    return weighted_mean(squares, known[0::2] * known[1::2])
