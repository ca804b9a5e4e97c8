"""Random pictures for networks, the same in every run."""

from __future__ import annotations

import torch


def images(side=64, count=2):
    """Return pictures `[count, 3, side, side]` float32, 0..255."""
    return 255 * torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(1))
