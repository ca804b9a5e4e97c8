"""MobileViT-v2: the same numbers as the published network, in a form whose tensors stay flat."""

from dataclasses import asdict

import pytest
import torch

from engine.core.errors import UsageError
from tests.fakes.images import images
from tests.fakes.trained_looking import trained_looking
from trainer.networks import shape_of
from trainer.networks.heatmap import HeatmapNetwork, HeatmapShape
from trainer.networks.mobilevit import MobileViTV2, SeparableAttention, WholeMapNorm
from trainer.networks.star import StarNetwork, StarShape
from trainer.networks.timm_models import create_model
from trainer.recipes.former import translated

COUNTER = "num_batches_tracked"


def in_our_order(state):
    """Yield timm's tensors with its one projection cut into ours: query, key and value, each weight and bias."""
    names = [name for name in state if not name.endswith(COUNTER)]
    for index, name in enumerate(names):
        if name.endswith("qkv_proj.weight"):
            channels = (len(state[name]) - 1) // 2
            sizes = [1, channels, channels]
            pairs = zip(state[name].split(sizes), state[names[index + 1]].split(sizes), strict=True)
            yield from (tensor for pair in pairs for tensor in pair)
        elif not name.endswith("qkv_proj.bias"):
            yield state[name]


@torch.no_grad()
def test_it_computes_what_timms_network_does_with_the_same_weights():
    torch.manual_seed(0)
    published = create_model("mobilevitv2_050", num_classes=0).eval()
    own = MobileViTV2(0.5).eval()
    names = [name for name in own.state_dict() if not name.endswith(COUNTER)]
    given = dict(zip(names, in_our_order(published.state_dict()), strict=True))
    shapes = {name: tensor.shape for name, tensor in own.state_dict().items()}
    own.load_state_dict({name: tensor.reshape(shapes[name]) for name, tensor in given.items()}, strict=False)
    own.stem.mean.zero_()
    own.stem.deviation.fill_(1)
    assert torch.allclose(own(images(128))[-1], published.forward_features(images(128)), atol=5e-5)


def test_features_stand_at_strides_4_8_16_32_at_both_input_sizes():
    network = MobileViTV2(0.5).eval()
    for side in (128, 256):
        features = network(images(side, 1))
        assert [feature.shape[-1] for feature in features] == [side // 4, side // 8, side // 16, side // 32]
        assert tuple(feature.shape[1] for feature in features) == network.channels == (64, 128, 192, 256)


@torch.no_grad()
def test_a_face_alone_and_in_a_batch_give_the_same():
    """A face alone is how the network is exported; there the context broadcasts without being repeated."""
    attention = SeparableAttention(8)
    pixels = torch.randn(3, 4, 6, 8, generator=torch.Generator().manual_seed(2))
    alone = torch.cat([attention(face[None]) for face in pixels])
    assert torch.allclose(attention(pixels), alone, atol=1e-6)


@torch.no_grad()
def test_attention_joins_only_pixels_of_the_same_place_in_their_patches():
    attention = SeparableAttention(8)
    pixels = torch.randn(1, 4, 4, 8, generator=torch.Generator().manual_seed(2))
    changed = pixels.clone()
    changed[0, 0, 1] += 1
    moved = (attention(changed) - attention(pixels)).abs().amax(-1)[0] > 1e-6
    assert moved[::2, 1::2].all()
    assert moved.sum() == 4


def test_no_tensor_of_the_network_has_a_rank_above_4():
    network = HeatmapNetwork(mobile(input_size=128)).eval()
    program = torch.export.export(network, (images(128, 1),))
    ranks = [node.meta["val"].ndim for node in program.graph.nodes if isinstance(node.meta.get("val"), torch.Tensor)]
    assert len(ranks) > 500
    assert max(ranks) == 4


@torch.no_grad()
@pytest.mark.parametrize("stride", [4, 8])
def test_the_folded_heatmap_network_computes_the_same(stride):
    network = trained_looking(HeatmapNetwork(mobile(stride=stride, activation="hardswish")))
    norms = [module for module in network.modules() if isinstance(module, WholeMapNorm)]
    for norm in norms:
        norm.weight.uniform_(0.5, 2)
        norm.bias.normal_()
    before = network(images(64))
    network.fold_constants()
    after = network(images(64))
    assert len(norms) == 21
    assert not any(isinstance(module, WholeMapNorm) for module in network.modules())
    assert before.heatmap_logits.shape == (2, 68, 64 // stride, 64 // stride)
    assert torch.allclose(before.points, after.points, atol=1e-5)
    assert torch.allclose(before.confidence_logits, after.confidence_logits, atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("neck", ["repeat", "pyramid"])
def test_the_folded_network_with_attention_computes_the_same(neck):
    shape = StarShape(encoder="mobilevitv2", encoder_width=0.5, neck=neck, channels=32, input_size=64)
    network = trained_looking(StarNetwork(shape))
    before = network(images(64))
    network.fold_constants()
    assert torch.allclose(before.points, network(images(64)).points, atol=1e-5)


@torch.no_grad()
def test_folded_blocks_leave_their_last_layer_to_the_layers_behind_them():
    network = HeatmapNetwork(mobile())
    network.fold_constants()
    features = network.encoder(images(64, 1))
    assert [feature.shape[1] for feature in features] == [64, 64, 96, 256], "two of them have half their channels"
    assert network.encoder.stages[1][0].expanding.in_channels == 32


def mobile(**changes):
    defaults = {"encoder": "mobilevitv2", "encoder_width": 0.5, "decoder_width": 16, "input_size": 64}
    return HeatmapShape(**{**defaults, **changes})


def test_shapes_of_older_checkpoints_mean_what_they_meant():
    old = {"points": 68, "encoder_width": 1.0, "expansions": [1, 4, 4, 4, 4, 4], "decoder_width": 64, "input_size": 128}
    record = translated({"name": "old", "start": "random", "shape": old})
    assert shape_of(record["network"]) == HeatmapShape(expansions=(1, 4, 4, 4, 4, 4))
    assert shape_of(asdict(mobile())) == mobile()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"input_size": 160}, "multiple of 64"),
        ({"encoder": "resnet"}, "no encoder “resnet”"),
        ({"stride": 2}, "no heatmap stride “2”"),
        ({"activation": "tanh"}, "no activation “tanh”"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(changes, says):
    with pytest.raises(UsageError, match=says):
        mobile(**changes)
