"""Batch norms that get the statistics of given pictures, while the network goes on computing the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn


@torch.no_grad()
def restate_norms(network: nn.Module, batches: Iterable[torch.Tensor]) -> None:
    """Let every batch norm hold the mean and variance of what it reads, and change scale and shift to make up for it.

    So in training mode, where a batch's own statistics count, the network computes about what it does in evaluation
    mode; there no number changes but for rounding. There is at least one batch, of images as the network reads them, of
    any floating type.
    """
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    read: dict[nn.Module, list[tuple[torch.Tensor, torch.Tensor]]] = {norm: [] for norm in norms}

    def measure(norm: nn.Module, inputs: tuple[Any, ...]) -> None:
        read[norm].append(torch.var_mean(inputs[0].double(), (0, 2, 3)))

    hooks = [norm.register_forward_pre_hook(measure) for norm in norms]
    was_training = network.training
    network.eval()
    for images in batches:
        network(images.to(norms[0].weight.dtype))
    for hook in hooks:
        hook.remove()
    for norm in norms:
        assert norm.running_mean is not None
        assert norm.running_var is not None
        variance, mean = (torch.stack(values).mean(0) for values in zip(*read[norm], strict=True))
        scale = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
        norm.bias.copy_(norm.bias + (mean - norm.running_mean) * scale)
        norm.weight.copy_(scale * (variance + norm.eps).sqrt())
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
    network.train(was_training)
