"""Linear layers made one compute what they computed one after the other."""

import pytest
import torch
from torch import nn

from tests.fakes.trained_looking import trained_looking
from trainer.networks.folding import fold_projection, read_through
from trainer.networks.mobilenetv2 import convolution


def channels(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@torch.no_grad()
@pytest.mark.parametrize("bias", [True, False])
def test_a_linear_layer_reads_through_a_matrix_and_a_shift(bias):
    reader, matrix, shift = nn.Linear(5, 4, bias=bias), channels(5, 3), channels(5)
    pixels = channels(7, 3)
    before = reader(pixels @ matrix.T + shift)
    read_through(reader, matrix, shift)
    assert reader.in_features == 3
    assert torch.allclose(reader(pixels), before, atol=1e-5)


@torch.no_grad()
def test_a_projection_is_done_by_all_that_read_it():
    projection = trained_looking(convolution(3, 8))
    one, two = nn.Conv2d(8, 4, 1), nn.Conv2d(8, 2, 1, bias=False)
    pixels = channels(2, 3, 6, 6)
    before = [reader(projection(pixels)) for reader in (one, two)]
    left = fold_projection(projection, one, two)
    assert left(pixels) is pixels
    for reader, result in zip((one, two), before, strict=True):
        assert reader.in_channels == 3
        assert torch.allclose(reader(pixels), result, atol=1e-5)
