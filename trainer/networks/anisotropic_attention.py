"""The anisotropic attention module: heatmaps, point maps and edge maps, fused (Huang et al., ADNet, ICCV 2021).

A point's heatmap is multiplied by its own point map and by the maps of the edges it lies on. So the fused map is
narrow across an edge and may be long along it, which is where annotators disagree.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from engine.core.schemes import EDGES, Contour

NORM_EPSILON = 1e-5
# Guards the division by the sum of a map that is 0 all over, as published.
SMALLEST_SUM = 1e-6


class AttentionMaps(NamedTuple):
    """The maps of K points and E edges.

    Attributes:
        fused: `[B, K, H, W]`, at least 0; divided by their sum they are heatmaps.
        points: `[B, K, H, W]` in (0, 1), high around each point.
        edges: `[B, E, H, W]` in (0, 1), high along each edge, in the order of `engine.core.schemes.EDGES`.
    """

    fused: torch.Tensor
    points: torch.Tensor
    edges: torch.Tensor


def of_sum_one(cells: torch.Tensor) -> torch.Tensor:
    """Return cells `[..., N]` >= 0 divided by their sum, as heatmaps are; where all are 0 they stay so."""
    return cells / cells.sum(-1, keepdim=True).clamp(min=SMALLEST_SUM)


class AnisotropicAttention(nn.Module):
    """Features `[B, C, H, W]` to attention maps by three 1x1 convolutions.

    Args:
        channels: C.
        points: K, of a scheme that has edges.
    """

    membership: torch.Tensor
    alone: torch.Tensor

    def __init__(self, channels: int, points: int) -> None:
        super().__init__()
        edges = EDGES[points]
        # The norm that follows would take a bias away.
        self.heatmaps = nn.Conv2d(channels, points, 1, bias=False)
        self.points = nn.Conv2d(channels, points, 1)
        self.edges = nn.Conv2d(channels, len(edges), 1)
        membership, alone = edge_membership(edges, points)
        self.register_buffer("membership", membership[:, :, None, None], persistent=False)
        self.register_buffer("alone", alone, persistent=False)

    def forward(self, features: torch.Tensor) -> AttentionMaps:
        heatmaps = torch.relu(instance_norm(self.heatmaps(features)))
        points = torch.sigmoid(self.points(features))
        edges = torch.sigmoid(self.edges(features))
        around = functional.conv2d(edges, self.membership, self.alone)
        return AttentionMaps(heatmaps * points * around, points, edges)


def edge_membership(edges: tuple[Contour, ...], points: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return which point lies on which edge, `[K, E]` of 0 and 1, and `[K]`, 1 for points on no edge."""
    membership = torch.zeros(points, len(edges))
    for column, edge in enumerate(edges):
        membership[list(edge.points), column] = 1
    return membership, (membership.sum(1) == 0).float()


def instance_norm(maps: torch.Tensor) -> torch.Tensor:
    """Return maps `[B, K, H, W]` with mean 0 and variance 1 each; written out, for it is exported."""
    centred = maps - maps.mean((2, 3), keepdim=True)
    return centred * torch.rsqrt((centred * centred).mean((2, 3), keepdim=True) + NORM_EPSILON)
