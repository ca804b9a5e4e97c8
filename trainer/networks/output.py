"""What every landmark network returns, whatever it is made of, and that its points are computed in float32."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import torch
from torch.nn import functional

from trainer.networks.anisotropic_attention import AttentionMaps


class LandmarkOutput(NamedTuple):
    """What a network returns for a batch of crops (a tuple, because Fabric walks through what networks return).

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


def in_float32(device: torch.device) -> AbstractContextManager[object]:
    """Return a context without autocast; an empty one where it is off already, so that traced networks stay plain.

    bfloat16 has 8 significant bits: a coordinate of 0.9 would be rounded to a quarter of a pixel of a crop of 128.
    What enters the context has to be cast to the type of the weights.
    """
    if torch.is_autocast_enabled(device.type):
        return torch.autocast(device.type, enabled=False)
    return nullcontext()


def map_mean(maps: torch.Tensor) -> torch.Tensor:
    """Return the means `[B, C]` of maps `[B, C, H, W]`, as an operator before which the export transposes no map."""
    return functional.adaptive_avg_pool2d(maps, 1).flatten(1)
