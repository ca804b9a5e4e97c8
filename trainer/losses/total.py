"""The loss of a network: its points by one of five rules, its maps where it has some, its teachers', its confidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import torch
from torch.nn import functional

from engine.core.errors import UsageError
from engine.core.records import Choice, NotNegative, Positive, check_fields
from engine.core.schemes import SCHEMES
from trainer.augment import Batch
from trainer.losses.attention_maps import AttentionLoss, attention_loss
from trainer.losses.basic import gaussian_cross_entropy, weighted_mean, wing
from trainer.losses.eyes import EyesLoss, eyes_loss
from trainer.losses.fard_mahoor import KDLoss, kd_terms, point_distillation
from trainer.losses.heatmap_distillation import HeatmapKD, heatmap_distillation, maps_of
from trainer.losses.star import StarLoss, plain_loss, star_loss
from trainer.losses.views import views_loss
from trainer.networks.output import LandmarkOutput

POINT_LOSSES = ("wing", "l2", "kd", "star", "smooth_l1")


@dataclass(frozen=True)
class LandmarkLoss:
    """Weights and constants of the loss.

    Attributes:
        points: rule for the points: `wing`; `l2`, the mean square of the published teachers; `kd`, by `kd`; `star`, by
            `star`; or `smooth_l1`, which is STAR without its axes and spreads. The distance to the teachers' points,
            with the weight of `kd`, is added to any of them.
        points_weight: weight of the points' term.
        wing_width, wing_epsilon: constants of the Wing loss in units of half a crop side.
        kd: constants of the KD-Loss.
        heatmap_weight: weight of the heatmaps' cross-entropy.
        heatmap_sigma: deviation of the target Gaussian in heatmap cells.
        confidence_weight: weight of the confidence's cross-entropy.
        star: constants of the STAR loss.
        attention: of the loss of point maps and edge maps, where the network has some.
        heatmap_kd: of the distillation of heatmaps.
        eyes: of how far the eyes are open.
        views_weight: of the mean square distance, in percent of the stored crop's side, between what the network sees
            in two views of a face. Unless it is 0, each face of a batch is drawn twice, and changed in two ways.

    Raises:
        UsageError: there is no such rule for the points, or a constant is out of its range.
    """

    points: Annotated[str, Choice(POINT_LOSSES, "loss of points")] = "wing"
    points_weight: NotNegative[float] = 1.0
    wing_width: Positive[float] = 0.06
    wing_epsilon: Positive[float] = 0.01
    kd: KDLoss = field(default_factory=KDLoss)
    heatmap_weight: NotNegative[float] = 0.02
    heatmap_sigma: Positive[float] = 1.0
    confidence_weight: NotNegative[float] = 0.02
    star: StarLoss = field(default_factory=StarLoss)
    attention: AttentionLoss = field(default_factory=AttentionLoss)
    heatmap_kd: HeatmapKD = field(default_factory=HeatmapKD)
    eyes: EyesLoss = field(default_factory=EyesLoss)
    views_weight: NotNegative[float] = 0.0

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def views(self) -> int:
        """How many rows in a row of a batch are of one face."""
        return 2 if self.views_weight else 1

    @property
    def learns_from_teachers(self) -> bool:
        """Whether a term of the loss compares with teachers."""
        assists = self.points == "kd" and (self.kd.tough.weight != 0 or self.kd.tolerant.weight != 0)
        return assists or self.kd.point_distillation_weight != 0 or self.heatmap_kd.is_on


@dataclass(frozen=True)
class LossTerms:
    """The terms of the loss, each a scalar averaged over what is labelled, and their weighted sum.

    The terms of attention maps (already weighted), heatmap distillation, eyes and two views are 0 where there is none.
    """

    points: torch.Tensor
    heatmaps: torch.Tensor
    confidence: torch.Tensor
    attention: torch.Tensor
    heatmap_kd: torch.Tensor
    eyes: torch.Tensor
    views: torch.Tensor
    total: torch.Tensor


def landmark_loss(output: LandmarkOutput, batch: Batch, settings: LandmarkLoss) -> LossTerms:
    """Compare a network's output with a batch's labels and teachers; points without either add nothing.

    Raises:
        UsageError: the loss needs heatmaps, and the network or its teachers give none.
    """
    points = _points(output, batch, settings)
    heatmaps = attention = heatmap_kd = eyes = views = points.new_zeros(())
    if (logits := output.heatmap_logits) is not None:
        entropies = gaussian_cross_entropy(logits, batch.points, settings.heatmap_sigma)
        heatmaps = weighted_mean(entropies, batch.labelled)
    entropy = functional.binary_cross_entropy_with_logits(output.confidence_logits, batch.visible, reduction="none")
    confidence = weighted_mean(entropy, batch.visible_weight)
    if output.attention is not None:
        attention = attention_loss(output.attention, batch.points, batch.labelled, settings.attention)
    if settings.heatmap_kd.is_on:
        heatmap_kd = heatmap_distillation(maps_of(output), batch.teacher_maps, settings.heatmap_kd)
    scheme = SCHEMES.get(output.points.shape[1])
    if settings.views_weight and scheme:
        views = views_loss(output.points, batch.to_crop, batch.labelled, scheme)
    if settings.eyes.weight and scheme:
        eyes = eyes_loss(output.points, batch.points, batch.labelled, batch.eyes_open, scheme, settings.eyes)
    total = (
        settings.points_weight * points
        + settings.heatmap_weight * heatmaps
        + settings.confidence_weight * confidence
        + attention
        + settings.heatmap_kd.weight * heatmap_kd
        + settings.eyes.weight * eyes
        + settings.views_weight * views
    )
    return LossTerms(points, heatmaps, confidence, attention, heatmap_kd, eyes, views, total)


def _points(output: LandmarkOutput, batch: Batch, settings: LandmarkLoss) -> torch.Tensor:
    if settings.points == "kd":
        teachers = batch.teachers, batch.teacher_confidence
        return kd_terms(output.points, batch.points, *teachers, batch.labelled, settings.kd).total
    loss = weighted_mean(_point_losses(output, batch.points, settings), batch.labelled)
    if weight := settings.kd.point_distillation_weight:
        loss = loss + weight * point_distillation(output.points[:, None], batch.teachers, batch.teacher_confidence)
    return loss


def _point_losses(output: LandmarkOutput, truth: torch.Tensor, settings: LandmarkLoss) -> torch.Tensor:
    """Return the loss `[B, K]` of each point by its own rule."""
    if settings.points == "star":
        return star_loss(_maps(output), truth, settings.star)
    if settings.points == "smooth_l1":
        return plain_loss(output.points, truth, settings.star.scale)
    difference = output.points - truth
    if settings.points == "l2":
        return difference.square().mean(-1)
    return wing(difference.abs() * 2, settings.wing_width, settings.wing_epsilon).sum(-1)


def _maps(output: LandmarkOutput) -> torch.Tensor:
    maps = maps_of(output)
    if maps is None:
        raise no_maps_for_star()
    return maps


def no_maps_for_star() -> UsageError:
    """Return the error of a network that regresses coordinates, on which the STAR loss is wanted."""
    return UsageError(
        "The STAR loss cannot be had of this network",
        "it needs heatmaps, and this one regresses coordinates",
        "set loss.points=smooth_l1, or take a recipe of a network with heatmaps",
    )
