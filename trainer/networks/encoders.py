"""Encoders by name. Each returns features at strides 4, 8, 16 and 32, and has their `channels` and a `title`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from engine.core.errors import UsageError
from trainer.networks.folding import Reader
from trainer.networks.mobilenetv2 import PIXEL_MEAN, PIXEL_STD, PUBLISHED_EXPANSIONS, MobileNetV2, Stem
from trainer.networks.mobilevit import INPUT_MULTIPLE, MobileViTV2
from trainer.networks.timm_models import create_model, flatten_windows

OWN_ENCODERS = ("mobilenetv2", "mobilevitv2", "resnet50")
# Their names in timm, and as they are written. Maps that their windows do not divide are padded.
TIMM_ENCODERS = {
    "swinv2_tiny": ("swinv2_tiny_window8_256", "SwinV2-Tiny"),
    "swinv2_base": ("swinv2_base_window16_256", "SwinV2-Base"),
}
ENCODERS = (*OWN_ENCODERS, *TIMM_ENCODERS)
# Sides of the input that an encoder can read. The last halving of the convolutional ones may round up.
INPUT_MULTIPLES = {"mobilenetv2": 16, "mobilevitv2": INPUT_MULTIPLE, "resnet50": 16, **dict.fromkeys(TIMM_ENCODERS, 32)}
STEM_CHANNELS, STEM_KERNEL, EPSILON = 64, 7, 1e-3  # of ResNet-50
LARGEST_INPUT = 2048  # pixels a side
SMALLEST_WIDTH = 0.0625  # two channels where MobileViT-v2 has 32, half of which its attention reads


def check_encoder(encoder: str, width: float, input_size: int) -> None:
    """Raise `UsageError` unless there can be such an encoder (one of `ENCODERS`).

    Its `width` multiplies the published one, and every layer needs channels; the side `input_size` of its input in
    pixels is halved again and again.
    """
    if not SMALLEST_WIDTH <= width < math.inf:
        raise UsageError(
            f"An encoder cannot be {width} times as wide as the published one",
            "its first layers would have no channel left, or there is no such number",
            f"choose network.encoder_width={SMALLEST_WIDTH} or more",
        )
    multiple = INPUT_MULTIPLES[encoder]
    if input_size > LARGEST_INPUT:
        raise UsageError(
            f"No network here reads pictures of {input_size} pixels",
            f"more than {LARGEST_INPUT} are of no use for one face",
            "choose network.input_size=256",
        )
    if input_size <= 0 or input_size % multiple:
        raise UsageError(
            f"The encoder {encoder} cannot read pictures of {input_size} pixels",
            f"it halves them again and again, so their side has to be a multiple of {multiple}",
            f"choose network.input_size={max(1, round(input_size / multiple)) * multiple}",
        )


class ResNet50(nn.Module):
    """The convolutional part of ResNet-50 (He et al., CVPR 2016, table 1).

    The layers are timm's, in the form of the first release and of Keras: where a block halves the map, its first 1x1
    convolution does so (timm: the 3x3), and the batch norms add 1e-3 to a variance (timm: 1e-5).

    Input `[B, 3, H, W]`, RGB, raw values 0..255, H and W multiples of 16. Output: four features at strides 4, 8,
    16 and 32, whose channel counts are in `channels`.
    """

    title = "ResNet-50"
    channels: tuple[int, ...] = (256, 512, 1024, 2048)

    def __init__(self) -> None:
        super().__init__()
        norm = partial(nn.BatchNorm2d, eps=EPSILON)
        self.stem: nn.Module = Stem(STEM_CHANNELS, nn.ReLU(), STEM_KERNEL, EPSILON)
        body = create_model("resnet50", num_classes=0, norm_layer=norm)
        self.stages = nn.ModuleList((body.layer1, body.layer2, body.layer3, body.layer4))
        for stage in self.stages:
            first: Any = stage.get_submodule("0")
            first.conv1.stride, first.conv2.stride = first.conv2.stride, first.conv1.stride

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        features = []
        # Behind a ReLU a border of zeros never is the largest; and PAD every runtime knows.
        x = functional.max_pool2d(functional.pad(self.stem(x), (1, 1, 1, 1)), 3, 2)
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features


class TimmEncoder(nn.Module):
    """SwinV2 of timm without its classifier; its last feature is normed, as published.

    Args:
        name: one of `TIMM_ENCODERS`.
        input_size: side S of the input, a multiple of 32. A stage no larger than a window is one window.
        pretrained_windows: of each stage, the side of the window by which the places in windows are scaled; 0: that of
            the stage's own. Weights of a smaller input are used to that.

    Input `[B, 3, S, S]`, RGB, raw values 0..255; brought to ImageNet's mean and deviation inside.
    """

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(self, name: str, input_size: int, pretrained_windows: tuple[int, ...] = (0, 0, 0, 0)) -> None:
        super().__init__()
        timm_name, self.title = TIMM_ENCODERS[name]
        self.body = create_model(
            timm_name, num_classes=0, img_size=input_size, pretrained_window_sizes=pretrained_windows
        )
        self.body.head = nn.Identity()
        flatten_windows(self.body)
        self.channels: tuple[int, ...] = tuple(feature["num_chs"] for feature in self.body.feature_info)
        self.register_buffer("mean", torch.tensor(PIXEL_MEAN).reshape(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(PIXEL_STD).reshape(1, 3, 1, 1), persistent=False)

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        pixels = (images - self.mean) / self.deviation
        features: list[torch.Tensor] = self.body.forward_intermediates(pixels, norm=True, intermediates_only=True)
        return features


OwnEncoder = MobileNetV2 | MobileViTV2 | ResNet50
Encoder = OwnEncoder | TimmEncoder


def make_own_encoder(name: str, width: float, expansions: tuple[int, ...], activation: str) -> OwnEncoder:
    """Return one of `OWN_ENCODERS` with random weights; what it has no use for is ignored.

    The `width` multiplies the channels of MobileNetV2, whose stages have the `expansions`, and of MobileViT-v2.
    """
    if name == "resnet50":
        return ResNet50()
    return MobileViTV2(width, activation) if name == "mobilevitv2" else MobileNetV2(width, expansions)


def make_encoder(
    name: str,
    width: float,
    activation: str,
    input_size: int,
    pretrained_windows: tuple[int, ...] = (0, 0, 0, 0),
) -> Encoder:
    """Return one of `ENCODERS` with random weights; what it has no use for is ignored.

    `input_size` is the side of the input of timm's networks in pixels; for the rest see `TimmEncoder` and
    `make_own_encoder`.
    """
    if name in TIMM_ENCODERS:
        return TimmEncoder(name, input_size, pretrained_windows)
    return make_own_encoder(name, width, PUBLISHED_EXPANSIONS, activation)


def fold_constants(encoder: Encoder, laterals: Sequence[Reader | None]) -> None:
    """Let layers take up the constants and linear layers in front of them; no number changes in evaluation mode.

    The first convolution of our encoders then reads raw pixels; MobileViT-v2's norms have no scale and shift, and its
    blocks leave their last layer to what reads them: the encoder, or for each feature but the deepest the layer outside
    of it in `laterals`, if any does.
    """
    if not isinstance(encoder, TimmEncoder):
        assert isinstance(encoder.stem, Stem), "the network was folded before"
        encoder.stem = encoder.stem.folded()
    if isinstance(encoder, MobileViTV2):
        encoder.fold_norms()
        encoder.fold_projections(laterals)
