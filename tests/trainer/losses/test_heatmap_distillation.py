"""Heatmap distillation in both variants, against values computed by hand."""

import math

import pytest
import torch

from engine.core.errors import UsageError
from trainer.losses.heatmap_distillation import HeatmapKD, heatmap_distillation, resampled
from trainer.losses.star import moments_of

PAPER, RELEASED = HeatmapKD("paper"), HeatmapKD("released")


def maps(*values):
    """Heatmaps `[1, K, 2, 2]`, each with one value all over."""
    return torch.tensor(values)[None, :, None, None].expand(1, -1, 2, 2).clone()


def test_the_paper_sums_norms_over_the_points_and_the_code_takes_a_hundred_times_the_mean_square():
    student, teacher = maps(0.0, 1.0, 1.0), maps(0.3, 0.9, 1.0)
    assert heatmap_distillation(student, [teacher], PAPER).item() == pytest.approx(2 * 0.3 + 2 * 0.1)
    expected = 100 * (0.3**2 + 0.1**2) / 3
    assert heatmap_distillation(student, [teacher], RELEASED).item() == pytest.approx(expected)


@pytest.mark.parametrize("settings", [PAPER, RELEASED])
def test_the_mean_is_over_the_faces_of_which_a_teacher_says_something(settings):
    student = torch.cat([maps(0.0, 1.0), maps(0.5, 0.5)])
    teacher = torch.cat([maps(0.2, 0.8), torch.full((1, 2, 2, 2), math.nan)])
    alone = heatmap_distillation(student[:1], [teacher[:1]], settings).item()
    student.requires_grad_()
    loss = heatmap_distillation(student, [teacher], settings)
    assert loss.item() == pytest.approx(alone)
    loss.backward()
    assert student.grad.isfinite().all()
    assert not student.grad[1].any()


@pytest.mark.parametrize("settings", [PAPER, RELEASED])
def test_the_gradient_pulls_to_the_teacher_leaves_it_alone_and_is_finite_where_they_agree(settings):
    student, teacher = maps(0.2, 0.7).requires_grad_(), maps(0.5, 0.7).requires_grad_()
    heatmap_distillation(student, [teacher], settings).backward()
    assert (student.grad[0, 0] < 0).all()
    assert not student.grad[0, 1].any()
    assert teacher.grad is None


def test_the_mean_over_two_teachers():
    student, first, second = maps(0.0), maps(0.1), maps(0.3)
    assert heatmap_distillation(student, [first, second], PAPER).item() == pytest.approx(0.4)


def test_maps_of_another_size_keep_their_places():
    teacher = torch.zeros(1, 1, 16, 16)
    teacher[..., 5:7, 9:11] = 1.0
    small = resampled(teacher, 8, 8)
    assert torch.allclose(moments_of(small).mean, moments_of(teacher).mean, atol=1e-5)
    assert heatmap_distillation(small, [teacher], RELEASED).item() == 0


def test_normalised_maps_are_compared_by_their_form():
    student, teacher = torch.rand(2, 1, 2, 4, 4, generator=torch.Generator().manual_seed(3))
    form = HeatmapKD("paper", normalised=True)
    loss = heatmap_distillation(student, [teacher], form).item()
    assert loss > 0.01
    assert heatmap_distillation(3 * student, [5 * teacher], form).item() == pytest.approx(loss, rel=1e-5)
    assert heatmap_distillation(student, [2 * student], form).item() == pytest.approx(0, abs=1e-6)


def test_what_cannot_be_distilled_is_reported():
    with pytest.raises(UsageError, match="There is no variant of heatmap distillation “l7”"):
        HeatmapKD("l7")
    with pytest.raises(UsageError, match="(?i)its teachers regress coordinates"):
        heatmap_distillation(maps(0.0), [], PAPER)
    with pytest.raises(UsageError, match="(?i)the student regresses coordinates"):
        heatmap_distillation(None, [maps(0.0)], PAPER)
    with pytest.raises(UsageError, match="1 heatmaps do not fit the student's 2"):
        heatmap_distillation(maps(0.0, 1.0), [maps(0.0)], PAPER)
