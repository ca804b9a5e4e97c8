"""The loss of a network's attention: its point maps and edge maps by Adaptive Wing, as in ADNet and Hong & Lin.

The targets are Gaussians around the points and blurred lines along the edges. Hong & Lin (ICME 2024) and ADNet paint
them on the picture and shrink it to the map by bilinear sampling. Here they are reckoned in the map, the whole batch at
once. What differs:
- A point's Gaussian stands at its exact place (published: at a whole pixel) and is not cut off at three deviations.
- An edge is a Catmull-Rom spline (published: a cubic spline, whose every part depends on all points) and blurred as the
  points are (published: a line of one pixel, which the shrinking breaks into dots).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from engine.core.records import NotNegative, Positive, check_fields
from engine.core.schemes import EDGES, Contour
from trainer.losses.basic import adaptive_wing, weighted_mean
from trainer.networks.anisotropic_attention import AttentionMaps
from trainer.on_device import constant

# Bilinear shrinking to a quarter reads the two middle ones of four pixels: so far from the cell's centre, in cells.
READ_AT = (-0.125, 0.125)
# Exponent at which a Gaussian ends: next to nothing, and its products are still numbers that a processor is quick with.
DARKNESS = 40.0
# Pieces of an edge between two points: short beside the blur, for the largest steps along the jaw in maps of 64 cells.
PIECES = 16
# Each row, times 1, t, t², t³, is the weight of one of four points in the spline between the middle two.
CATMULL_ROM = ((0.0, -0.5, 1.0, -0.5), (1.0, 0.0, -2.5, 1.5), (0.0, 0.5, 2.0, -1.5), (0.0, 0.0, -0.5, 0.5))


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
        settings: weights and deviation of the targets.
    """
    height, width = maps.points.shape[-2:]
    edges = EDGES[points.shape[1]]
    point_losses = adaptive_wing(maps.points, point_maps(points, height, width, settings.sigma)).mean((-2, -1))
    edge_losses = adaptive_wing(maps.edges, edge_maps(points, edges, height, width, settings.sigma)).mean((-2, -1))
    point_loss = weighted_mean(point_losses, labelled)
    edge_loss = weighted_mean(edge_losses, known_edges(labelled, edges))
    return settings.points_weight * point_loss + settings.edges_weight * edge_loss


def point_maps(points: torch.Tensor, height: int, width: int, sigma: float) -> torch.Tensor:
    """Return Gaussians `[B, K, height, width]` around the points `[B, K, 2]` in [0, 1] of the crop, at most 1.

    The points are finite; `height`, `width` and the deviation `sigma` are in cells.
    """
    across = _profile(points[..., 0] * width, width, sigma)
    down = _profile(points[..., 1] * height, height, sigma)
    return down[..., :, None] * across[..., None, :]


def edge_maps(points: torch.Tensor, edges: Sequence[Contour], height: int, width: int, sigma: float) -> torch.Tensor:
    """Return blurred lines `[B, E, height, width]` along E edges through points, at most 1; units as `point_maps`."""
    in_cells = points * constant((width, height), points.device)
    lines = [(in_cells[:, constant(edge.points, points.device)], edge.closed) for edge in edges]
    return torch.stack([_edge_map(line, closed, height, width, sigma) for line, closed in lines], 1)


def known_edges(labelled: torch.Tensor, edges: Sequence[Contour]) -> torch.Tensor:
    """Return 1 for edges `[B, E]` all of whose points have a label `[B, K]`, else 0: where others run is not known."""
    return torch.stack([labelled[:, constant(edge.points, labelled.device)].amin(1) for edge in edges], 1)


def spline(points: torch.Tensor, closed: bool) -> torch.Tensor:
    """Return the Catmull-Rom spline through points `[B, P, 2]`, at least two, `PIECES` steps from each to the next.

    It has `[B, P * PIECES + 1, 2]` of a closed line, `[B, (P - 1) * PIECES + 1, 2]` of an open one; the ends included.
    """
    if closed:
        around = torch.cat([points[:, -1:], points, points[:, :2]], 1)
    else:  # an end goes on as it comes from its neighbour
        before, after = 2 * points[:, :1] - points[:, 1:2], 2 * points[:, -1:] - points[:, -2:-1]
        around = torch.cat([before, points, after], 1)
    time = torch.arange(PIECES, device=points.device, dtype=points.dtype) / PIECES
    powers = torch.stack([time**power for power in range(4)])
    weights = constant(CATMULL_ROM, points.device).to(points.dtype) @ powers
    line = torch.einsum("bsci,it->bstc", around.unfold(1, 4, 1), weights).flatten(1, 2)
    return torch.cat([line, around[:, -2:-1]], 1)


def _edge_map(points: torch.Tensor, closed: bool, height: int, width: int, sigma: float) -> torch.Tensor:
    """Return the map `[B, height, width]` of an edge through `points` `[B, P, 2]` in cells.

    The sum of Gaussians along a line, each times the length of its piece, is a ridge whose section is the Gaussian
    itself times sigma * sqrt(2 pi).
    """
    line = spline(points, closed)
    pieces, middles = line.diff(dim=1).norm(dim=-1), (line[:, 1:] + line[:, :-1]) / 2
    across = _profile(middles[..., 0], width, sigma)
    down = _profile(middles[..., 1], height, sigma) * pieces[..., None]
    # Where two parts of the line come close, as at a shut eye, the ridges add up; no edge is more than there.
    return (down.transpose(1, 2) @ across / (sigma * math.sqrt(2 * math.pi))).clamp(max=1)


def _profile(places: torch.Tensor, cells: int, sigma: float) -> torch.Tensor:
    """Return Gaussians `[..., cells]` around `places` `[...]` in cells, as bilinear shrinking would read them."""
    centres = torch.arange(cells, device=places.device, dtype=places.dtype) + 0.5
    distance = centres - places[..., None]
    profiles = [((distance + offset) ** 2 / (2 * sigma**2)).clamp(max=DARKNESS).neg().exp() for offset in READ_AT]
    return (profiles[0] + profiles[1]) / 2
