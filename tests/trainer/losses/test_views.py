"""Two views of a face are compared in its stored crop, however they are turned, scaled, moved and mirrored."""

import math

import pytest
import torch

from engine.core.schemes import IBUG_68
from trainer.augment import Augmentation, Augmenter, Faces
from trainer.losses.views import views_loss

RATIO = 1.3 / 1.8


@pytest.fixture
def batch():
    """Views of eight faces, each twice, with labels that lie beside what they mark."""
    points = (torch.rand(8, 68, 2, generator=torch.Generator().manual_seed(0)) * 0.3 + 0.35).repeat_interleave(2, 0)
    ones = torch.ones(16, 68)
    images = torch.zeros(16, 3, 64, 64, dtype=torch.uint8)
    teachers, confidence = torch.empty(16, 0, 68, 2), torch.empty(16, 0, 68)
    shift = torch.full((16,), 0.02)
    faces = Faces(images, points, ones, ones, shift, teachers, confidence, torch.full((16,), math.nan))
    augment = Augmenter(Augmentation(large_turn_share=1, no_face_share=0), IBUG_68.mirror, RATIO, 32)
    return augment(faces, torch.Generator().manual_seed(1))


def test_labels_of_two_views_agree(batch):
    mirrored = torch.linalg.det(batch.to_crop[:, :, :2]) < 0
    assert 0 < mirrored.sum() < 16
    assert (mirrored[0::2] != mirrored[1::2]).any()
    assert not torch.allclose(batch.points[0::2], batch.points[1::2], atol=0.05)
    assert views_loss(batch.points, batch.to_crop, batch.labelled, IBUG_68).item() < 1e-6


def test_the_distance_is_in_percent_of_the_stored_crop(batch):
    inverse = torch.linalg.inv(batch.to_crop[:, :, :2])
    moved = batch.points.clone()
    # A hundredth of the crop is 0.02 where it reaches from -1 to 1, and 0.01 in [0, 1] of the window.
    moved[1::2] += (inverse @ torch.tensor([0.02, 0.0]))[1::2, None] / 2
    assert views_loss(moved, batch.to_crop, batch.labelled, IBUG_68).item() == pytest.approx(1, rel=1e-3)


def test_what_one_view_lacks_does_not_count(batch):
    moved = batch.points.clone()
    moved[3] += 1
    labelled = batch.labelled.clone()
    labelled[2] = 0
    assert views_loss(moved, batch.to_crop, labelled, IBUG_68).item() < 1e-6
