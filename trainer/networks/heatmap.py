"""The heatmap student: an encoder, a light top-down decoder to stride 4 and a soft-argmax inside the graph."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

import torch
from torch import nn
from torch.nn import functional

from engine.core.records import Choice, Positive, check_fields
from trainer.networks.encoders import OWN_ENCODERS, check_encoder, fold_constants, make_own_encoder
from trainer.networks.folding import Reader
from trainer.networks.mobilenetv2 import PUBLISHED_EXPANSIONS, check_expansions, convolution
from trainer.networks.mobilevit import ACTIVATIONS
from trainer.networks.output import LandmarkOutput, in_float32, map_mean

STRIDES = (4, 8)
# Features stand at strides 4, 8, 16 and 32.
FEATURE_STRIDES = (4, 8, 16, 32)


@dataclass(frozen=True)
class HeatmapShape:
    """The sizes of a heatmap network.

    Attributes:
        points: landmarks K of the scheme.
        encoder_width: width multiplier of MobileNetV2 or MobileViT-v2.
        expansions: hidden channels of MobileNetV2's blocks, stage by stage, as multiples of their inputs.
        decoder_width: channels of the decoder.
        input_size: side S of the square input in pixels, a multiple of 16; of 64 for MobileViT-v2.
        encoder: `mobilenetv2`, `mobilevitv2` or `resnet50`.
        stride: pixels of the input per cell of the heatmaps, 4 or 8.
        activation: of MobileViT-v2's layers: `silu` as published, `hardswish` or `relu6`.
        kind: of network, see `trainer.networks.NETWORKS`.

    Raises:
        UsageError: there is no such encoder, stride or activation, a number is out of its range, there is not one
            expansion for each stage, or the encoder cannot read pictures of that size.
    """

    points: Positive[int] = 68
    encoder_width: float = 1.0
    expansions: tuple[int, ...] = PUBLISHED_EXPANSIONS
    decoder_width: Positive[int] = 64
    input_size: int = 128
    encoder: Annotated[str, Choice(OWN_ENCODERS, "encoder")] = "mobilenetv2"
    stride: Annotated[int, Choice(STRIDES, "heatmap stride")] = 4
    activation: Annotated[str, Choice(tuple(ACTIVATIONS), "activation")] = "silu"
    kind: Literal["heatmap"] = "heatmap"

    def __post_init__(self) -> None:
        check_fields(self)
        check_expansions(self.expansions)
        check_encoder(self.encoder, self.encoder_width, self.input_size)


class FeaturePyramid(nn.Module):
    """Features, each half as wide and high as the one before, to the size of the first: lateral 1x1, sum, smooth.

    Half of an odd size is rounded up.
    """

    def __init__(self, feature_channels: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.laterals = nn.ModuleList(convolution(channels, width) for channels in feature_channels)
        depthwise = partial(convolution, width, width, 3, groups=width)
        self.smooth = nn.ModuleList(
            nn.Sequential(depthwise(), nn.ReLU(), convolution(width, width), nn.ReLU()) for _ in feature_channels[:-1]
        )

    def forward(self, features: list[torch.Tensor]) -> torch.Tensor:
        y = self.laterals[-1](features[-1])
        for level in range(len(features) - 2, -1, -1):
            y = functional.interpolate(y, features[level].shape[2:], mode="bilinear", align_corners=False)
            y = y + self.laterals[level](features[level])
            y = self.smooth[level](y)
        return y

    @property
    def readers(self) -> list[Reader]:
        """The layers that read the features but the deepest."""
        laterals: Any = self.laterals
        return [lateral[0] for lateral in laterals[:-1]]


class HeatmapDecoder(FeaturePyramid):
    """A feature pyramid and one heatmap per point of the first feature's size."""

    def __init__(self, feature_channels: tuple[int, ...], width: int, points: int) -> None:
        super().__init__(feature_channels, width)
        self.predict = nn.Conv2d(width, points, 1)

    def forward(self, features: list[torch.Tensor]) -> torch.Tensor:
        y = super().forward(features)
        with in_float32(y.device):
            return self.predict(y.to(self.predict.weight.dtype))


def cell_centres(height: int, width: int) -> torch.Tensor:
    """Return the centres of a grid's cells, `[height * width, 2]`, x and y in [0, 1]."""
    y, x = torch.meshgrid((torch.arange(height) + 0.5) / height, (torch.arange(width) + 0.5) / width, indexing="ij")
    return torch.stack([x, y], -1).reshape(-1, 2)


class HeatmapNetwork(nn.Module):
    """Encoder, heatmap decoder, soft-argmax at the cells' centres, confidence per point.

    The confidence reads the whole face (mean of the deepest features: pose, covered regions), which the encoder
    learns to tell from it too, and the peak of the point's own heatmap, which its gradient does not change.

    Input `[B, 3, S, S]`, RGB, raw values 0..255.
    """

    def __init__(self, shape: HeatmapShape) -> None:
        super().__init__()
        self.shape = shape
        self.encoder = make_own_encoder(shape.encoder, shape.encoder_width, shape.expansions, shape.activation)
        self.first = FEATURE_STRIDES.index(shape.stride)
        self.decoder = HeatmapDecoder(self.encoder.channels[self.first :], shape.decoder_width, shape.points)
        self.visibility = nn.Linear(self.encoder.channels[-1], shape.points)
        self.peak_weight = nn.Parameter(torch.ones(shape.points))
        side = shape.input_size // shape.stride
        self.register_buffer("cells", cell_centres(side, side), persistent=False)

    def forward(self, images: torch.Tensor) -> LandmarkOutput:
        features = self.encoder(images)
        logits = self.decoder(features[self.first :])
        with in_float32(images.device):
            heatmaps = logits.flatten(2).softmax(-1)
            pooled = map_mean(features[-1].to(self.visibility.weight.dtype))
            confidence = self.visibility(pooled) + self.peak_weight * heatmaps.detach().amax(-1)
            return LandmarkOutput(heatmaps @ self.cells, confidence, logits)

    @property
    def description(self) -> str:
        """What the network is, for its card."""
        return f"{self.encoder.title} encoder, heatmap decoder to stride {self.shape.stride}, soft-argmax"

    def fold_constants(self) -> None:
        """Let layers take up constants and linear layers in front of them; no number changes in evaluation mode."""
        fold_constants(self.encoder, self.laterals)

    @property
    def laterals(self) -> list[Reader | None]:
        """For each feature but the deepest the decoder's layer that reads it, if any does."""
        return [*[None] * self.first, *self.decoder.readers]
