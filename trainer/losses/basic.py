"""Losses that several networks share: Wing, Adaptive Wing and cross-entropy of heatmaps; and their weighted means."""

from __future__ import annotations

import math

import torch
from torch import distributed
from torch.nn import functional

# Adaptive Wing, as published: steepness, error from which the loss is linear, and two that shape its curve below.
OMEGA, THETA, EPSILON, ALPHA = 14.0, 0.5, 1.0, 2.1
# Its weighted map: cells within one of a target this bright count 1 + 10 times.
BRIGHT, EXTRA = 0.2, 10.0


def wing(distance: torch.Tensor, width: float, epsilon: float) -> torch.Tensor:
    """Return the Wing loss of distances >= 0 (Feng et al., CVPR 2018, equation 5): logarithmic below `width`."""
    constant = width - width * math.log1p(width / epsilon)
    return torch.where(distance < width, width * torch.log1p(distance / epsilon), distance - constant)


def adaptive_wing(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return the Adaptive Wing loss `[B, K, H, W]` of cells in [0, 1], weighted by the map of bright cells.

    Strict where the target is bright, lenient in the dark: Wang et al., "Adaptive Wing Loss for Robust Face Alignment
    via Heatmap Regression", ICCV 2019, with its weighted map. The target gets no gradient.
    """
    target = target.detach()
    return adaptive_wing_cell((predicted - target).abs(), target) * brightness_weight(target)


def adaptive_wing_cell(distance: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return the loss of distances >= 0 from targets in [0, 1]: logarithmic below `THETA`, then linear, without a jump.

    omega ln(1 + (d / epsilon)^(alpha - y)) goes over into its tangent.
    """
    power = ALPHA - target
    ratio = (THETA / EPSILON) ** power
    slope = OMEGA * power * ratio / (THETA * (1 + ratio))
    near = OMEGA * torch.log1p((distance / EPSILON) ** power)
    return torch.where(distance < THETA, near, OMEGA * torch.log1p(ratio) + slope * (distance - THETA))


def brightness_weight(target: torch.Tensor) -> torch.Tensor:
    """Return 11 for cells that are bright or touch one that is, and 1 for the others, in the target's shape."""
    return 1 + EXTRA * (functional.max_pool2d(target, 3, stride=1, padding=1) >= BRIGHT)


def gaussian_cross_entropy(logits: torch.Tensor, points: torch.Tensor, sigma: float) -> torch.Tensor:
    """Return the cross-entropy `[B, K]` of heatmaps to Gaussians around the points `[B, K, 2]` in [0, 1].

    The softmax of `logits` `[B, K, H, W]` over the cells is the heatmap; `sigma` is in cells.
    """
    height, width = logits.shape[-2:]
    across = _gaussian(points[..., 0] * width, width, sigma)
    down = _gaussian(points[..., 1] * height, height, sigma)
    # Both factors sum to 1, so the logarithm of the softmax splits into the mean logit and the normaliser.
    mean_logit = (torch.einsum("bkhw,bkw->bkh", logits, across) * down).sum(-1)
    return logits.flatten(2).logsumexp(-1) - mean_logit


def _gaussian(centre: torch.Tensor, cells: int, sigma: float) -> torch.Tensor:
    place = torch.arange(cells, device=centre.device) + 0.5
    return functional.softmax(-((place - centre[..., None]) ** 2) / (2 * sigma**2), -1)


def average_weight(weights: torch.Tensor) -> torch.Tensor:
    """Return the sum of a batch's weights for each process, at least 1 in all, by which a sum becomes a mean.

    Processes may hold different numbers of labels. Divided by what one of them holds on average, the mean of the
    processes' losses, and so of their gradients, is that of the whole batch, to the last label. Every process has to
    call this in the same order, with the weights of its rows, numbers >= 0 or booleans of any shape.
    """
    total = weights.sum()
    if not (distributed.is_available() and distributed.is_initialized()):
        return total.clamp(min=1)
    distributed.all_reduce(total)
    return total.clamp(min=1) / distributed.get_world_size()


def weighted_mean(values: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return the mean of finite values by weights >= 0 of the same shape, over all processes."""
    return (values * weights).sum() / average_weight(weights)


def mean_of(values: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
    """Return the mean of the values whose `counted` is true, over all processes; the others may be NaN."""
    return torch.where(counted, values, 0).sum() / average_weight(counted)
