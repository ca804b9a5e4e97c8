"""The weights a run starts from."""

from __future__ import annotations

from pathlib import Path

import torch

from engine.errors import UsageError
from trainer.checkpoint import read_checkpoint
from trainer.networks.growing import grow_network, is_wider
from trainer.networks.heatmap import HeatmapNetwork, HeatmapShape
from trainer.networks.pretrained import imagenet_mobilenetv2
from trainer.networks.slimming import slim_encoder, slim_network

# Starts that need no former run, as a model's card tells them.
FRESH_STARTS = {"imagenet": "ImageNet weights of the encoder", "random": "random weights"}


def make_network(shape: HeatmapShape, start: str, seed: int) -> HeatmapNetwork:
    """Return a network ready for training.

    Args:
        shape: its sizes.
        start: `random`; `imagenet`, for the encoder; or the path of a checkpoint of the same network, a wider or a
            narrower one.
        seed: of the random weights.

    Raises:
        UsageError: the weights named by `start` cannot be had.
    """
    torch.manual_seed(seed)
    network = HeatmapNetwork(shape)
    if start == "imagenet":
        slim_encoder(imagenet_mobilenetv2(), network.encoder)
    elif start != "random":
        if not Path(start).is_file():
            raise UsageError(
                f"The weights to start from, {start}, are not there",
                f"this recipe goes on where the run {Path(start).parent.name} ended, seen from the current folder",
                f"run “understudy train {Path(start).parent.name}” first, or choose with --set start=imagenet",
            )
        given = load_network(Path(start))
        if is_wider(network, given):
            grow_network(given, network)
        else:
            slim_network(given, network)
    return network


def load_network(path: Path) -> HeatmapNetwork:
    """Return the network of a checkpoint with its averaged weights.

    Raises:
        UsageError: the file is no checkpoint of a heatmap network.
    """
    checkpoint = read_checkpoint(path)
    try:
        sizes = checkpoint.recipe["shape"]
        network = HeatmapNetwork(HeatmapShape(**{**sizes, "expansions": tuple(sizes["expansions"])}))
        network.load_state_dict(checkpoint.ema)
    except (LookupError, TypeError, RuntimeError) as error:
        raise UsageError(
            f"The checkpoint {path} holds another network ({str(error).partition(chr(10))[0]})",
            "it was made by another version of this program",
            "give a checkpoint of this version, or train again",
        ) from error
    return network.eval()
