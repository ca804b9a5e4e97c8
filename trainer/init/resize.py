"""Starting a network from one of another width.

A narrow network gets the channels of a wide one that matter most. A channel's importance is the magnitude of its
batch-norm scale (Liu et al., "Learning efficient convolutional networks through network slimming", ICCV 2017). Channels
that are added to each other (the blocks of a stage, the levels of the decoder) are chosen together by the sum of their
importance.

A wide network computes at first what the narrow one does, whose channels become its first ones. What is new keeps its
random weights, but the old channels do not listen to it yet: their weights for new inputs are 0 (Chen et al.,
"Net2Net", ICLR 2016, in the form in which only the outgoing weights are chosen).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from trainer.networks.heatmap import HeatmapNetwork
from trainer.networks.mobilenetv2 import FEATURE_STAGES, MobileNetV2

# PyTorch's containers do not tell the types of what they hold; these are pairs of convolution and batch norm.
Layer = Any
Channels = torch.Tensor  # indices [n] of the wide layer's channels that the narrow one keeps, ascending


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


def slim_encoder(wide: MobileNetV2, narrow: MobileNetV2) -> Channels:
    """Copy the most important channels of `wide` into `narrow`; return those kept of the last feature."""
    kept = _slim_stem(wide.stem, narrow.stem)
    stages: Iterable[tuple[Layer, Layer]] = zip(wide.stages, narrow.stages, strict=True)
    for wide_stage, narrow_stage in stages:
        projections = [block.layers[-1] for block in wide_stage]
        outputs = most_important([layer[1] for layer in projections], narrow_stage[-1].layers[-1][0].out_channels)
        for wide_block, narrow_block in zip(wide_stage, narrow_stage, strict=True):
            _slim_block(wide_block, narrow_block, kept, outputs)
            kept = outputs
    return kept


def slim_network(wide: HeatmapNetwork, narrow: HeatmapNetwork) -> None:
    """Copy the most important channels of a whole heatmap network, decoder and confidence included."""
    kept = slim_encoder(wide.encoder, narrow.encoder)
    features = []  # the channels kept of each feature that the decoder reads
    for stage, count in zip(FEATURE_STAGES, narrow.encoder.channels, strict=True):
        blocks: Layer = wide.encoder.stages[stage]
        features.append(most_important([block.layers[-1][1] for block in blocks], count))
    _slim_decoder(wide.decoder, narrow.decoder, features)
    with torch.no_grad():
        narrow.visibility.weight.copy_(wide.visibility.weight[:, kept])
        narrow.visibility.bias.data.copy_(wide.visibility.bias)
        narrow.peak_weight.copy_(wide.peak_weight)


def most_important(norms: list[nn.BatchNorm2d], count: int) -> Channels:
    """Return the `count` channels with the largest summed scale over `norms`, ascending."""
    importance = torch.stack([norm.weight.detach().abs() for norm in norms]).sum(0)
    return importance.topk(count).indices.sort().values


def _slim_stem(wide: Layer, narrow: Layer) -> Channels:
    outputs = most_important([wide.norm], narrow.norm.num_features)
    wide_layers, narrow_layers = ((stem.convolution, stem.norm) for stem in (wide, narrow))
    _copy_layer(wide_layers, narrow_layers, outputs, torch.arange(3))
    return outputs


def _slim_block(wide: Layer, narrow: Layer, inputs: Channels, outputs: Channels) -> None:
    wide_layers = [layer for layer in wide.layers if isinstance(layer, nn.Sequential)]
    narrow_layers = [layer for layer in narrow.layers if isinstance(layer, nn.Sequential)]
    hidden = inputs
    if len(wide_layers) == 3:
        hidden = most_important([wide_layers[1][1]], narrow_layers[1][0].out_channels)
        _copy_layer(wide_layers[0], narrow_layers[0], hidden, inputs)
    _copy_layer(wide_layers[-2], narrow_layers[-2], hidden, torch.arange(1))  # depthwise: one input channel each
    _copy_layer(wide_layers[-1], narrow_layers[-1], outputs, hidden)


def _slim_decoder(wide: Layer, narrow: Layer, features: list[Channels]) -> None:
    width = narrow.laterals[0][0].out_channels
    kept = most_important([lateral[1] for lateral in wide.laterals], width)
    for level, inputs in enumerate(features):
        _copy_layer(wide.laterals[level], narrow.laterals[level], kept, inputs)
    for wide_smooth, narrow_smooth in zip(wide.smooth, narrow.smooth, strict=True):
        _copy_layer(wide_smooth[0], narrow_smooth[0], kept, torch.arange(1))
        _copy_layer(wide_smooth[2], narrow_smooth[2], kept, kept)
    with torch.no_grad():
        narrow.predict.weight.copy_(wide.predict.weight[:, kept])
        narrow.predict.bias.copy_(wide.predict.bias)


@torch.no_grad()
def _copy_layer(wide: Layer, narrow: Layer, outputs: Channels, inputs: Channels) -> None:
    (wide_convolution, wide_norm), (convolution, norm) = wide, narrow
    convolution.weight.copy_(wide_convolution.weight[outputs][:, inputs])
    for name in ("weight", "bias", "running_mean", "running_var"):
        getattr(norm, name).copy_(getattr(wide_norm, name)[outputs])
