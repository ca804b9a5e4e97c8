"""Linear layers behind constants and behind other linear layers, made one for the export; no number changes."""

from __future__ import annotations

import torch
from torch import nn

Reader = nn.Conv2d | nn.Linear


@torch.no_grad()
def read_through(reader: Reader, matrix: torch.Tensor, shift: torch.Tensor) -> None:
    """Let a 1x1 convolution or linear layer of C inputs read N channels `x` instead of `matrix @ x + shift`.

    The matrix is `[C, N]`, the shift `[C]`.
    """
    weight = reader.weight.flatten(1)
    bias = weight @ shift
    reader.bias = nn.Parameter(bias if reader.bias is None else reader.bias + bias)
    reader.weight = nn.Parameter((weight @ matrix).unflatten(1, (-1, *reader.weight.shape[2:])))
    if isinstance(reader, nn.Conv2d):
        reader.in_channels = matrix.shape[1]
    else:
        reader.in_features = matrix.shape[1]


@torch.no_grad()
def scale_and_shift(norm: nn.BatchNorm2d) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what a batch norm multiplies each channel by and then adds to it in evaluation mode."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return scale, norm.bias - norm.running_mean * scale


@torch.no_grad()
def fold_projection(layers: nn.Module, *readers: Reader) -> nn.Identity:
    """Let all readers of a 1x1 convolution with batch norm and nothing behind it do its work; return what is left.

    Where a few channels are projected to many, the readers have less to do than before.
    """
    convolution, norm = layers.children()
    assert isinstance(convolution, nn.Conv2d)
    assert isinstance(norm, nn.BatchNorm2d)
    scale, shift = scale_and_shift(norm)
    matrix, bias = convolution.weight.flatten(1) * scale[:, None], 0 if convolution.bias is None else convolution.bias
    for reader in readers:
        read_through(reader, matrix, bias * scale + shift)
    return nn.Identity()
