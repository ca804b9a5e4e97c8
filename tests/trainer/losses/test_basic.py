"""Wing, Adaptive Wing and cross-entropy of heatmaps against values computed by hand."""

import math

import pytest
import torch

from trainer.losses.basic import adaptive_wing, adaptive_wing_cell, brightness_weight, gaussian_cross_entropy, wing


def at(distance, target):
    return adaptive_wing_cell(
        torch.tensor(distance, dtype=torch.float64), torch.tensor(target, dtype=torch.float64)
    ).item()


def test_values_by_hand():
    assert at(0.25, 1.0) == pytest.approx(14 * math.log(1 + 0.25**1.1))
    assert at(0.25, 0.0) == pytest.approx(14 * math.log(1 + 0.25**2.1)), "lenient in the dark"
    # Beyond theta: A d - C as published, here for y = 1.
    slope = 14 / (1 + 0.5**1.1) * 1.1 * 0.5**0.1
    assert at(0.8, 1.0) == pytest.approx(slope * 0.8 - (0.5 * slope - 14 * math.log(1 + 0.5**1.1)))
    assert at(0.0, 0.4) == 0


@pytest.mark.parametrize("target", [0.0, 0.3, 1.0])
def test_value_and_slope_have_no_jump_at_theta(target):
    distance = torch.tensor([0.5 - 1e-9, 0.5 + 1e-9], dtype=torch.float64, requires_grad=True)
    values = adaptive_wing_cell(distance, torch.tensor(target, dtype=torch.float64))
    values.sum().backward()
    assert values[0].item() == pytest.approx(values[1].item(), abs=1e-6)
    assert distance.grad[0].item() == pytest.approx(distance.grad[1].item(), rel=1e-6)


def test_cells_within_one_of_a_bright_one_count_eleven_times():
    target = torch.zeros(1, 1, 5, 5)
    target[..., 1, 1] = 0.2
    target[..., 4, 4] = 0.19
    weight = brightness_weight(target)[0, 0]
    assert (weight == 11).nonzero().tolist() == [[row, column] for row in range(3) for column in range(3)]
    assert (weight == 1).sum() == 16
    loss = adaptive_wing(target + 0.1, target)[0, 0]
    assert loss[0, 0].item() == pytest.approx(11 * at(0.1, 0.0), rel=1e-4)
    assert loss[3, 4].item() == pytest.approx(at(0.1, 0.0), rel=1e-4)


def test_the_gradient_is_finite_where_the_map_is_right_and_reaches_the_prediction_alone():
    target = torch.tensor([[[[0.0, 1.0], [0.5, 0.2]]]], requires_grad=True)
    predicted = target.detach().clone().requires_grad_()
    adaptive_wing(predicted, target).sum().backward()
    assert torch.equal(predicted.grad, torch.zeros_like(predicted))
    assert target.grad is None


def test_the_gradient_is_the_numerical_one():
    generator = torch.Generator().manual_seed(0)
    predicted = torch.rand(1, 2, 4, 4, dtype=torch.float64, generator=generator).requires_grad_()
    target = torch.rand(1, 2, 4, 4, dtype=torch.float64, generator=generator)
    assert torch.autograd.gradcheck(lambda maps: adaptive_wing(maps, target), predicted)


def test_wing_is_logarithmic_near_and_linear_far_and_meets_in_between():
    width, epsilon = 0.06, 0.01
    near, far = wing(torch.tensor([0.02, 0.5]), width, epsilon)
    assert near.item() == pytest.approx(0.06 * math.log(3))
    assert far.item() == pytest.approx(0.5 - 0.06 + 0.06 * math.log(7))
    below, above = wing(torch.tensor([width - 1e-7, width + 1e-7]), width, epsilon)
    assert above.item() == pytest.approx(below.item(), abs=1e-6)


def test_cross_entropy_of_a_flat_map_is_the_logarithm_of_its_cells():
    points = torch.tensor([[[0.3, 0.6]]])
    assert gaussian_cross_entropy(torch.zeros(1, 1, 8, 8), points, 1.0).item() == pytest.approx(math.log(64), abs=1e-5)


def test_cross_entropy_is_smallest_for_a_map_at_the_point():
    points = torch.tensor([[[4.5 / 16, 9.5 / 16]]])
    place = torch.arange(16) + 0.5
    at_point = -((place[None] - 4.5) ** 2 + (place[:, None] - 9.5) ** 2) / 2
    right = gaussian_cross_entropy(at_point[None, None], points, 1.0).item()
    shifted = gaussian_cross_entropy(at_point.roll(2, 1)[None, None], points, 1.0).item()
    swapped = gaussian_cross_entropy(at_point.T[None, None], points, 1.0).item()
    assert right < shifted
    assert right < swapped
    assert right == pytest.approx(math.log(2 * math.pi * math.e), abs=0.01), "entropy of a Gaussian of one cell"
