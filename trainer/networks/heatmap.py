"""The heatmap student: an encoder, a light top-down decoder to stride 4 and a soft-argmax inside the graph."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from trainer.networks.mobilenetv2 import PUBLISHED_EXPANSIONS, MobileNetV2, Stem, convolution
from trainer.networks.output import LandmarkOutput
from trainer.networks.precision import in_float32

HEATMAP_STRIDE = 4


@dataclass(frozen=True)
class HeatmapShape:
    """The sizes of a heatmap network.

    Attributes:
        points: landmarks K of the scheme.
        encoder_width: width multiplier of MobileNetV2.
        expansions: hidden channels of the encoder's blocks, stage by stage, as multiples of their inputs.
        decoder_width: channels of the decoder.
        input_size: side S of the square input in pixels, a multiple of 32.
    """

    points: int = 68
    encoder_width: float = 1.0
    expansions: tuple[int, ...] = PUBLISHED_EXPANSIONS
    decoder_width: int = 64
    input_size: int = 128


class SeparableConvolution(nn.Sequential):
    """3x3 depthwise and 1x1 convolution, each with batch norm and ReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__(
            convolution(channels, channels, 3, groups=channels), nn.ReLU(), convolution(channels, channels), nn.ReLU()
        )


class HeatmapDecoder(nn.Module):
    """Features at strides 4..32 to one heatmap per point at stride 4: lateral 1x1, sum top-down, smooth, predict."""

    def __init__(self, feature_channels: tuple[int, ...], width: int, points: int) -> None:
        super().__init__()
        self.laterals = nn.ModuleList(convolution(channels, width) for channels in feature_channels)
        self.smooth = nn.ModuleList(SeparableConvolution(width) for _ in feature_channels[:-1])
        self.predict = nn.Conv2d(width, points, 1)

    def forward(self, features: list[torch.Tensor]) -> torch.Tensor:
        y = self.laterals[-1](features[-1])
        for level in range(len(features) - 2, -1, -1):
            y = functional.interpolate(y, scale_factor=2.0, mode="bilinear", align_corners=False)
            y = y + self.laterals[level](features[level])
            y = self.smooth[level](y)
        with in_float32(y.device):
            return self.predict(y.to(self.predict.weight.dtype))


def cell_centres(height: int, width: int) -> torch.Tensor:
    """Return the centres of a grid's cells, `[height * width, 2]`, x and y in [0, 1]."""
    y, x = torch.meshgrid((torch.arange(height) + 0.5) / height, (torch.arange(width) + 0.5) / width, indexing="ij")
    return torch.stack([x, y], -1).reshape(-1, 2)


class HeatmapNetwork(nn.Module):
    """MobileNetV2 encoder, heatmap decoder, soft-argmax at the cells' centres, confidence per point.

    The confidence looks at the whole face (mean of the deepest features: pose, covered regions) and at the
    point's own heatmap (its peak); the heatmap itself is not changed by the confidence's gradient.

    Input `[B, 3, S, S]`, RGB, raw values 0..255.
    """

    def __init__(self, shape: HeatmapShape) -> None:
        super().__init__()
        self.shape = shape
        self.encoder = MobileNetV2(shape.encoder_width, shape.expansions)
        self.decoder = HeatmapDecoder(self.encoder.channels, shape.decoder_width, shape.points)
        self.visibility = nn.Linear(self.encoder.channels[-1], shape.points)
        self.peak_weight = nn.Parameter(torch.ones(shape.points))
        side = shape.input_size // HEATMAP_STRIDE
        self.register_buffer("cells", cell_centres(side, side), persistent=False)

    def forward(self, images: torch.Tensor) -> LandmarkOutput:
        features = self.encoder(images)
        logits = self.decoder(features)
        with in_float32(images.device):
            heatmaps = logits.flatten(2).softmax(-1)
            pooled = features[-1].to(self.visibility.weight.dtype).mean((2, 3))
            confidence = self.visibility(pooled) + self.peak_weight * heatmaps.detach().amax(-1)
            return LandmarkOutput(heatmaps @ self.cells, confidence, logits)

    @property
    def description(self) -> str:
        """What the network is, for its card."""
        return f"MobileNetV2 encoder, heatmap decoder to stride {HEATMAP_STRIDE}, soft-argmax"

    def fold_pixel_scaling(self) -> None:
        """Let the first convolution read raw pixels; no number changes in evaluation mode."""
        stem = self.encoder.stem
        assert isinstance(stem, Stem), "the network was folded before"
        self.encoder.stem = stem.folded()
