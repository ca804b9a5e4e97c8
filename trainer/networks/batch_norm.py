"""Batch norm over the whole batch where several processes share it."""

from __future__ import annotations

from typing import Any

import torch
from torch import distributed, nn

from trainer.networks.timm_models import convert_sync_batch_norm


def synchronise_batch_norm(network: nn.Module, device: torch.device) -> None:
    """Let the batch norms below `network` take their statistics from all processes; no name in its state changes.

    PyTorch's own layer knows only GPUs. On a CPU `ProcessBatchNorm` computes the same.
    """
    for name, child in network.named_children():
        if not isinstance(child, nn.BatchNorm2d):
            synchronise_batch_norm(child, device)
        elif device.type == "cpu":
            setattr(network, name, ProcessBatchNorm(child))
        else:
            setattr(network, name, convert_sync_batch_norm(child))


class ProcessBatchNorm(nn.BatchNorm2d):
    """Batch norm whose mean and variance are those of all processes' rows, on any device.

    Args:
        given: the layer whose parameters and statistics it takes over, with what timm appends to it.
    """

    def __init__(self, given: nn.BatchNorm2d) -> None:
        super().__init__(given.num_features, given.eps, given.momentum)
        self.weight, self.bias = given.weight, given.bias
        self.running_mean, self.running_var = given.running_mean, given.running_var
        self.num_batches_tracked = given.num_batches_tracked
        # timm's layers drop out and activate what they normalised.
        self.drop = getattr(given, "drop", nn.Identity())
        self.act = getattr(given, "act", nn.Identity())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        normalised = self._normalise(x) if self.training else super().forward(x)
        return self.act(self.drop(normalised))

    def _normalise(self, x: torch.Tensor) -> torch.Tensor:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        # About the running mean, not about 0: the variance is a difference, and of small numbers it is exact.
        origin = self.running_mean.clone()
        shifted = x.to(self.weight.dtype) - origin[:, None, None]
        count = shifted.new_full((1,), x.numel() / x.shape[1])
        sums = torch.cat([shifted.sum((0, 2, 3)), shifted.square().sum((0, 2, 3)), count])
        total, squares, count = _SumOverProcesses.apply(sums).split([self.num_features, self.num_features, 1])
        mean = total / count
        variance = (squares / count - mean.square()).clamp(min=0)
        self.running_mean.lerp_(mean.detach() + origin, self.momentum)
        self.running_var.lerp_(variance.detach() * count / (count - 1), self.momentum)
        self.num_batches_tracked.add_(1)
        scale = self.weight * (variance + self.eps).rsqrt()
        return ((shifted - mean[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]).to(x.dtype)


class _SumOverProcesses(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, x: torch.Tensor) -> torch.Tensor:  # noqa: ARG004  (autograd's signature)
        total = x.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(context: Any, gradient: torch.Tensor) -> torch.Tensor:
        # The loss of every process depends on every process's addend.
        return _SumOverProcesses.forward(context, gradient)
