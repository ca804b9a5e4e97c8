"""The loss of a network: its points by one of three rules, its heatmaps where it has some, and its confidence."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch.nn import functional

from engine.errors import UsageError
from trainer.augment import Batch
from trainer.losses.heatmap import gaussian_cross_entropy, wing
from trainer.losses.kd import KDLoss, kd_terms
from trainer.losses.mean import average_weight
from trainer.networks.output import LandmarkOutput

POINT_LOSSES = ("wing", "l2", "kd")


@dataclass(frozen=True)
class LandmarkLoss:
    """Weights and constants of the loss.

    Attributes:
        points: rule for the points: `wing`; `l2`, the mean square of the published teachers; or `kd`, by `kd`.
        points_weight: weight of the points' term.
        wing_width, wing_epsilon: constants of the Wing loss in units of half a crop side.
        kd: constants of the KD-Loss.
        heatmap_weight: weight of the heatmaps' cross-entropy.
        heatmap_sigma: deviation of the target Gaussian in heatmap cells.
        confidence_weight: weight of the confidence's cross-entropy.

    Raises:
        UsageError: there is no such rule for the points.
    """

    points: str = "wing"
    points_weight: float = 1.0
    wing_width: float = 0.06
    wing_epsilon: float = 0.01
    kd: KDLoss = field(default_factory=KDLoss)
    heatmap_weight: float = 0.02
    heatmap_sigma: float = 1.0
    confidence_weight: float = 0.02

    def __post_init__(self) -> None:
        if self.points not in POINT_LOSSES:
            raise UsageError(
                f"There is no loss “{self.points}” for points",
                f"the losses are: {', '.join(POINT_LOSSES)}",
                "choose one of these",
            )


@dataclass(frozen=True)
class LossTerms:
    """The terms of the loss, each a scalar averaged over what is labelled, and their weighted sum."""

    points: torch.Tensor
    heatmaps: torch.Tensor
    confidence: torch.Tensor
    total: torch.Tensor


def landmark_loss(output: LandmarkOutput, batch: Batch, settings: LandmarkLoss) -> LossTerms:
    """Compare a network's output with a batch's labels and teachers; points without either add nothing."""
    points = _points(output.points, batch, settings)
    heatmaps = _heatmaps(output.heatmap_logits, batch, settings)
    entropy = functional.binary_cross_entropy_with_logits(output.confidence_logits, batch.visible, reduction="none")
    confidence = _mean(entropy, batch.visible_weight)
    total = (
        settings.points_weight * points + settings.heatmap_weight * heatmaps + settings.confidence_weight * confidence
    )
    return LossTerms(points, heatmaps, confidence, total)


def _points(points: torch.Tensor, batch: Batch, settings: LandmarkLoss) -> torch.Tensor:
    if settings.points == "kd":
        return kd_terms(points, batch.points, batch.teachers, batch.trust, batch.labelled, settings.kd).total
    difference = points - batch.points
    if settings.points == "l2":
        return _mean(difference.square().mean(-1), batch.labelled)
    return _mean(wing(difference.abs() * 2, settings.wing_width, settings.wing_epsilon).sum(-1), batch.labelled)


def _heatmaps(logits: torch.Tensor | None, batch: Batch, settings: LandmarkLoss) -> torch.Tensor:
    if logits is None:
        return batch.points.new_zeros(())
    return _mean(gaussian_cross_entropy(logits, batch.points, settings.heatmap_sigma), batch.labelled)


def _mean(values: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    return (values * weights).sum() / average_weight(weights)
