"""The mean over a batch that several processes may share."""

from __future__ import annotations

import torch
from torch import distributed


def average_weight(weights: torch.Tensor) -> torch.Tensor:
    """Return the sum of a batch's weights for each process, at least 1 in all, by which a sum becomes a mean.

    Processes may hold different numbers of labels. Divided by what one of them holds on average, the mean of the
    processes' losses, and so of their gradients, is that of the whole batch, to the last label. Every process has to
    call this in the same order.

    Args:
        weights: of this process's rows, any shape; numbers >= 0 or booleans.
    """
    total = weights.sum()
    if not (distributed.is_available() and distributed.is_initialized()):
        return total.clamp(min=1)
    distributed.all_reduce(total)
    return total.clamp(min=1) / distributed.get_world_size()


def weighted_mean(values: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return the mean of finite values by weights >= 0 of the same shape, over all processes."""
    return (values * weights).sum() / average_weight(weights)


def mean_of(values: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
    """Return the mean of the values that are counted, over all processes; the others may be NaN.

    Args:
        values: any shape.
        counted: booleans of the same shape.
    """
    return torch.where(counted, values, 0).sum() / average_weight(counted)
