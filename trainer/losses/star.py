"""STAR loss: the error along the axes of a point's heatmap, each divided by how far the heatmap spreads along it.

Zhou et al., "STAR Loss: Reducing Semantic Ambiguity in Facial Landmark Detection", CVPR 2023, in the second form of the
code that its authors released. Where people disagree about a point, mostly along a contour, the heatmap spreads, and an
error counts less that way. The spreads themselves are part of the loss, or they would grow to make the rest small.

All lengths are in half sides of the crop, -1 and 1 being its edges. The released code lets its grid of cells reach from
edge to edge; here a cell stands for its centre, as in the networks' soft-argmax.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch

from engine.core.records import NotNegative, Positive, check_fields
from trainer.networks.anisotropic_attention import of_sum_one

# Guards against division by nothing: of a map's unbiased weight, as published, and under the square root, where
# Hong & Lin's code has ten times what Zhou et al. have.
SMALLEST_WEIGHT, SMALLEST_EIGENVALUE = 1e-5, 1e-4
# Ours: a gap of the eigenvalues below this is rounding, and says nothing of a direction.
SMALLEST_GAP = 1e-5


@dataclass(frozen=True)
class StarLoss:
    """Constants of the STAR loss, as published.

    Attributes:
        scale: half sides of the crop below which the smooth L1 loss is quadratic.
        spread_weight: weight of the eigenvalues of the heatmap's covariance.

    Raises:
        UsageError: a constant is out of its range.
    """

    scale: Positive[float] = 0.01
    spread_weight: NotNegative[float] = 1.0

    def __post_init__(self) -> None:
        check_fields(self)


class Moments(NamedTuple):
    """Mean `[B, K, 2]` of heatmaps and the covariance's entries `[B, K]`, in half sides and their squares."""

    mean: torch.Tensor
    across: torch.Tensor
    mixed: torch.Tensor
    down: torch.Tensor


def star_loss(heatmaps: torch.Tensor, points: torch.Tensor, settings: StarLoss) -> torch.Tensor:
    """Return the STAR loss `[B, K]` of each point; the gradient goes through spreads and axes too.

    Heatmaps are `[B, K, H, W]`, >= 0 of any sum, the labels `points` `[B, K, 2]` in [0, 1] of the crop, finite.
    """
    moments = moments_of(heatmaps)
    squares = squared_projections(moments, points * 2 - 1 - moments.mean)
    # Rounding may leave an eigenvalue or a square a little below 0.
    spread = (eigenvalues(moments).clamp(min=0) + SMALLEST_EIGENVALUE).sqrt()
    error = smooth_l1_of_squares(squares.clamp(min=0), settings.scale) / spread
    # No eigenvalue of a covariance is negative, so the sum of their magnitudes is the trace.
    return error.sum(-1) + settings.spread_weight * (moments.across + moments.down)


def plain_loss(estimates: torch.Tensor, points: torch.Tensor, scale: float) -> torch.Tensor:
    """Return what STAR is without its axes and spreads, `[B, K]`: the smooth L1 loss of x plus that of y.

    Estimates and points are `[B, K, 2]` in [0, 1] of the crop; `scale` is in half sides of it, as in `StarLoss`.
    """
    return smooth_l1_of_squares((2 * (estimates - points)).square(), scale).sum(-1)


def smooth_l1_of_squares(squares: torch.Tensor, scale: float) -> torch.Tensor:
    """Return r² / (2 scale) where |r| < scale and |r| - scale / 2 elsewhere, from the squares r² >= 0."""
    distance = squares.clamp(min=scale**2).sqrt()  # the square root has no slope at 0, so it must not be asked there
    return torch.where(squares < scale**2, squares / (2 * scale), distance - scale / 2)


def moments_of(heatmaps: torch.Tensor) -> Moments:
    """Return mean and unbiased covariance of heatmaps `[B, K, H, W]` >= 0; a map without any weight has 0 for both."""
    height, width = heatmaps.shape[-2:]
    share = of_sum_one(heatmaps.flatten(2)).view_as(heatmaps)
    columns, rows = share.sum(-2), share.sum(-1)
    x, y = _centres(width, share), _centres(height, share)
    mean = torch.stack([columns @ x, rows @ y], -1)
    right, below = x - mean[..., :1], y - mean[..., 1:]
    # Unbiased weight V1 - V2 / V1 of a mean over weighted cells, with the published guards.
    first, second = share.sum((-2, -1)) + SMALLEST_WEIGHT, share.square().sum((-2, -1)) + SMALLEST_WEIGHT
    weight = (first - second / first).clamp(min=SMALLEST_WEIGHT)
    across = (columns * right.square()).sum(-1) / weight
    down = (rows * below.square()).sum(-1) / weight
    mixed = (torch.einsum("bkhw,bkw->bkh", share, right) * below).sum(-1) / weight
    return Moments(mean, across, mixed, down)


def eigenvalues(moments: Moments) -> torch.Tensor:
    """Return the covariance's eigenvalues `[B, K, 2]`, the larger one first: (trace ± gap) / 2."""
    trace, gap = moments.across + moments.down, _gap(moments)
    return torch.stack([trace + gap, trace - gap], -1) / 2


def squared_projections(moments: Moments, errors: torch.Tensor) -> torch.Tensor:
    """Return the squares `[B, K, 2]` of the components of errors `[B, K, 2]` along the axes of `eigenvalues`.

    With t the angle of the first axis, cos 2t = (across - down) / gap, sin 2t = 2 mixed / gap and
    (e · v)² = (|e|² ± (cos 2t (x² - y²) + sin 2t 2xy)) / 2: no eigenvector is needed, nor its sign. Where the heatmap
    spreads alike in all directions, there are no axes, and both components get half of the square.
    """
    x, y = errors.unbind(-1)
    anisotropy = (moments.across - moments.down) * (x.square() - y.square()) + 4 * moments.mixed * x * y
    difference, length = anisotropy / _gap(moments), x.square() + y.square()
    return torch.stack([length + difference, length - difference], -1) / 2


def _gap(moments: Moments) -> torch.Tensor:
    """Return the difference of the eigenvalues `[B, K]`."""
    return ((moments.across - moments.down).square() + 4 * moments.mixed.square() + SMALLEST_GAP**2).sqrt()


def _centres(cells: int, like: torch.Tensor) -> torch.Tensor:
    return (torch.arange(cells, device=like.device, dtype=like.dtype) + 0.5) * (2 / cells) - 1
