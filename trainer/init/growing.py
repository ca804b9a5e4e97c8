"""Starting a wide network from a narrow one without changing what it computes.

The narrow network's channels become the first ones of the wide network. What is new keeps its random weights, but the
old channels do not listen to it yet: their weights for new inputs are 0 (Chen et al., "Net2Net", ICLR 2016, in the
form in which only the outgoing weights are chosen).
"""

from __future__ import annotations

import torch
from torch import nn

from trainer.networks.heatmap import HeatmapNetwork


@torch.no_grad()
def grow_network(narrow: HeatmapNetwork, wide: HeatmapNetwork) -> None:
    """Copy `narrow` into `wide`, no tensor of which may be smaller; at the same input size the points stay the same."""
    given = narrow.state_dict()
    for name, tensor in wide.state_dict().items():
        old = given[name]
        if tensor.ndim == 0:
            continue
        kept = tensor[: len(old)]
        if tensor.ndim > 1:
            kept.zero_()
        kept[tuple(slice(size) for size in old.shape)] = old


def fits_into(small: nn.Module, large: nn.Module) -> bool:
    """Tell whether both have the same tensors, none of which is larger in `small`."""
    given, wanted = small.state_dict(), large.state_dict()
    if given.keys() != wanted.keys():
        return False
    return all(x <= y for name in given for x, y in zip(given[name].shape, wanted[name].shape, strict=True))
