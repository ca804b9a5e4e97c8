"""Where a network must compute in float32 although its body computes in bfloat16."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch


def in_float32(device: torch.device) -> AbstractContextManager[object]:
    """Return a context in which autocast rests; nothing at all where it rests already, for what traces the network.

    bfloat16 has 8 significant bits: a coordinate of 0.9 would be rounded to a quarter of a pixel of a crop of 128.
    What enters the context has to be cast to the type of the weights.
    """
    if torch.is_autocast_enabled(device.type):
        return torch.autocast(device.type, enabled=False)
    return nullcontext()
