"""The loss of the eyes' opening: by labels, and by the state of both eyes."""

import math

import pytest
import torch

from engine.core.schemes import COFW_29, IBUG_68
from trainer.losses.eyes import EyesLoss, eyes_loss

SETTINGS = EyesLoss(weight=1.0)
UNKNOWN = torch.tensor([math.nan])


def face(right, left, left_width=0.2):
    """Points `[1, 68, 2]` whose eyes have these aspect ratios; the right one is 0.2 wide."""
    points = torch.zeros(1, 68, 2)
    for first, ratio, width, x in ((36, right, 0.2, 0.2), (42, left, left_width, 0.6)):
        for index, (across, down) in enumerate(((0, 0), (1, -1), (2, -1), (3, 0), (2, 1), (1, 1))):
            points[0, first + index] = torch.tensor([x + across / 3 * width, 0.4 + down * ratio * width / 2])
    return points


def loss(points, truth, labelled=None, eyes_open=UNKNOWN):
    labelled = torch.ones(1, 68) if labelled is None else labelled
    return eyes_loss(points, truth, labelled, eyes_open, IBUG_68, SETTINGS).item()


def test_it_is_the_error_of_the_aspect_ratio():
    assert loss(face(0.3, 0.3), face(0.1, 0.3)) == pytest.approx(0.1), "the mean of .2 and 0"
    assert loss(face(0.1, 0.3), face(0.1, 0.3)) == pytest.approx(0, abs=1e-6)


def test_an_eye_counts_by_its_own_width():
    own = loss(face(0.3, 0.3, 0.05), face(0.3, 0.1, 0.05))
    assert own == pytest.approx(0.2 * 0.25 / 1.25)


def test_an_eye_counts_only_with_all_of_its_labels():
    labelled = torch.ones(1, 68)
    labelled[0, 37] = 0
    assert loss(face(0.3, 0.3), face(0.1, 0.2), labelled) == pytest.approx(0.1)
    assert loss(face(0.3, 0.3), face(0.1, 0.2), torch.zeros(1, 68)) == 0


@pytest.mark.parametrize(
    ("ratio", "state", "expected"), [(0.3, 0.0, 0.22), (0.05, 0.0, 0), (0.1, 1.0, 0.12), (0.3, 1.0, 0)]
)
def test_a_known_state_asks_for_a_small_or_a_large_opening(ratio, state, expected):
    found = loss(face(ratio, ratio), face(0.0, 0.0), torch.zeros(1, 68), torch.tensor([state]))
    assert found == pytest.approx(expected, abs=1e-6)


def test_eyes_that_are_shut_or_seen_from_the_side_have_a_gradient_that_is_a_number():
    points = torch.full((1, 68, 2), 0.5).requires_grad_()
    eyes_loss(points, face(0.3, 0.3), torch.ones(1, 68), torch.tensor([1.0]), IBUG_68, SETTINGS).backward()
    assert points.grad.isfinite().all()


def test_a_markup_without_lids_has_no_such_loss():
    points = torch.rand(1, 29, 2)
    assert eyes_loss(points, points + 1, torch.ones(1, 29), UNKNOWN, COFW_29, SETTINGS).item() == 0
