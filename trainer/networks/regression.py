"""Coordinate regression as in Fard & Mahoor (CVIU 2022): an encoder, the mean over its last map, one linear layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from torch import nn

from engine.core.records import BelowOne, Choice, Positive, Range, check_fields
from trainer.networks.encoders import LARGEST_INPUT
from trainer.networks.output import LandmarkOutput, in_float32
from trainer.networks.timm_models import create_model

LARGEST_PIXEL = 255.0
# Names in timm; of these the first convolution can read raw pixels.
ENCODERS = (
    "mobilenetv2_050",
    "mobilenetv2_100",
    "mobilenetv2_140",
    "efficientnet_b0",
    "efficientnet_b3",
    "tf_efficientnet_b3",
)


@dataclass(frozen=True)
class RegressionShape:
    """The sizes of a regression network.

    Attributes:
        points: landmarks K of the scheme.
        encoder: one of `ENCODERS`; the published ones are `mobilenetv2_100` (student) and `efficientnet_b3` (teachers).
        input_size: side S of the square input in pixels; published 224.
        dropout: share of the pooled features that is dropped in training; published 0.5 for teachers, 0 for students.
        kind: of network, see `trainer.networks.NETWORKS`.

    Raises:
        UsageError: there is no such encoder, or a number is out of its range.
    """

    points: Positive[int] = 68
    encoder: Annotated[str, Choice(ENCODERS, "encoder")] = "mobilenetv2_100"
    input_size: Annotated[int, Range(1, LARGEST_INPUT)] = 224
    dropout: BelowOne[float] = 0.0
    kind: Literal["regression"] = "regression"

    def __post_init__(self) -> None:
        check_fields(self)


class RegressionNetwork(nn.Module):
    """Encoder, mean over the map, dropout, linear layer to 2K numbers.

    The numbers are the published target: distance from the centre of the crop, positive towards its top and left, in
    crop sides. The confidence is ours; it reads the same features, and its gradient does not change them.

    Input `[B, 3, S, S]`, RGB, raw values 0..255; scaled to 0..1 inside, as published.
    """

    def __init__(self, shape: RegressionShape) -> None:
        super().__init__()
        self.shape = shape
        self.encoder = create_model(shape.encoder, num_classes=0)
        features = self.encoder.num_features
        self.dropout = nn.Dropout(shape.dropout)
        self.offsets = nn.Linear(features, 2 * shape.points)
        self.visibility = nn.Linear(features, shape.points)
        self.largest_pixel = LARGEST_PIXEL

    def forward(self, images: torch.Tensor) -> LandmarkOutput:
        features = self.encoder(images / self.largest_pixel)
        with in_float32(images.device):
            features = features.to(self.offsets.weight.dtype)
            offsets = self.offsets(self.dropout(features)).unflatten(1, (-1, 2))
            return LandmarkOutput(0.5 - offsets, self.visibility(features.detach()), None)

    @property
    def description(self) -> str:
        """What the network is, for its card."""
        return f"{self.shape.encoder} encoder, mean over its last map, linear layer to coordinates"

    @torch.no_grad()
    def fold_constants(self) -> None:
        """Let the first convolution read raw pixels: its padding is black either way, so no number changes."""
        self.encoder.conv_stem.weight.div_(LARGEST_PIXEL)
        self.largest_pixel = 1.0
