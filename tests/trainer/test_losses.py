"""The student's loss against values computed by hand."""

import math

import pytest
import torch

from engine.core.errors import UsageError
from trainer.augment import Batch
from trainer.losses.heatmap import gaussian_cross_entropy, wing
from trainer.losses.total import LandmarkLoss, landmark_loss
from trainer.networks.heatmap import cell_centres
from trainer.networks.output import LandmarkOutput

DEFAULT = LandmarkLoss()


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


def test_the_soft_argmax_of_a_single_bright_cell_is_its_centre():
    centres = cell_centres(4, 8)
    assert centres[0].tolist() == [0.0625, 0.125]
    assert centres[8 * 2 + 3].tolist() == [3.5 / 8, 2.5 / 4]


def make(labelled, visible_weight, settings=DEFAULT, regression=False):
    maps = None if regression else torch.zeros(1, 2, 4, 4)
    output = LandmarkOutput(torch.full((1, 2, 2), 0.5), torch.zeros(1, 2), maps)
    points = torch.tensor([[[0.5, 0.5], [0.9, 0.9]]])
    batch = Batch(
        torch.zeros(1, 3, 4, 4),
        points,
        torch.tensor([labelled]),
        torch.ones(1, 2),
        visible_weight,
        teachers=torch.empty(1, 0, 2, 2),
        trust=torch.empty(1, 0, 2),
    )
    return landmark_loss(output, batch, settings)


def test_points_without_label_add_nothing():
    terms = make([1.0, 0.0], torch.ones(1, 2))
    assert terms.points.item() == 0
    assert make([1.0, 1.0], torch.ones(1, 2)).points.item() > 0.5


def test_flags_without_trust_add_nothing_and_the_total_is_the_weighted_sum():
    terms = make([1.0, 1.0], torch.tensor([[1.0, 0.0]]))
    assert terms.confidence.item() == pytest.approx(math.log(2))
    total = terms.points + 0.02 * terms.heatmaps + 0.02 * terms.confidence
    assert terms.total.item() == pytest.approx(total.item())
    assert make([1.0, 1.0], torch.zeros(1, 2)).confidence.item() == 0


def test_mean_square_of_what_is_labelled_and_no_heatmap_term_without_heatmaps():
    terms = make([1.0, 1.0], torch.ones(1, 2), LandmarkLoss(points="l2"), regression=True)
    assert terms.points.item() == pytest.approx(0.4**2 / 2), "two points, one of them right"
    assert terms.heatmaps.item() == 0


def test_an_unknown_rule_for_points_is_refused():
    with pytest.raises(UsageError, match="There is no loss of points “l7”"):
        LandmarkLoss(points="l7")
