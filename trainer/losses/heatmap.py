"""Parts of the heatmap networks' loss: Wing on the points, cross-entropy of the heatmaps."""

from __future__ import annotations

import math

import torch
from torch.nn import functional


def wing(distance: torch.Tensor, width: float, epsilon: float) -> torch.Tensor:
    """Return the Wing loss of distances >= 0 (Feng et al., CVPR 2018, equation 5): logarithmic below `width`."""
    constant = width - width * math.log1p(width / epsilon)
    return torch.where(distance < width, width * torch.log1p(distance / epsilon), distance - constant)


def gaussian_cross_entropy(logits: torch.Tensor, points: torch.Tensor, sigma: float) -> torch.Tensor:
    """Return the cross-entropy `[B, K]` of heatmaps to Gaussians around the points.

    Args:
        logits: `[B, K, H, W]`; softmax over the cells gives the heatmap.
        points: `[B, K, 2]` in [0, 1].
        sigma: deviation of the Gaussian in cells.
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
