"""The networks: folding and slimming change no number they must not change."""

import pytest
import torch

from trainer.networks.heatmap import HeatmapNetwork, HeatmapShape
from trainer.networks.mobilenetv2 import MobileNetV2, Stem
from trainer.networks.slimming import most_important, slim_encoder, slim_network

TINY = HeatmapShape(encoder_width=0.35, expansions=(1, 3, 3, 3, 3, 3), decoder_width=24, input_size=64)


@torch.no_grad()
def trained_looking(network):
    """Give the norms the look of a trained network; fresh ones would hide mistakes."""
    generator = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for tensor, low, high in ((module.weight, 0.5, 1.5), (module.bias, -0.3, 0.3)):
                tensor.copy_(low + (high - low) * torch.rand(tensor.shape, generator=generator))
            module.running_mean.copy_(0.1 * torch.randn(module.num_features, generator=generator))
            module.running_var.copy_(0.5 + torch.rand(module.num_features, generator=generator))
    return network.eval()


def images(side=64):
    return 255 * torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(1))


def test_features_stand_at_strides_4_8_16_32():
    features = MobileNetV2(0.35)(images())
    assert [feature.shape[-1] for feature in features] == [16, 8, 4, 2]
    assert tuple(feature.shape[1] for feature in features) == MobileNetV2(0.35).channels


def test_outputs_have_the_shapes_of_the_contract_and_points_lie_in_the_crop():
    output = trained_looking(HeatmapNetwork(TINY))(images())
    assert output.points.shape == (2, 68, 2)
    assert output.confidence_logits.shape == (2, 68)
    assert ((output.points > 0) & (output.points < 1)).all()


def test_the_folded_stem_computes_the_same_border_included():
    stem = Stem(8)
    trained_looking(stem)
    with torch.no_grad():
        assert torch.allclose(stem(images()), stem.folded()(images()), atol=2e-5)


def test_slimming_to_the_same_size_is_a_copy():
    wide = trained_looking(HeatmapNetwork(TINY))
    narrow = HeatmapNetwork(TINY).eval()
    slim_network(wide, narrow)
    with torch.no_grad():
        assert torch.equal(wide(images()).points, narrow(images()).points)
        assert torch.equal(wide(images()).confidence_logits, narrow(images()).confidence_logits)


def test_slimming_drops_only_channels_of_no_importance():
    """Hidden channels whose scale and shift are zero carry nothing; without them the output stays."""
    wide = trained_looking(MobileNetV2(0.35, (1, 4, 4, 4, 4, 4)))
    with torch.no_grad():
        for stage in list(wide.stages)[1:]:
            for block in stage:
                norm = block.layers[2][1]  # of the depthwise convolution
                dead = torch.arange(0, norm.num_features, 2)
                norm.weight[dead] = 0
                norm.bias[dead] = 0
    narrow = MobileNetV2(0.35, (1, 2, 2, 2, 2, 2)).eval()
    slim_encoder(wide, narrow)
    with torch.no_grad():
        for expected, found in zip(wide(images()), narrow(images()), strict=True):
            assert torch.allclose(expected, found, atol=1e-4)


def test_the_most_important_channels_keep_their_order():
    norm = torch.nn.BatchNorm2d(4)
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([0.1, -3.0, 0.2, 2.0]))
    assert most_important([norm], 2).tolist() == [1, 3]


def test_imagenet_weights_load_in_order():
    pretrained = pytest.importorskip("trainer.networks.pretrained")
    pytest.importorskip("importlib.metadata").distribution(pretrained.PACKAGE)
    network = pretrained.imagenet_mobilenetv2().eval()
    assert network.stages[0][0].layers[0][0].weight.shape == (32, 1, 3, 3)
    with torch.no_grad():
        deepest = network(images(128))[-1]
    assert 0.1 < deepest.std() < 1.5, "activations of a network whose weights fit its norms"
