"""Starting a wide network from a narrow one without changing what it computes.

The narrow network's channels become the first ones of the wide network. What is new keeps its random weights, but the
old channels do not listen to it yet: their weights for new inputs are 0 (Chen et al., "Net2Net", ICLR 2016, in the
form in which only the outgoing weights are chosen).
"""

from __future__ import annotations

import torch

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


def is_wider(one: HeatmapNetwork, other: HeatmapNetwork) -> bool:
    """Tell whether every tensor of `one` has at least the size of the same tensor of `other`, and one has more."""
    pairs = [(a.shape, b.shape) for a, b in zip(one.parameters(), other.parameters(), strict=True)]
    return all(x >= y for a, b in pairs for x, y in zip(a, b, strict=True)) and any(a != b for a, b in pairs)
