"""Hong & Lin's networks (arXiv 2404.06029): an encoder, a neck to larger maps, and the anisotropic attention module.

The teacher's neck is of transposed convolutions. The published student's only repeats each cell of its deepest map, so
its maps of 64x64 are maps of 8x8; ours reads the features of all strides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from torch import nn
from torch.nn import functional

from engine.core.errors import UsageError
from engine.core.records import Choice, NotNegative, Positive, check_fields
from engine.core.schemes import EDGES
from trainer.networks.anisotropic_attention import AnisotropicAttention, AttentionMaps, of_sum_one
from trainer.networks.encoders import ENCODERS, check_encoder, fold_constants, make_encoder
from trainer.networks.heatmap import FEATURE_STRIDES, FeaturePyramid, cell_centres
from trainer.networks.mobilevit import ACTIVATIONS
from trainer.networks.output import LandmarkOutput, in_float32, map_mean

NECKS = {"transposed": "transposed convolutions", "pyramid": "feature pyramid", "repeat": "repeated cells"}
MAP_STRIDE, DEEPEST_STRIDE = FEATURE_STRIDES[0], FEATURE_STRIDES[-1]
NOISE = 0.1


@dataclass(frozen=True)
class StarShape:
    """The sizes of a network with an anisotropic attention module.

    Attributes:
        points: landmarks K of the scheme.
        encoder: one of `trainer.networks.encoders.ENCODERS`.
        encoder_width: width multiplier of MobileNetV2 or MobileViT-v2.
        activation: of MobileViT-v2's layers: `silu` as published, `hardswish` or `relu6`.
        neck: `transposed`, `pyramid` or `repeat`.
        channels: of the neck's output, which the heads read.
        attention: whether there are point maps and edge maps; without them the softmax of the heatmaps counts.
        input_size: side S of the square input in pixels, a multiple of 32; of 64 for MobileViT-v2; of 16 for
            MobileNetV2 and ResNet-50 with the neck `pyramid`.
        pretrained_windows: of SwinV2, see `trainer.networks.encoders.TimmEncoder`; those of the published weights are
            12, 12, 12 and 6.
        kind: of network, see `trainer.networks.NETWORKS`.

    Raises:
        UsageError: there is no such encoder, neck or activation, no edges are known of so many points, a number is out
            of its range, or the encoder cannot read pictures of that size.
    """

    points: Annotated[int, Choice(tuple(EDGES), "markup with edges")] = 68
    encoder: Annotated[str, Choice(ENCODERS, "encoder")] = "swinv2_tiny"
    encoder_width: float = 1.0
    activation: Annotated[str, Choice(tuple(ACTIVATIONS), "activation")] = "silu"
    neck: Annotated[str, Choice(tuple(NECKS), "neck")] = "transposed"
    channels: Positive[int] = 256
    attention: bool = True
    input_size: int = 256
    pretrained_windows: tuple[NotNegative[int], NotNegative[int], NotNegative[int], NotNegative[int]] = (0, 0, 0, 0)
    kind: Literal["star"] = "star"

    def __post_init__(self) -> None:
        check_fields(self)
        check_encoder(self.encoder, self.encoder_width, self.input_size)
        if self.neck != "pyramid" and self.input_size % DEEPEST_STRIDE:
            raise UsageError(
                f"The neck {self.neck} cannot make maps for pictures of {self.input_size} pixels",
                f"it begins with cells of {DEEPEST_STRIDE} pixels, so their side has to be a multiple of that",
                f"choose network.input_size={max(1, round(self.input_size / DEEPEST_STRIDE)) * DEEPEST_STRIDE}",
            )


class TransposedNeck(nn.Module):
    """The deepest feature to maps of eight times its side: 1x1, then transposed convolutions of stride 4 and 2.

    In training noise is added to what they read, a regulariser of the published network. There it is added to every
    picture; we leave it out once trained, for it only makes points tremble.
    """

    def __init__(self, feature_channels: tuple[int, ...], channels: int) -> None:
        super().__init__()
        self.align = nn.Conv2d(feature_channels[-1], channels, 1)
        self.upsample = nn.Sequential(*_transposed(channels, 6, 4), *_transposed(channels, 4, 2))

    def forward(self, features: list[torch.Tensor]) -> torch.Tensor:
        y = self.align(features[-1])
        if self.training:
            y = y + NOISE * torch.randn_like(y)
        return self.upsample(y)


def _transposed(channels: int, kernel: int, stride: int) -> tuple[nn.Module, ...]:
    layer = nn.ConvTranspose2d(channels, channels, kernel, stride, padding=1, bias=False)
    return layer, nn.BatchNorm2d(channels), UnfusedReLU()


class UnfusedReLU(nn.Module):
    """ReLU as a difference, which no converter draws into the layer before it.

    Transposed convolutions with an activation inside are unknown to runtimes of 2022.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x - x.clamp(max=0)


class DeepestFeature(nn.Module):
    """The deepest feature as it is, by 1x1 to another number of channels where need be."""

    def __init__(self, feature_channels: tuple[int, ...], channels: int) -> None:
        super().__init__()
        inputs = feature_channels[-1]
        self.align = nn.Identity() if inputs == channels else nn.Conv2d(inputs, channels, 1)

    def forward(self, features: list[torch.Tensor]) -> torch.Tensor:
        return self.align(features[-1])


class PlainHead(nn.Module):
    """Features to the logits of one heatmap per point, for the comparison without attention."""

    def __init__(self, channels: int, points: int) -> None:
        super().__init__()
        self.heatmaps = nn.Conv2d(channels, points, 1)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.heatmaps(features)


class StarNetwork(nn.Module):
    """Encoder, neck, heads, and each point as the mean of its map.

    The neck `repeat` is the published student's. Repeating a cell and reading each copy by itself commutes with
    1x1 convolutions, with norms over the map and with means over its cells. So the heads read each cell once, and only
    the maps that are learned from are repeated: nothing of it is left in an export.

    The confidence of a point is that of `trainer.networks.heatmap.HeatmapNetwork`, but its gradient changes nothing
    else.

    Input `[B, 3, S, S]`, RGB, raw values 0..255.
    """

    cells: torch.Tensor

    def __init__(self, shape: StarShape) -> None:
        super().__init__()
        self.shape = shape
        sizes = shape.encoder_width, shape.activation, shape.input_size
        self.encoder = make_encoder(shape.encoder, *sizes, shape.pretrained_windows)
        neck = {"transposed": TransposedNeck, "pyramid": FeaturePyramid, "repeat": DeepestFeature}[shape.neck]
        self.decoder = neck(self.encoder.channels, shape.channels)
        head = AnisotropicAttention if shape.attention else PlainHead
        self.head = head(shape.channels, shape.points)
        self.visibility = nn.Linear(self.encoder.channels[-1], shape.points)
        self.peak_weight = nn.Parameter(torch.ones(shape.points))
        self.repeats = DEEPEST_STRIDE // MAP_STRIDE if shape.neck == "repeat" else 1
        side = shape.input_size // MAP_STRIDE // self.repeats
        self.register_buffer("cells", cell_centres(side, side), persistent=False)

    def forward(self, images: torch.Tensor) -> LandmarkOutput:
        features = self.encoder(images)
        neck = self.decoder(features)
        with in_float32(images.device):
            kind = self.visibility.weight.dtype
            maps = self.head(neck.to(kind))
            # Heatmaps [B, K, H * W], whose cells sum to 1.
            attended = isinstance(maps, AttentionMaps)
            heatmaps = of_sum_one(maps.fused.flatten(2)) if attended else maps.flatten(2).softmax(-1)
            # A repeated cell's share of the map is divided among its copies.
            peaks = heatmaps.detach().amax(-1) / self.repeats**2
            pooled = map_mean(features[-1].detach().to(kind))
            confidence = self.visibility(pooled) + self.peak_weight * peaks
            points = heatmaps @ self.cells
            if attended:
                return LandmarkOutput(points, confidence, None, AttentionMaps(*map(self._repeated, maps)))
            return LandmarkOutput(points, confidence, self._repeated(maps))

    def _repeated(self, maps: torch.Tensor) -> torch.Tensor:
        return maps if self.repeats == 1 else functional.interpolate(maps, scale_factor=float(self.repeats))

    @property
    def description(self) -> str:
        """What the network is, for its card."""
        head = "anisotropic attention" if self.shape.attention else "heatmaps"
        return f"{self.encoder.title} encoder, {NECKS[self.shape.neck]}, {head}, soft-argmax"

    def fold_constants(self) -> None:
        """Let layers take up constants and linear layers in front of them; no number changes in evaluation mode."""
        unread = [None] * (len(self.encoder.channels) - 1)
        fold_constants(self.encoder, self.decoder.readers if isinstance(self.decoder, FeaturePyramid) else unread)
