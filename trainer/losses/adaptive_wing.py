"""Adaptive Wing loss of maps: strict where the target is bright, lenient in the dark.

Wang et al., "Adaptive Wing Loss for Robust Face Alignment via Heatmap Regression", ICCV 2019, with its weighted map.
"""

from __future__ import annotations

import torch
from torch.nn import functional

# Published: steepness, the error from which the loss is linear, and the two that shape its curve below.
OMEGA, THETA, EPSILON, ALPHA = 14.0, 0.5, 1.0, 2.1
# The weighted map: cells within one of a target this bright count 1 + 10 times.
BRIGHT, EXTRA = 0.2, 10.0


def adaptive_wing(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return the Adaptive Wing loss of each cell, weighted by the map of bright cells.

    Args:
        predicted: `[B, K, H, W]` in [0, 1].
        target: likewise; gets no gradient.
    """
    target = target.detach()
    return curve((predicted - target).abs(), target) * brightness_weight(target)


def curve(distance: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
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
