"""Networks out of timm, without its hub: only the architectures, never its weights.

SwinV2 gets its windows without tensors of rank 6, which runtimes of 2022 cannot transpose; no number changes. timm cuts
a map into windows, and merges four pixels into one, by a view of rank 6 and one transpose. Here the map is first a
stack of rows of windows; so rank 4 is enough.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

# torchvision's wheel is built for CUDA; beside a CPU build of torch its import fails for want of these two operators.
# timm imports torchvision and calls neither.
_DECLARED = torch.library.Library("torchvision", "FRAGMENT")


def create_model(name: str, **options: Any) -> Any:
    """Return a network of timm with random weights, a module with an attribute `num_features`.

    Args:
        name: its name in timm, such as `efficientnet_b3`.
        options: passed on to timm.
    """
    _declare_missing_operators()
    import timm  # imports torchvision: after the declaration, and only where a network of timm is made

    return timm.create_model(name, pretrained=False, **options)


def convert_sync_batch_norm(layer: nn.Module) -> nn.Module:
    """Return a batch norm of PyTorch or timm as the one for several GPUs, with the same parameters and statistics."""
    _declare_missing_operators()
    from timm.layers.norm_act import convert_sync_batchnorm

    return convert_sync_batchnorm(layer)


def _declare_missing_operators() -> None:
    for name in ("nms", "qnms"):
        if not hasattr(torch.ops.torchvision, name):
            _DECLARED.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")


def window_partition(x: torch.Tensor, window_size: tuple[int, int]) -> torch.Tensor:
    """Return the windows `[N, h, w, C]` of maps `[B, H, W, C]`, row by row."""
    height, width = window_size
    batch, rows, columns, channels = x.shape
    stack = x.reshape(batch * rows // height, height, columns // width, width * channels)
    return stack.transpose(1, 2).reshape(-1, height, width, channels)


def window_reverse(windows: torch.Tensor, window_size: tuple[int, int], img_size: tuple[int, int]) -> torch.Tensor:
    """Return the maps `[B, H, W, C]` of which these are the windows."""
    height, width = window_size
    rows, columns = img_size
    channels = windows.shape[-1]
    stack = windows.reshape(-1, columns // width, height, width * channels)
    return stack.transpose(1, 2).reshape(-1, rows, columns, channels)


class FlatPatchMerging(nn.Module):
    """Four neighbours to one pixel of twice the channels, with the layers of timm's module."""

    def __init__(self, merging: Any) -> None:
        super().__init__()
        self.reduction, self.norm = merging.reduction, merging.norm

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        corners = [x[:, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        reduced: torch.Tensor = self.norm(self.reduction(torch.cat(corners, -1)))
        return reduced


def flatten_windows(body: nn.Module) -> None:
    """Let a SwinV2 of timm, and every one after it, compute without tensors of rank 6."""
    from timm.models import swin_transformer_v2  # only where a network of timm is made

    # timm's blocks find these two by their names in its module.
    swin_transformer_v2.window_partition = window_partition
    swin_transformer_v2.window_reverse = window_reverse
    for module in list(body.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, swin_transformer_v2.PatchMerging):
                setattr(module, name, FlatPatchMerging(child))
