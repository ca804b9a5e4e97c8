"""Networks with an anisotropic attention module: their maps, their necks, and that any encoder fits."""

from dataclasses import asdict, replace

import pytest
import torch
from torch.nn import functional

from engine.core.errors import UsageError
from engine.core.schemes import EDGES
from tests.fakes.images import images
from tests.fakes.trained_looking import trained_looking
from trainer.networks import network_of, shape_of
from trainer.networks.anisotropic_attention import AnisotropicAttention, edge_membership, instance_norm
from trainer.networks.heatmap import cell_centres
from trainer.networks.star import StarNetwork, StarShape

REFERENCE = StarShape(encoder="mobilevitv2", encoder_width=0.5, neck="repeat", input_size=64)
OURS = replace(REFERENCE, neck="pyramid", channels=32)
# First and last point, and whether they are joined: jaw, brows, nose ridge, nostrils, eyes, outer lip, inner lip.
PUBLISHED_EDGES = {
    68: [
        (0, 16, False),
        (17, 21, False),
        (22, 26, False),
        (27, 30, False),
        (31, 35, False),
        (36, 41, True),
        (42, 47, True),
        (48, 59, True),
        (60, 67, True),
    ],
    98: [
        (0, 32, False),
        (33, 41, True),
        (42, 50, True),
        (51, 54, False),
        (55, 59, False),
        (60, 67, True),
        (68, 75, True),
        (76, 87, True),
        (88, 95, True),
    ],
}


def features(channels=16, side=8):
    return torch.randn(2, channels, side, side, generator=torch.Generator().manual_seed(3))


@torch.no_grad()
@pytest.mark.parametrize(
    "shape",
    [
        replace(OURS, encoder="swinv2_tiny", neck="transposed", input_size=128),
        replace(OURS, encoder="mobilenetv2", neck="transposed"),
        OURS,
        replace(REFERENCE, points=98),
    ],
    ids=lambda shape: f"{shape.encoder}-{shape.neck}",
)
def test_every_encoder_and_neck_gives_maps_of_a_quarter_of_the_side(shape):
    side = shape.input_size // 4
    output = network_of(shape).eval()(images(shape.input_size))
    assert output.points.shape == (2, shape.points, 2)
    assert ((output.points > 0) & (output.points < 1)).all()
    assert output.confidence_logits.shape == (2, shape.points)
    assert output.heatmap_logits is None
    assert output.attention.fused.shape == output.attention.points.shape == (2, shape.points, side, side)
    assert output.attention.edges.shape == (2, 9, side, side)
    assert shape_of(asdict(shape)) == shape


@torch.no_grad()
def test_maps_lie_in_their_ranges_and_points_are_the_means_of_the_fused_maps():
    output = StarNetwork(OURS).eval()(images())
    fused, points, edges = output.attention
    assert fused.min() >= 0
    for maps in (points, edges):
        assert 0 < maps.min() <= maps.max() < 1
    shares = fused.flatten(2) / fused.flatten(2).sum(-1, keepdim=True)
    assert torch.allclose(output.points, shares @ cell_centres(16, 16), atol=1e-6)


@torch.no_grad()
def test_fused_maps_are_heatmaps_times_point_maps_times_the_sum_of_their_edges():
    module = AnisotropicAttention(16, 98)
    maps = module(features())
    heatmaps = functional.relu(functional.instance_norm(module.heatmaps(features())))
    pupil, corner = 96, 60
    assert torch.allclose(maps.fused[:, pupil], (heatmaps * maps.points)[:, pupil], atol=1e-6), "a pupil is on no edge"
    of_eye = next(index for index, edge in enumerate(EDGES[98]) if corner in edge.points)
    expected = (heatmaps * maps.points)[:, corner] * maps.edges[:, of_eye]
    assert torch.allclose(maps.fused[:, corner], expected, atol=1e-6)


def test_the_written_out_norm_is_instance_norm():
    maps = 3 + 5 * features()
    assert torch.allclose(instance_norm(maps), functional.instance_norm(maps), atol=1e-5)


@pytest.mark.parametrize(("points", "alone"), [(68, []), (98, [96, 97])])
def test_edges_are_the_nine_of_the_literature(points, alone):
    membership, on_none = edge_membership(EDGES[points], points)
    assert membership.shape == (points, 9)
    assert on_none.nonzero()[:, 0].tolist() == alone
    expected = {(tuple(range(first, last + 1)), closed) for first, last, closed in PUBLISHED_EDGES[points]}
    assert {(edge.points, edge.closed) for edge in EDGES[points]} == expected


@torch.no_grad()
def test_repeated_cells_evaluated_once_give_the_published_numbers():
    network = StarNetwork(REFERENCE).eval()
    output = network(images())
    repeated = functional.interpolate(network.encoder(images())[-1], scale_factor=8.0)
    published = network.head(repeated)
    for ours, theirs in zip(output.attention, published, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-4)
    shares = published.fused.flatten(2)
    points = shares @ cell_centres(16, 16) / shares.sum(-1, keepdim=True)
    assert torch.allclose(output.points, points, atol=1e-5)


@torch.no_grad()
def test_without_attention_the_softmax_of_the_heatmaps_counts():
    for neck in ("repeat", "pyramid"):
        output = StarNetwork(replace(OURS, neck=neck, attention=False)).eval()(images())
        assert output.attention is None
        assert output.heatmap_logits.shape == (2, 68, 16, 16)
        means = output.heatmap_logits.flatten(2).softmax(-1) @ cell_centres(16, 16)
        assert torch.allclose(output.points, means, atol=1e-5)


@torch.no_grad()
def test_noise_is_only_heard_in_training():
    network = StarNetwork(replace(OURS, encoder="mobilenetv2", neck="transposed")).eval()
    assert torch.equal(network(images()).points, network(images()).points)
    network.decoder.train()
    assert not torch.equal(network(images()).points, network(images()).points)


@torch.no_grad()
def test_folding_the_constants_changes_no_point():
    network = trained_looking(StarNetwork(replace(OURS, encoder="mobilenetv2")))
    before = network(images()).points
    network.fold_constants()
    assert torch.allclose(before, network(images()).points, atol=1e-5)


def test_the_reference_student_has_the_published_size():
    """Its file of float16 weights has 2.64 MB, graph included."""
    student = StarNetwork(replace(REFERENCE, points=68, input_size=256))
    assert sum(parameter.numel() for parameter in student.parameters()) == pytest.approx(1.2e6, rel=0.1)


def test_the_gradient_of_the_confidence_changes_nothing_else():
    network = StarNetwork(OURS)
    network(images()).confidence_logits.sum().backward()
    changed = {name for name, parameter in network.named_parameters() if parameter.grad is not None}
    assert changed == {"peak_weight", "visibility.weight", "visibility.bias"}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"neck": "long"}, "no neck “long”"),
        ({"encoder": "resnet"}, "no encoder “resnet”"),
        ({"input_size": 96}, "multiple of 64"),
        ({"encoder": "mobilenetv2", "input_size": 112}, "The neck repeat cannot make maps for pictures of 112 pixels"),
        ({"points": 5}, "no markup with edges “5”"),
        ({"channels": 0}, "The field channels cannot be 0"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(changes, says):
    with pytest.raises(UsageError, match=says):
        replace(REFERENCE, **changes)
