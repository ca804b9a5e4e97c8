"""ResNet-50 as an encoder: features at strides 4, 8, 16 and 32 (He et al., CVPR 2016, table 1).

The layers are timm's, in the form of the first release and of Keras: where a block halves the map, its first 1x1
convolution does so (timm: the 3x3), and the batch norms add 1e-3 to a variance (timm: 1e-5).
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from trainer.networks.mobilenetv2 import Stem
from trainer.networks.timm_models import create_model

STEM_CHANNELS, STEM_KERNEL = 64, 7
EPSILON = 1e-3


class ResNet50(nn.Module):
    """The convolutional part of ResNet-50.

    Input `[B, 3, H, W]`, RGB, raw values 0..255, H and W multiples of 32. Output: four features at strides 4, 8,
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
