"""STAR loss against the library's eigen-decomposition, against values computed by hand, and where there are no axes."""

import math

import pytest
import torch

from trainer.losses.star import (
    Moments,
    StarLoss,
    eigenvalues,
    moments_of,
    plain_loss,
    smooth_l1_of_squares,
    squared_projections,
    star_loss,
)
from trainer.networks.heatmap import cell_centres

PUBLISHED = StarLoss()


def gaussian(mean, across, mixed, down, cells=64):
    """A heatmap `[1, 1, cells, cells]` with this mean in [0, 1] and this covariance in squares of half sides."""
    covariance = torch.tensor([[across, mixed], [mixed, down]], dtype=torch.float64)
    offset = (cell_centres(cells, cells).double() - torch.tensor(mean, dtype=torch.float64)) * 2
    return torch.exp(-0.5 * (offset @ covariance.inverse() * offset).sum(-1)).reshape(1, 1, cells, cells)


def random_maps(seed=0, cells=8):
    return torch.rand(2, 3, cells, cells, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) ** 4


def matrices(moments):
    rows = [torch.stack([moments.across, moments.mixed], -1), torch.stack([moments.mixed, moments.down], -1)]
    return torch.stack(rows, -2)


def test_mean_and_covariance_of_a_gaussian_are_found_again():
    moments = moments_of(gaussian((0.4, 0.55), 0.02, 0.006, 0.01) * 7)
    assert moments.mean[0, 0].tolist() == pytest.approx([2 * 0.4 - 1, 2 * 0.55 - 1], abs=1e-6)
    assert [entry.item() for entry in moments[1:]] == pytest.approx([0.02, 0.006, 0.01], rel=0.02), "unbiased: + 1 %"


def test_the_mean_is_the_soft_argmax_of_the_networks():
    maps = random_maps()
    share = maps.flatten(2) / maps.flatten(2).sum(-1, keepdim=True)
    assert torch.allclose((moments_of(maps).mean + 1) / 2, share @ cell_centres(8, 8).double())


def test_covariance_by_hand():
    # Weights 1/2, 1/4, 1/4 in a map of 2 x 2 cells, whose centres are at -0.5 and 0.5.
    moments = moments_of(torch.tensor([[[[2.0, 1.0], [1.0, 0.0]]]], dtype=torch.float64))
    assert moments.mean[0, 0].tolist() == pytest.approx([-0.25, -0.25])
    unbiased = 1 - (0.25 + 2 * 0.0625)
    assert moments.across.item() == pytest.approx((0.75 * 0.25**2 + 0.25 * 0.75**2) / unbiased, rel=1e-4)
    assert moments.mixed.item() == pytest.approx((0.5 * 0.25**2 - 2 * 0.25 * 0.25 * 0.75) / unbiased, rel=1e-4)


def test_the_closed_form_agrees_with_the_librarys_decomposition():
    generator = torch.Generator().manual_seed(1)
    half = torch.randn(500, 1, 2, 2, generator=generator, dtype=torch.float64)
    covariance = half @ half.mT
    errors = torch.randn(500, 1, 2, generator=generator, dtype=torch.float64)
    moments = Moments(errors, covariance[..., 0, 0], covariance[..., 0, 1], covariance[..., 1, 1])
    values, vectors = torch.linalg.eigh(covariance)
    assert torch.allclose(eigenvalues(moments), values.flip(-1), atol=1e-8)
    squares = torch.einsum("bkce,bkc->bke", vectors, errors).square().flip(-1)
    assert torch.allclose(squared_projections(moments, errors), squares, atol=1e-7)


def test_the_loss_agrees_with_one_made_of_the_librarys_decomposition():
    maps, points = random_maps(2), torch.rand(2, 3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    moments = moments_of(maps)
    values, vectors = torch.linalg.eigh(matrices(moments))
    error = torch.einsum("bkce,bkc->bke", vectors, points * 2 - 1 - moments.mean).abs()
    smooth = torch.where(error < 0.01, 0.5 * error**2 / 0.01, error - 0.005)
    expected = (smooth / (values + 1e-4).sqrt()).sum(-1) + values.abs().sum(-1)
    assert torch.allclose(star_loss(maps, points, PUBLISHED), expected, atol=1e-8)


def test_the_loss_by_hand_an_error_along_the_long_axis_counts_less():
    maps = gaussian((0.5, 0.5), 0.04, 0.0, 0.01)
    across, down = (entry.item() for entry in (moments_of(maps).across, moments_of(maps).down))
    for point, spread in (((0.55, 0.5), across), ((0.5, 0.55), down)):
        loss = star_loss(maps, torch.tensor([[point]], dtype=torch.float64), PUBLISHED).item()
        assert loss == pytest.approx((0.1 - 0.005) / math.sqrt(spread + 1e-4) + across + down, rel=1e-6)
    turned = gaussian((0.5, 0.5), 0.025, 0.015, 0.025)
    along, beside = (
        star_loss(turned, torch.tensor([[point]], dtype=torch.float64), PUBLISHED).item()
        for point in ((0.53, 0.53), (0.53, 0.47))
    )
    assert along < 0.6 * beside, "spreads of 0.2 and 0.1 along the diagonals"


def test_smooth_l1_is_quadratic_near_and_linear_far_without_a_jump():
    near, at, far = smooth_l1_of_squares(torch.tensor([0.005, 0.01, 0.3]).square(), 0.01).tolist()
    assert [near, at, far] == pytest.approx([0.00125, 0.005, 0.295])
    loss = plain_loss(torch.tensor([[[0.5, 0.5]]]), torch.tensor([[[0.6, 0.502]]]), 0.01)
    assert loss.item() == pytest.approx(0.195 + 0.5 * 0.004**2 / 0.01), "in half sides of the crop"


def test_the_gradient_is_the_numerical_one_through_spreads_and_axes():
    maps = (random_maps(4, 6)[:1] + 0.01).requires_grad_()
    points = torch.tensor([[[0.3, 0.6], [0.501, 0.499], [0.9, 0.1]]], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda some: star_loss(some, points, PUBLISHED), maps, eps=1e-7, atol=1e-4)
    assert torch.autograd.gradcheck(lambda some: plain_loss(some, points, 0.01), points.flip(1).requires_grad_())


def test_the_spread_is_not_detached_it_grows_with_the_error_and_shrinks_without():
    logs = torch.tensor([-3.5], dtype=torch.float64, requires_grad=True)  # logarithm of the variance
    offset = (cell_centres(32, 32).double() - 0.5) * 2
    maps = torch.exp(-0.5 * offset.square().sum(-1) / logs.exp()).reshape(1, 1, 32, 32)
    slopes = []
    for point in ((0.5, 0.5), (0.9, 0.5)):
        loss = star_loss(maps, torch.tensor([[point]], dtype=torch.float64), PUBLISHED).sum()
        slopes.append(torch.autograd.grad(loss, logs, retain_graph=True)[0].item())
    assert slopes[0] > 0 > slopes[1]


def isotropic(kind):
    maps = torch.zeros(1, 1, 8, 8)
    if kind == "one cell":
        maps[..., 3, 4] = 5.0
    elif kind == "flat":
        maps += 1.0
    elif kind == "round":
        maps = gaussian((0.5, 0.5), 0.05, 0.0, 0.05, 8).float()
    return maps.requires_grad_()


@pytest.mark.parametrize("kind", ["dark", "one cell", "flat", "round"])
@pytest.mark.parametrize("point", [(0.5, 0.5), (0.5625, 0.4375), (0.8, 0.3)])
def test_maps_without_axes_have_finite_losses_and_gradients(kind, point):
    maps = isotropic(kind)
    loss = star_loss(maps, torch.tensor([[point]]), PUBLISHED)
    loss.sum().backward()
    assert loss.isfinite().all()
    assert loss.item() >= 0
    assert maps.grad.isfinite().all()


def test_without_axes_both_components_get_half_of_the_error():
    squares = squared_projections(moments_of(isotropic("flat")), torch.tensor([[[0.3, 0.1]]]))
    assert squares[0, 0].tolist() == pytest.approx([0.05, 0.05])


def test_single_precision_is_enough():
    maps = random_maps(5, 32)
    points = torch.rand(2, 3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(6))
    exact, rounded = star_loss(maps, points, PUBLISHED), star_loss(maps.float(), points.float(), PUBLISHED)
    assert torch.allclose(rounded.double(), exact, rtol=1e-3)
