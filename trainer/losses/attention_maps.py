"""The loss of a network's attention: its point maps and edge maps by Adaptive Wing, as in ADNet and Hong & Lin."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from engine.core.records import NotNegative, Positive, check_fields
from engine.core.schemes import EDGES
from trainer.losses.basic import adaptive_wing, weighted_mean
from trainer.losses.target_maps import edge_maps, known_edges, point_maps
from trainer.networks.anisotropic_attention import AttentionMaps


@dataclass(frozen=True)
class AttentionLoss:
    """Weights and constants of the attention's loss.

    Attributes:
        points_weight, edges_weight: weights of point maps and edge maps, as published.
        sigma: deviation of the targets in cells. Published are 1.5 pixels of 4 a cell, around whole pixels; a little
            more leaves a bright cell also to a point in the corner of four.

    Raises:
        UsageError: a constant is out of its range.
    """

    points_weight: NotNegative[float] = 10.0
    edges_weight: NotNegative[float] = 10.0
    sigma: Positive[float] = 0.4

    def __post_init__(self) -> None:
        check_fields(self)


def attention_loss(
    maps: AttentionMaps, points: torch.Tensor, labelled: torch.Tensor, settings: AttentionLoss
) -> torch.Tensor:
    """Return the weighted loss of point maps and edge maps, means over the cells of what is labelled.

    Args:
        maps: of the network.
        points: `[B, K, 2]` in [0, 1] of the crop, finite.
        labelled: `[B, K]`, 1 where there is a label; edges count where all of their points have one.
        settings: the constants.
    """
    height, width = maps.points.shape[-2:]
    edges = EDGES[points.shape[1]]
    point_targets = point_maps(points, height, width, settings.sigma)
    edge_targets = edge_maps(points, edges, height, width, settings.sigma)
    point_losses = adaptive_wing(maps.points, point_targets).mean((-2, -1))
    edge_losses = adaptive_wing(maps.edges, edge_targets).mean((-2, -1))
    point_loss = weighted_mean(point_losses, labelled)
    edge_loss = weighted_mean(edge_losses, known_edges(labelled, edges))
    return settings.points_weight * point_loss + settings.edges_weight * edge_loss
