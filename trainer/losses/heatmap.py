"""The heatmap student's loss: Wing on the points, cross-entropy of the heatmaps, cross-entropy of the confidence."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch.nn import functional

from trainer.augment import Batch
from trainer.networks.heatmap import LandmarkOutput


@dataclass(frozen=True)
class HeatmapLoss:
    """Weights and constants of the loss.

    Attributes:
        wing_width, wing_epsilon: constants of the Wing loss in units of half a crop side.
        heatmap_weight: weight of the heatmaps' cross-entropy.
        heatmap_sigma: deviation of the target Gaussian in heatmap cells.
        confidence_weight: weight of the confidence's cross-entropy.
    """

    wing_width: float = 0.06
    wing_epsilon: float = 0.01
    heatmap_weight: float = 0.02
    heatmap_sigma: float = 1.0
    confidence_weight: float = 0.02


@dataclass(frozen=True)
class LossTerms:
    """The terms of the loss, each a scalar averaged over what is labelled, and their weighted sum."""

    points: torch.Tensor
    heatmaps: torch.Tensor
    confidence: torch.Tensor
    total: torch.Tensor


def heatmap_loss(output: LandmarkOutput, batch: Batch, settings: HeatmapLoss) -> LossTerms:
    """Compare a network's output with a batch's labels; points without a label add nothing."""
    distance = (output.points - batch.points).abs() * 2
    labelled = batch.labelled
    points = _mean(wing(distance, settings.wing_width, settings.wing_epsilon).sum(-1), labelled)
    heatmaps = _mean(gaussian_cross_entropy(output.heatmap_logits, batch.points, settings.heatmap_sigma), labelled)
    entropy = functional.binary_cross_entropy_with_logits(output.confidence_logits, batch.visible, reduction="none")
    confidence = _mean(entropy, batch.visible_weight)
    total = points + settings.heatmap_weight * heatmaps + settings.confidence_weight * confidence
    return LossTerms(points, heatmaps, confidence, total)


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


def _mean(values: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    return (values * weights).sum() / weights.sum().clamp(min=1)
