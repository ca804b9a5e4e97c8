"""Augmentation: pixels and points move together, the same seed gives the same batch."""

import math
from dataclasses import replace

import pytest
import torch

from engine.core.schemes import IBUG_68
from trainer.augment import Augmentation, Augmenter, Faces, central_window

GEOMETRY_ONLY = Augmentation(
    colour=0, grey_share=0, blur_share=0, noise_share=0, cover_share=0, no_face_share=0, large_turn_share=1
)


def dotted(count=6):
    """Black crops of 192 pixels with one bright dot, which all 68 points share."""
    images = torch.zeros(count, 3, 192, 192, dtype=torch.uint8)
    points = torch.empty(count, 68, 2)
    for index in range(count):
        x, y = 70 + 8 * (index % 6), 80 + 5 * (index % 6)
        images[index, :, y - 1 : y + 2, x - 1 : x + 2] = 255
        points[index] = (torch.tensor([x, y]) + 0.5) / 192
    ones = torch.ones(count, 68)
    teachers = torch.stack([points, points + 1 / 192], 1)
    states = torch.full((count,), math.nan)
    return Faces(images, points, ones, ones, torch.zeros(count), teachers, torch.ones(count, 2, 68), states)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def brightest(image):
    mass = image.mean(0)
    mass = mass / mass.sum()
    side = image.shape[-1]
    place = (torch.arange(side) + 0.5) / side
    return torch.stack([(mass.sum(0) * place).sum(), (mass.sum(1) * place).sum()])


def test_points_follow_the_pixels_through_turn_scale_shift_and_mirror():
    augment = Augmenter(GEOMETRY_ONLY, IBUG_68.mirror, 1.3 / 1.8, 128)
    seen = 0
    for seed in range(10):
        batch = augment(dotted(), generator(seed))
        for image, points, labelled in zip(batch.images, batch.points, batch.labelled, strict=True):
            if labelled[0]:
                assert (brightest(image) - points[0]).abs().max() < 0.5 / 128
                seen += 1
    assert seen > 50


def test_the_central_window_is_exact():
    batch = central_window(dotted(), 0.7, 128)
    for image, points in zip(batch.images, batch.points, strict=True):
        assert (brightest(image) - points[0]).abs().max() < 0.5 / 128


def test_fault_67_mirroring_exchanges_left_and_right():
    faces = dotted(64)
    faces.points[:, 36] = torch.tensor([0.3, 0.5])  # the outer corner of the right eye, on the left of the picture
    faces.points[:, 45] = torch.tensor([0.7, 0.5])
    batch = Augmenter(GEOMETRY_ONLY, IBUG_68.mirror, 1.3 / 1.8, 128)(faces, generator())
    across = batch.points[:, 45, 0] - batch.points[:, 36, 0]
    assert (across > 0).all(), "the right eye stays on the left in every mirrored picture too"


def test_labels_beside_what_they_mark_stay_on_the_same_side_of_it_in_mirrored_pictures():
    faces = dotted(64)
    shift = 2 / 192
    faces.points[..., 0] += shift
    faces.label_shift[:] = shift
    upright = replace(GEOMETRY_ONLY, large_turn_share=0, small_turn=0)
    batch = Augmenter(upright, IBUG_68.mirror, 1.3 / 1.8, 128)(faces, generator())
    places = torch.stack([brightest(image) for image in batch.images])
    beside = (batch.points[:, 0] - places)[batch.labelled[:, 0] == 1]
    assert (beside[:, 0] > 0.5 * shift).all()
    assert beside[:, 1].abs().max() < 0.5 / 128


def test_the_same_seed_gives_the_same_batch_and_another_another():
    augment = Augmenter(Augmentation(), IBUG_68.mirror, 1.3 / 1.8, 128)
    first, again, other = (augment(dotted(), generator(seed)) for seed in (3, 3, 4))
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.points, again.points)
    assert not torch.equal(first.images, other.images)


def test_pixels_stay_in_range_and_finite():
    batch = Augmenter(Augmentation(), IBUG_68.mirror, 1.3 / 1.8, 128)(dotted(64), generator())
    assert batch.images.isfinite().all()
    assert batch.images.min() >= 0
    assert batch.images.max() <= 255
    assert batch.points.isfinite().all()


def test_noise_reaches_large_pictures_too():
    noisy = replace(GEOMETRY_ONLY, noise_share=1.0)
    one, other = Augmenter(noisy, IBUG_68.mirror, 1.3 / 1.8, 1216)(dotted(2), generator()).images
    assert other.std() > 0.5
    assert not torch.equal(one[..., :50], other[..., :50])


def test_points_without_label_stay_so_and_points_outside_are_hidden():
    faces = dotted()
    faces.points[:, 0] = float("nan")
    faces.points[:, 1] = 2.0
    batch = central_window(faces, 0.7, 128)
    assert (batch.labelled[:, :2] == 0).all()
    assert (batch.visible[:, 1] == 0).all()
    assert (batch.labelled[:, 2] == 1).all()


def test_covered_points_are_hidden_but_keep_their_place():
    always = Augmentation(cover_share=1.0, no_face_share=0)
    batch = Augmenter(always, IBUG_68.mirror, 1.3 / 1.8, 128)(dotted(64), generator())
    covered = (batch.visible[:, 0] == 0) & (batch.labelled[:, 0] == 1)
    assert 0 < covered.sum() < 64
    assert (batch.visible_weight[covered] == 1).all()


@pytest.mark.parametrize("views", [1, 2])
def test_a_face_is_covered_by_another_one_and_not_by_a_view_of_itself(views):
    faces = dotted(32)
    grey = torch.arange(1, 33) // views * 7  # of each face its own
    faces.images[:] = grey[:, None, None, None]
    plain = replace(GEOMETRY_ONLY, cover_share=1.0, shift=0.0, small_turn=0.0, large_turn_share=0.0)
    images = Augmenter(plain, IBUG_68.mirror, 1.3 / 1.8, 64, views)(faces, generator()).images
    before = grey.roll(views)[:, None, None, None]
    covered = torch.isclose(images, before.float(), atol=0.01).all(1).flatten(1).any(1)
    for view in range(views):
        assert covered[view::views].any(), "some are covered by one colour"


def test_nothing_is_said_of_covered_points_that_have_no_label():
    faces = dotted(64)
    faces.points[:] = math.nan
    faces = replace(faces, visible_weight=torch.zeros(64, 68))
    always = Augmentation(cover_share=1.0, no_face_share=0)
    batch = Augmenter(always, IBUG_68.mirror, 1.3 / 1.8, 128)(faces, generator())
    assert (batch.visible_weight == 0).all()


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_windows_without_a_face_teach_confidence_only(share):
    batch = Augmenter(Augmentation(no_face_share=share), IBUG_68.mirror, 1.3 / 1.8, 128)(dotted(16), generator())
    assert bool(batch.labelled.any()) == (share == 0)
    if share:
        assert batch.visible.max() == 0
