"""Networks out of timm, without its hub: only the architectures, never its weights."""

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
