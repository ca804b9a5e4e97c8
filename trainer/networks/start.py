"""The weights a run starts from."""

from __future__ import annotations

from pathlib import Path

import torch

from trainer.checkpoint import read_checkpoint
from trainer.networks.heatmap import HeatmapNetwork, HeatmapShape
from trainer.networks.pretrained import imagenet_mobilenetv2
from trainer.networks.slimming import slim_encoder, slim_network


def make_network(shape: HeatmapShape, start: str, seed: int) -> HeatmapNetwork:
    """Return a network ready for training.

    Args:
        shape: its sizes.
        start: `random`; `imagenet`, for the encoder; or the path of a checkpoint of the same network or a wider one.
        seed: of the random weights.

    Raises:
        UsageError: the weights named by `start` cannot be had.
    """
    torch.manual_seed(seed)
    network = HeatmapNetwork(shape)
    if start == "imagenet":
        slim_encoder(imagenet_mobilenetv2(), network.encoder)
    elif start != "random":
        slim_network(load_network(Path(start)), network)
    return network


def load_network(path: Path) -> HeatmapNetwork:
    """Return the network of a checkpoint with its averaged weights.

    Raises:
        UsageError: the file is no checkpoint of a heatmap network.
    """
    checkpoint = read_checkpoint(path)
    sizes = checkpoint.recipe["shape"]
    network = HeatmapNetwork(HeatmapShape(**{**sizes, "expansions": tuple(sizes["expansions"])}))
    network.load_state_dict(checkpoint.ema)
    return network.eval()
