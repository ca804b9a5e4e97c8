"""MobileViT-v2 as an encoder: features at strides 4, 8, 16 and 32 (Mehta & Rastegari, arXiv 2206.02680).

It is written so that the network that is trained is the network that is exported. The published block cuts a map into
patches of 2x2 pixels and lets the pixels of the same place in their patches attend to each other: a tensor of rank 6
and its transposes. But its attention only sums over such pixels, and all else is done pixel by pixel. So the map
stays a map `[B, H, W, C]`, the sums run over views of rank 4, and only the attention's weights, one channel, are ever
transposed. No number changes by that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch import nn

from trainer.networks.folding import Reader, fold_projection, read_through
from trainer.networks.mobilenetv2 import InvertedResidual, Stem, convolution

# Output channels at width 1, as published, and attention units of the last three stages.
STEM_CHANNELS = 32
STAGE_CHANNELS = (64, 128, 256, 384, 512)
UNITS = (2, 4, 3)
EXPANSION = 2
PATCH = 2
Activation = Callable[[], nn.Module]
# On one CPU thread ReLU6 is free, because it is part of the convolution before it.
ACTIVATIONS: dict[str, Activation] = {"silu": nn.SiLU, "hardswish": nn.Hardswish, "relu6": nn.ReLU6}
# The deepest map, at stride 32, is cut into patches of 2x2.
INPUT_MULTIPLE = 64


class MapNorm(nn.Module):
    """Norm over all values of a face's map `[B, H, W, C]` to mean 0 and deviation 1.

    It is written out because a converted group norm is a chain of reshapes.
    """

    epsilon = 1e-5

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        centred = x - _map_mean(x)
        return centred * torch.rsqrt(_map_mean(centred * centred) + self.epsilon)


class WholeMapNorm(MapNorm):
    """The same, then a scale and a shift per channel: a group norm of one group."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.to(self.weight.dtype)  # also under autocast: squares of bfloat16 lose too much
        return super().forward(x) * self.weight + self.bias

    def folded(self, *readers: Reader) -> MapNorm:
        """Let the layers that read this norm's output do its scale and shift, and return what is left of it."""
        for reader in readers:
            read_through(reader, torch.diag(self.weight), self.bias)
        return MapNorm()


def _map_mean(x: torch.Tensor) -> torch.Tensor:
    return x.mean((1, 2), keepdim=True).mean(3, keepdim=True)


class SeparableAttention(nn.Module):
    """Separable self-attention among the pixels `[B, H, W, C]` of the same place in their 2x2 patches.

    One score per pixel, softmax over its place's pixels; the sum of the keys so weighted is the context; each pixel's
    rectified value is multiplied by it. The weights sum to 1 and a key is an affine function of its pixel, so the
    key of the weighted sum of the pixels is that context: four keys are computed instead of one per pixel.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query = nn.Linear(channels, 1)
        self.key = nn.Linear(channels, channels)
        self.value = nn.Linear(channels, channels)
        self.output = nn.Linear(channels, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, height, width, channels = x.shape
        rows = height // PATCH
        # Axes: row of patches, row in the patch, column of patches, column in the patch with the channels.
        view = (batch * rows, PATCH, width // PATCH, PATCH * channels)
        weighted = (x * _softmax_over_patches(self.query(x))).reshape(view).sum(2)
        pooled = weighted.reshape(batch, rows, PATCH, PATCH * channels).sum(1)
        context = self.key(pooled.reshape(batch, PATCH, PATCH, channels)).reshape(batch, PATCH, 1, PATCH * channels)
        if batch > 1:  # a single face's context broadcasts by itself, without an operator in the export
            context = context.repeat_interleave(rows, 0)
        attended = torch.relu(self.value(x)).reshape(view) * context
        return self.output(attended.reshape(x.shape))


def _softmax_over_patches(scores: torch.Tensor) -> torch.Tensor:
    """Return the softmax of scores `[B, H, W, 1]` over the pixels of the same place in their patches."""
    batch, height, width, _ = scores.shape
    rows, columns = height // PATCH, width // PATCH
    places = scores.reshape(batch * rows, PATCH, columns, PATCH).permute(1, 3, 0, 2)
    weights = places.reshape(PATCH * PATCH, batch, rows * columns).softmax(-1)
    return weights.reshape(PATCH, PATCH, batch * rows, columns).permute(2, 0, 3, 1).reshape(scores.shape)


class AttentionUnit(nn.Module):
    """Separable attention and a feed-forward network of twice the width, each behind a norm and added to its input."""

    def __init__(self, channels: int, activation: Activation) -> None:
        super().__init__()
        self.attention = nn.Sequential(WholeMapNorm(channels), SeparableAttention(channels))
        self.feed_forward = nn.Sequential(
            WholeMapNorm(channels), nn.Linear(channels, 2 * channels), activation(), nn.Linear(2 * channels, channels)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attention(x)
        return x + self.feed_forward(x)

    def fold_norms(self) -> None:
        """Let the layers behind the norms scale and shift; no number changes.

        The context's key may do so too, since it is a key of pixels whose weights sum to 1.
        """
        layers: tuple[Any, ...] = (*self.attention, *self.feed_forward)
        norm, attention, second, linear, *_ = layers
        self.attention[0] = norm.folded(attention.query, attention.key, attention.value)
        self.feed_forward[0] = second.folded(linear)


class MobileViTBlock(nn.Module):
    """3x3 depthwise convolution, 1x1 to half the channels, attention units, 1x1 back."""

    def __init__(self, channels: int, units: int, activation: Activation) -> None:
        super().__init__()
        width = channels // 2
        self.local = nn.Sequential(
            convolution(channels, channels, 3, groups=channels),
            activation(),
            nn.Conv2d(channels, width, 1, bias=False),
        )
        self.units = nn.Sequential(*(AttentionUnit(width, activation) for _ in range(units)), WholeMapNorm(width))
        self.project = convolution(width, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pixels = self.units(self.local(x).permute(0, 2, 3, 1))
        return self.project(pixels.permute(0, 3, 1, 2))

    def fold_norms(self) -> None:
        """Let the layer behind the last norm scale and shift; no number changes in evaluation mode."""
        norm: Any = self.units[-1]
        self.units[-1] = norm.folded(self.project[0])


class MobileViTV2(nn.Module):
    """MobileViT-v2 without its classifier.

    Args:
        width: multiplier of all channel counts; 0.5 is the student's of Hong & Lin (2024).
        activation: one of `ACTIVATIONS`; `silu` is the published one.

    Input `[B, 3, H, W]`, RGB, raw values 0..255, H and W multiples of 64. Output: four features at strides 4, 8, 16
    and 32, whose channel counts are in `channels`.
    """

    title = "MobileViT-v2"

    def __init__(self, width: float = 0.5, activation: str = "silu") -> None:
        super().__init__()
        inputs, first, second, *deeper = (int(channels * width) for channels in (STEM_CHANNELS, *STAGE_CHANNELS))
        act = ACTIVATIONS[activation]
        residual = partial(InvertedResidual, expansion=EXPANSION, activation=act)
        self.stem: nn.Module = Stem(inputs, act())
        stages: list[list[nn.Module]] = [
            [residual(inputs, first, 1)],
            [residual(first, second, 2), residual(second, second, 1)],
        ]
        for before, channels, units in zip((second, *deeper), deeper, UNITS, strict=False):
            stages.append([residual(before, channels, 2), MobileViTBlock(channels, units, act)])
        self.stages = nn.ModuleList(nn.Sequential(*blocks) for blocks in stages)
        self.channels = (second, *deeper)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        x = self.stages[0](self.stem(x))
        features = []
        for stage in list(self.stages)[1:]:
            x = stage(x)
            features.append(x)
        return features

    def fold_norms(self) -> None:
        """Let the layers behind the norms scale and shift; no number changes in evaluation mode."""
        for module in list(self.modules()):
            if isinstance(module, AttentionUnit | MobileViTBlock):
                module.fold_norms()

    def fold_projections(self, laterals: Sequence[Reader | None]) -> None:
        """Let layers behind the last 1x1 convolutions of blocks do their work; no number changes in evaluation mode.

        Features then have fewer channels. For the `laterals` see `projections`.
        """
        for parent, name, readers in self.projections(laterals):
            setattr(parent, name, fold_projection(parent.get_submodule(name), *readers))

    def projections(self, laterals: Sequence[Reader | None]) -> Iterator[tuple[nn.Module, str, list[Reader]]]:
        """Yield the last 1x1 convolutions of blocks that only linear layers read: parent, name, and these layers.

        The first block has no residual, and blocks with attention end in what is added to nothing: they are read by
        the next stage's expansion and by `laterals` alone: for each feature but the deepest the layer outside of the
        encoder that reads it, if any does.
        """
        blocks: Any = self.stages
        layers = blocks[0][-1].layers
        yield layers, str(len(layers) - 1), [blocks[1][0].expanding]
        for stage, following, lateral in zip(blocks[2:], blocks[3:], laterals[1:], strict=False):
            yield stage[-1], "project", [following[0].expanding] + ([] if lateral is None else [lateral])
