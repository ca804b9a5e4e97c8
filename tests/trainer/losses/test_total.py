"""How the parts of the loss come together, with and without attention maps, against values computed by hand."""

import math
from dataclasses import asdict, replace

import pytest
import torch

from engine.core.errors import UsageError
from engine.core.schemes import EDGES
from trainer.augment import Batch
from trainer.losses.attention_maps import AttentionLoss, attention_loss, edge_maps, point_maps
from trainer.losses.fard_mahoor import KDLoss
from trainer.losses.heatmap_distillation import HeatmapKD, maps_of
from trainer.losses.star import StarLoss, moments_of, plain_loss, star_loss
from trainer.losses.total import LandmarkLoss, landmark_loss
from trainer.networks.anisotropic_attention import AttentionMaps
from trainer.networks.output import LandmarkOutput
from trainer.recipes.schema import Training
from trainer.state import differences

STAR = LandmarkLoss(points="star", attention=AttentionLoss(0, 0), confidence_weight=0)
SIZE = 16
DEFAULT = LandmarkLoss()


def face(**changes):
    """A batch of one face whose points lie on a circle; the first has no label."""
    angle = torch.arange(68) / 68 * 2 * torch.pi
    points = torch.stack([0.5 + 0.3 * angle.cos(), 0.5 + 0.3 * angle.sin()], -1)[None]
    labelled = torch.ones(1, 68)
    labelled[0, 0] = 0
    batch = Batch(
        torch.zeros(1, 3, 32, 32),
        points,
        labelled,
        torch.ones(1, 68),
        torch.ones(1, 68),
        teachers=torch.empty(1, 0, 68, 2),
        teacher_confidence=torch.empty(1, 0, 68),
        eyes_open=torch.full((1,), math.nan),
        no_face=torch.zeros(1, dtype=torch.bool),
        to_crop=torch.eye(2, 3)[None],
    )
    return replace(batch, **changes)


def said(batch, seed=0):
    """What a network with attention says: random maps, and the points that they mean."""
    generator = torch.Generator().manual_seed(seed)
    fused = torch.rand(1, 68, SIZE, SIZE, generator=generator).requires_grad_()
    points = torch.rand(1, 68, SIZE, SIZE, generator=generator)
    edges = torch.rand(1, len(EDGES[68]), SIZE, SIZE, generator=generator)
    found = (moments_of(fused).mean + 1) / 2
    return LandmarkOutput(found, torch.zeros(1, 68), None, AttentionMaps(fused, points, edges))


def test_star_and_its_plain_twin_are_means_over_the_labelled_points():
    batch = face()
    output = said(batch)
    star = landmark_loss(output, batch, STAR)
    expected = star_loss(output.attention.fused, batch.points, StarLoss())[:, 1:].mean()
    assert star.points.item() == pytest.approx(expected.item(), rel=1e-5)
    assert star.total.item() == pytest.approx(expected.item(), rel=1e-5)
    plain = landmark_loss(output, batch, replace(STAR, points="smooth_l1"))
    expected = plain_loss(output.points, batch.points, 0.01)[:, 1:].mean()
    assert plain.points.item() == pytest.approx(expected.item(), rel=1e-5)


def test_star_reads_heatmaps_without_attention_too_and_refuses_a_network_without_any():
    batch = face()
    logits = torch.randn(1, 68, SIZE, SIZE, generator=torch.Generator().manual_seed(0)) * 3
    output = LandmarkOutput(torch.full((1, 68, 2), 0.5), torch.zeros(1, 68), logits)
    maps = maps_of(output)
    assert torch.allclose(maps.sum((2, 3)), torch.ones(1, 68))
    expected = star_loss(maps, batch.points, StarLoss())[:, 1:].mean()
    assert landmark_loss(output, batch, STAR).points.item() == pytest.approx(expected.item(), rel=1e-5)
    with pytest.raises(UsageError, match="STAR loss cannot be had of this network"):
        landmark_loss(output._replace(heatmap_logits=None), batch, STAR)


def test_attention_is_compared_with_what_is_labelled_and_weighted():
    batch = face()
    targets = [
        point_maps(batch.points, SIZE, SIZE, 0.4),
        edge_maps(batch.points, EDGES[68], SIZE, SIZE, 0.4),
    ]
    right = AttentionMaps(targets[0], *targets)
    assert attention_loss(right, batch.points, batch.labelled, AttentionLoss()).item() == 0
    # Of the unlabelled point nothing is known, and so of the jaw, on which it lies.
    jaw = next(number for number, edge in enumerate(EDGES[68]) if 0 in edge.points)
    points, edges = targets[0].clone(), targets[1].clone()
    points[:, 0], edges[:, jaw] = 0.7, 0.7
    assert attention_loss(AttentionMaps(points, points, edges), batch.points, batch.labelled, AttentionLoss()) == 0
    points[:, 1] = 0.7
    losses = [
        attention_loss(AttentionMaps(points, points, edges), batch.points, batch.labelled, weights).item()
        for weights in (AttentionLoss(1, 1), AttentionLoss(3, 1), AttentionLoss(0, 1))
    ]
    assert losses[0] > 0
    assert losses == pytest.approx([losses[0], 3 * losses[0], 0])


def test_a_batch_without_any_label_costs_nothing_and_has_finite_gradients():
    batch = face(labelled=torch.zeros(1, 68), visible_weight=torch.zeros(1, 68))
    output = said(batch)
    terms = landmark_loss(output, batch, replace(STAR, attention=AttentionLoss()))
    assert terms.total.item() == 0
    terms.total.backward()


def test_heatmap_and_point_distillation_join_star():
    batch = face()
    output, teacher = said(batch), said(batch, seed=1)
    taught = replace(
        batch,
        teachers=teacher.points.detach()[:, None],
        teacher_confidence=torch.full((1, 1, 68), 0.5),
        teacher_maps=(teacher.attention.fused,),
    )
    alone = landmark_loss(output, batch, STAR).total.item()
    with_maps = landmark_loss(output, taught, replace(STAR, heatmap_kd=HeatmapKD("released", 0.5)))
    square = (output.attention.fused - teacher.attention.fused).square().mean().item()
    assert with_maps.heatmap_kd.item() == pytest.approx(100 * square, rel=1e-5)
    assert with_maps.total.item() == pytest.approx(alone + 50 * square, rel=1e-5)
    pulled = landmark_loss(output, taught, replace(STAR, kd=KDLoss(point_distillation_weight=2.0)))
    distance = (output.points - teacher.points).abs().mean().item()
    assert pulled.total.item() == pytest.approx(alone + 2 * 0.5 * distance, rel=1e-5)
    with pytest.raises(UsageError, match="There are no heatmaps to distil"):
        landmark_loss(output, batch, replace(STAR, heatmap_kd=HeatmapKD("paper")))


def test_a_recipe_from_before_this_loss_is_still_the_same_recipe():
    saved = asdict(Training("old"))
    for younger in ("star", "attention", "heatmap_kd"):
        del saved["loss"][younger]
    assert list(differences(Training("old"), saved)) == []
    changed = replace(Training("old"), loss=LandmarkLoss(heatmap_kd=HeatmapKD("paper")))
    assert "loss.heatmap_kd" in next(differences(changed, saved))


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
        teacher_confidence=torch.empty(1, 0, 2),
        eyes_open=torch.full((1,), math.nan),
        no_face=torch.zeros(1, dtype=torch.bool),
        to_crop=torch.eye(2, 3)[None],
    )
    return landmark_loss(output, batch, settings)


def test_points_without_label_add_nothing():
    terms = make([1.0, 0.0], torch.ones(1, 2))
    assert terms.points.item() == 0
    assert make([1.0, 1.0], torch.ones(1, 2)).points.item() > 0.5


def test_flags_without_weight_add_nothing_and_the_total_is_the_weighted_sum():
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
