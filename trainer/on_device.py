"""Small tensors where a run computes, without waiting: any other copy to a GPU waits for all that it has to do."""

from __future__ import annotations

from functools import cache

import torch


def sent(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Return a tensor on a device; the CPU does not wait until a copy to a GPU is made."""
    if device.type != "cuda" or tensor.is_cuda:
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


@cache
def constant(values: tuple[float | tuple[float, ...], ...], device: torch.device) -> torch.Tensor:
    """Return numbers `[N]`, indices if they are whole, or a table of them, which nobody may change; sent only once."""
    with torch.inference_mode(False):  # where the first call may be, and training cannot use such a tensor
        return sent(torch.tensor(values), device)
