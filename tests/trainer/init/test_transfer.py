"""Starts from other networks: what fits is copied part by part, and points keep what is known of them."""

from dataclasses import asdict, replace

import pytest
import torch

from engine.core.errors import UsageError
from engine.core.schemes import WFLW_98
from trainer.checkpoint import Checkpoint, write_checkpoint
from trainer.init.initialise import load_network, make_network
from trainer.init.transfer import point_weights
from trainer.networks import network_of
from trainer.networks.heatmap import HeatmapShape
from trainer.networks.regression import RegressionShape
from trainer.networks.star import StarShape

HEATMAP = HeatmapShape(decoder_width=16, input_size=64)
STAR = StarShape(encoder="mobilenetv2", neck="pyramid", channels=16, input_size=64)


def save(path, shape):
    torch.manual_seed(7)
    weights = network_of(shape).state_dict()
    average = {name: tensor.clone() for name, tensor in weights.items()}
    write_checkpoint(path, Checkpoint(0, {"network": asdict(shape)}, weights, average, {}, {}))
    return str(path)


def pictures():
    return 255 * torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def test_a_network_with_attention_takes_over_encoder_and_decoder_of_a_heatmap_network(tmp_path):
    start = save(tmp_path / "heatmap", HEATMAP)
    given, network = load_network(tmp_path / "heatmap"), make_network(STAR, start, 0)
    assert same(network.encoder, given.encoder)
    assert same(network.decoder.laterals, given.decoder.laterals)
    assert same(network.visibility, given.visibility)


@torch.no_grad()
def test_without_attention_the_heads_of_a_heatmap_network_give_its_points(tmp_path):
    network = make_network(replace(STAR, attention=False), save(tmp_path / "heatmap", HEATMAP), 0).eval()
    given = load_network(tmp_path / "heatmap")
    assert torch.allclose(network(pictures()).points, given(pictures()).points, atol=1e-6)


@torch.no_grad()
def test_attention_begins_with_the_logits_of_a_heatmap_network_as_point_maps_and_with_even_edges(tmp_path):
    network = make_network(STAR, save(tmp_path / "heatmap", HEATMAP), 0).eval()
    logits = load_network(tmp_path / "heatmap")(pictures()).heatmap_logits
    maps = network(pictures()).attention
    assert torch.allclose(maps.points.logit(), logits - 13, atol=1e-3)
    assert (maps.edges == 0.5).all()
    low = logits < logits.mean((2, 3), keepdim=True) - 1e-4
    assert (maps.fused[low] == 0).all()


def test_a_student_takes_over_the_heads_of_a_teacher_of_another_encoder(tmp_path):
    start = save(tmp_path / "teacher", replace(STAR, neck="transposed", channels=256))
    student = StarShape(encoder="mobilevitv2", encoder_width=0.5, neck="repeat", input_size=64)
    network = make_network(student, start, 0)
    teacher = load_network(tmp_path / "teacher")
    assert same(network.head, teacher.head)
    fresh = make_network(student, "random", 0)
    assert same(network.encoder, fresh.encoder), "no tensor of another encoder strayed into it"


@torch.no_grad()
def test_a_network_of_coarser_maps_takes_over_the_decoder_below_the_largest_ones(tmp_path):
    start = save(tmp_path / "fine", HEATMAP)
    network, given = make_network(replace(HEATMAP, input_size=128, stride=8), start, 0), load_network(tmp_path / "fine")
    assert same(network.encoder, given.encoder)
    assert same(network.decoder.laterals, given.decoder.laterals[1:])
    assert same(network.decoder.smooth, given.decoder.smooth[1:])
    assert same(network.decoder.predict, given.decoder.predict)


def test_a_network_of_which_no_part_fits_is_refused(tmp_path):
    start = save(tmp_path / "teacher", replace(STAR, neck="transposed", channels=32))
    student = StarShape(encoder="mobilevitv2", encoder_width=0.5, neck="repeat", input_size=64)
    with pytest.raises(UsageError, match="are of another architecture"):
        make_network(student, start, 0)


def test_of_98_points_those_of_68_keep_their_rows_and_the_others_begin_as_their_neighbours(tmp_path):
    start = save(tmp_path / "68", STAR)
    given, network = load_network(tmp_path / "68"), make_network(replace(STAR, points=98), start, 0)
    assert same(network.encoder, given.encoder)
    assert torch.equal(network.head.edges.weight, given.head.edges.weight)
    old, new = given.head.points.weight, network.head.points.weight
    assert torch.equal(new[list(WFLW_98.as_68)], old)
    assert torch.allclose(new[1], (old[0] + old[1]) / 2), "jaw points 0 and 2 of 98 are 0 and 1 of 68"
    assert torch.allclose(new[40], old[19]), "point 40 lies below 35, which is 19 of 68"
    assert torch.allclose(new[97], old[42:48].mean(0)), "the left pupil"
    assert torch.allclose(network.peak_weight, torch.ones(98))


@pytest.mark.parametrize("shape", [HEATMAP, RegressionShape(input_size=64)])
def test_other_networks_learn_98_points_from_68_too(tmp_path, shape):
    wanted = replace(shape, points=98)
    network = make_network(wanted, save(tmp_path / "68", shape), 0).eval()
    given = load_network(tmp_path / "68")
    with torch.no_grad():
        found, expected = network(pictures()).points[:, list(WFLW_98.as_68)], given(pictures()).points
    assert torch.allclose(found, expected, atol=1e-5)


def test_every_point_of_98_is_a_mean_of_points_of_68_and_back_again():
    up, down = point_weights(68, 98), point_weights(98, 68)
    assert torch.allclose(up.sum(1), torch.ones(98))
    assert torch.equal(down @ up, torch.eye(68))


def test_there_is_no_start_between_markups_that_share_nothing(tmp_path):
    with pytest.raises(UsageError, match="A network of 68 points cannot start one of 29"):
        make_network(replace(HEATMAP, points=29), save(tmp_path / "68", HEATMAP), 0)
