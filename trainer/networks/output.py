"""What every landmark network says, whatever it is made of."""

from __future__ import annotations

from typing import NamedTuple

import torch

from trainer.networks.anisotropic_attention import AttentionMaps


class LandmarkOutput(NamedTuple):
    """What a network says of a batch of crops (a tuple, because Fabric walks through what networks return).

    Attributes:
        points: `[B, K, 2]` float, x and y in [0, 1] of the crop; 0 and 1 are the crop's edges.
        confidence_logits: `[B, K]` float; their sigmoid is the confidence that a point can be seen.
        heatmap_logits: `[B, K, H, W]` float, whose softmax over the cells is the heatmap; None from a network that
            regresses coordinates or has attention maps.
        attention: the maps of a network with an anisotropic attention module; its points are the means of the fused
            maps.
    """

    points: torch.Tensor
    confidence_logits: torch.Tensor
    heatmap_logits: torch.Tensor | None
    attention: AttentionMaps | None = None
