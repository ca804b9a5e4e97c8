"""MobileNetV2 as an encoder: features at strides 4, 8, 16 and 32 (Sandler et al., CVPR 2018, table 2).

The layers stand in the order of the common ImageNet checkpoints of this network, so that such a
checkpoint loads tensor by tensor (see `trainer.init.pretrained`). The published stage of 320
channels and the classifier's 1x1 convolution are left out: at 4x4 cells they cost 0.2 ms and teach
a landmark network nothing that the stage of 160 channels does not already hold.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

from engine.core.errors import UsageError
from trainer.networks.folding import scale_and_shift
from trainer.networks.output import in_float32

# Output channels at width 1, repetitions, stride of the first repetition.
STAGES = ((16, 1, 1), (24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2))
PUBLISHED_EXPANSIONS = (1, 6, 6, 6, 6, 6)
STEM_CHANNELS = 32
# Stages after which a stride ends, counted from 0: their outputs are the features at strides 4, 8, 16, 32.
FEATURE_STAGES = (1, 2, 4, 5)
# ImageNet's channel means and deviations in raw pixel values 0..255, RGB.
PIXEL_MEAN = (123.675, 116.28, 103.53)
PIXEL_STD = (58.395, 57.12, 57.375)


def scaled_channels(channels: int, width: float) -> int:
    """Return `channels` times `width`, rounded to a multiple of 8 and never below 90 % of the exact product."""
    rounded = max(8, int(channels * width + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels * width else rounded


def check_expansions(expansions: tuple[int, ...]) -> None:
    """Raise `UsageError` unless there is a number above 0 for each stage."""
    if len(expansions) != len(STAGES) or min(expansions) < 1:
        raise UsageError(
            f"The expansions {list(expansions)} fit no MobileNetV2",
            f"it has {len(STAGES)} stages, and each needs a whole number above 0",
            f"write for instance network.expansions={json.dumps(PUBLISHED_EXPANSIONS)}",
        )


def convolution(inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Return a convolution without bias and its batch norm."""
    kind: type[nn.Conv2d] = StridedDepthwise if stride > 1 and groups > 1 else nn.Conv2d
    return nn.Sequential(
        kind(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(outputs)
    )


class StridedDepthwise(nn.Conv2d):
    """A depthwise convolution with a stride that on a CPU computes in float32 under autocast too.

    There PyTorch takes up to thirty times as long for its gradient in bfloat16, a third of a whole step.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.device.type != "cpu":
            return super().forward(x)
        with in_float32(x.device):
            return super().forward(x.to(self.weight.dtype)).to(x.dtype)


class InvertedResidual(nn.Module):
    """Expand by 1x1, filter by 3x3 depthwise, project by 1x1; added to the input where the shapes agree."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        stride: int,
        expansion: int,
        activation: Callable[[], nn.Module] = nn.ReLU6,
    ) -> None:
        super().__init__()
        hidden = inputs * expansion
        layers: list[nn.Module] = []
        if expansion != 1:
            layers += [convolution(inputs, hidden), activation()]
        layers += [convolution(hidden, hidden, 3, stride, groups=hidden), activation()]
        layers += [convolution(hidden, outputs)]
        self.layers = nn.Sequential(*layers)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.layers(x)
        return x + y if self.residual else y

    @property
    def expanding(self) -> nn.Conv2d:
        """The 1x1 convolution that reads the input, of a block that expands."""
        convolution = self.layers[0].get_submodule("0")
        assert isinstance(convolution, nn.Conv2d)
        return convolution


class Stem(nn.Module):
    """Raw RGB pixels 0..255 to features at stride 2: normalisation, convolution, batch norm, activation.

    The picture is padded with black *before* it is normalised. So `folded` can move the normalisation into
    the convolution's weights without changing a number: on one CPU thread it costs twice the convolution.
    """

    def __init__(
        self, outputs: int, activation: nn.Module | None = None, kernel: int = 3, epsilon: float = 1e-5
    ) -> None:
        super().__init__()
        self.border = kernel // 2
        self.convolution = nn.Conv2d(3, outputs, kernel, 2, bias=False)
        self.norm = nn.BatchNorm2d(outputs, epsilon)
        self.activation = activation or nn.ReLU6()
        self.register_buffer("mean", torch.tensor(PIXEL_MEAN).reshape(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(PIXEL_STD).reshape(1, 3, 1, 1), persistent=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        padded = functional.pad(images, [self.border] * 4)
        return self.activation(self.norm(self.convolution((padded - self.mean) / self.deviation)))

    @torch.no_grad()
    def folded(self) -> nn.Sequential:
        """Return the same function, in evaluation mode, as one convolution of raw pixels and the activation."""
        scale, shift = scale_and_shift(self.norm)
        weight = self.convolution.weight * scale.reshape(-1, 1, 1, 1)
        folded = nn.Conv2d(3, weight.shape[0], self.convolution.kernel_size[0], 2, padding=self.border)
        folded.weight.copy_(weight / self.deviation)
        folded.bias.copy_(shift - (weight * (self.mean / self.deviation)).sum((1, 2, 3)))
        return nn.Sequential(folded, self.activation)


class MobileNetV2(nn.Module):
    """The convolutional part of MobileNetV2 up to its stage of 160 channels.

    Args:
        width: multiplier of all channel counts; 1.0 is the published network.
        expansions: for each stage, hidden channels of a block as a multiple of its inputs.

    Input `[B, 3, H, W]`, RGB, raw values 0..255, H and W multiples of 16. Output: four features at strides 4, 8,
    16 and 32, whose channel counts are in `channels`.
    """

    title = "MobileNetV2"

    def __init__(self, width: float = 1.0, expansions: tuple[int, ...] = PUBLISHED_EXPANSIONS) -> None:
        super().__init__()
        inputs = scaled_channels(STEM_CHANNELS, width)
        self.stem: nn.Module = Stem(inputs)
        self.stages = nn.ModuleList()
        for expansion, (channels, repetitions, stride) in zip(expansions, STAGES, strict=True):
            outputs = scaled_channels(channels, width)
            blocks = []
            for index in range(repetitions):
                blocks.append(InvertedResidual(inputs, outputs, stride if index == 0 else 1, expansion))
                inputs = outputs
            self.stages.append(nn.Sequential(*blocks))
        self.channels = tuple(scaled_channels(STAGES[stage][0], width) for stage in FEATURE_STAGES)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        features = []
        x = self.stem(x)
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index in FEATURE_STAGES:
                features.append(x)
        return features
