"""The networks: folding and resizing change no number they must not change."""

from dataclasses import asdict, replace

import pytest
import torch

from engine.core.errors import UsageError
from tests.fakes.images import images
from tests.fakes.trained_looking import trained_looking
from trainer.checkpoint import Checkpoint, write_checkpoint
from trainer.init.initialise import load_network, make_network
from trainer.init.pretrained import imagenet_mobilenetv2
from trainer.init.resize import fits_into, grow_network, most_important, slim_encoder, slim_network
from trainer.networks import network_of
from trainer.networks.heatmap import HeatmapNetwork, HeatmapShape, cell_centres
from trainer.networks.mobilenetv2 import MobileNetV2, Stem
from trainer.networks.regression import RegressionNetwork, RegressionShape

TINY = HeatmapShape(encoder_width=0.35, expansions=(1, 3, 3, 3, 3, 3), decoder_width=24, input_size=64)


def test_features_stand_at_strides_4_8_16_32():
    features = MobileNetV2(0.35)(images())
    assert [feature.shape[-1] for feature in features] == [16, 8, 4, 2]
    assert tuple(feature.shape[1] for feature in features) == MobileNetV2(0.35).channels


def test_where_a_side_is_no_multiple_of_32_the_deepest_map_rounds_up_and_points_lie_in_the_crop():
    network = trained_looking(HeatmapNetwork(replace(TINY, input_size=112)))
    assert [feature.shape[-1] for feature in network.encoder(images(112))] == [28, 14, 7, 4]
    points = network(images(112)).points
    assert ((points > 0) & (points < 1)).all()


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


def test_narrowing_to_the_same_size_is_a_copy():
    wide = trained_looking(HeatmapNetwork(TINY))
    narrow = HeatmapNetwork(TINY).eval()
    slim_network(wide, narrow)
    with torch.no_grad():
        assert torch.equal(wide(images()).points, narrow(images()).points)
        assert torch.equal(wide(images()).confidence_logits, narrow(images()).confidence_logits)


def test_narrowing_drops_only_channels_of_no_importance():
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
    pretrained = pytest.importorskip("trainer.init.pretrained")
    pytest.importorskip("importlib.metadata").distribution(pretrained.PACKAGE)
    network = pretrained.imagenet_mobilenetv2().eval()
    assert network.stages[0][0].layers[0][0].weight.shape == (32, 1, 3, 3)
    with torch.no_grad():
        deepest = network(images(128))[-1]
    assert 0.1 < deepest.std() < 1.5, "activations of a network whose weights fit its norms"


def test_widening_changes_no_point_and_leaves_room_to_learn():
    narrow = trained_looking(HeatmapNetwork(TINY))
    wide = HeatmapNetwork(replace(TINY, expansions=(1, 4, 4, 4, 4, 4), decoder_width=32)).eval()
    grow_network(narrow, wide)
    with torch.no_grad():
        assert torch.allclose(narrow(images()).points, wide(images()).points, atol=1e-6)
    assert fits_into(narrow, wide)
    assert not fits_into(wide, narrow)
    wide.train()(images()).points.sum().backward()
    assert wide.decoder.predict.weight.grad[:, 24:].abs().max() > 0


def test_a_run_goes_on_from_the_same_a_wider_or_a_narrower_network_but_from_no_other(tmp_path):
    narrow, wide = TINY, replace(TINY, decoder_width=32)
    for name, shape in (("narrow", narrow), ("wide", wide)):
        save(tmp_path / name, shape)
    for shape, name in ((narrow, "narrow"), (wide, "wide"), (wide, "narrow")):
        assert same_points(make_network(shape, str(tmp_path / name), 1), load_network(tmp_path / name))
    slimmed, given = make_network(narrow, str(tmp_path / "wide"), 1), load_network(tmp_path / "wide")
    kept = most_important([lateral[1] for lateral in given.decoder.laterals], 24)
    assert torch.equal(slimmed.decoder.predict.weight, given.decoder.predict.weight[:, kept])
    with pytest.raises(UsageError, match="are of another architecture"):
        make_network(RegressionShape(), str(tmp_path / "wide"), 0)


def test_what_is_wider_in_one_place_and_narrower_in_another_is_refused(tmp_path):
    save(tmp_path / "run", TINY)
    mixed = replace(TINY, encoder_width=0.25, decoder_width=32)
    with pytest.raises(UsageError, match="are of another architecture"):
        make_network(mixed, str(tmp_path / "run"), 0)


def test_a_network_of_other_layers_takes_over_the_decoder_alone(tmp_path):
    save(tmp_path / "run", TINY)
    reported = []
    deeper = make_network(replace(TINY, expansions=(2, 3, 3, 3, 3, 3)), str(tmp_path / "run"), 0, reported.append)
    assert torch.equal(deeper.decoder.predict.weight, load_network(tmp_path / "run").decoder.predict.weight)
    assert [sentence.rpartition(": ")[2] for sentence in reported] == ["peak_weight, decoder, visibility."]


@torch.no_grad()
def same_points(network, other):
    return torch.allclose(network.eval()(images()).points, other(images()).points, atol=1e-6)


@pytest.mark.parametrize("change", [{"encoder_width": 1.4}, {"expansions": (2, 6, 6, 6, 6, 6)}])
def test_imagenet_weights_are_never_made_wider(change):
    with pytest.raises(UsageError, match="do not fit this network"):
        make_network(HeatmapShape(**change), "imagenet", 0)


def save(path, shape):
    torch.manual_seed(0)
    weights = network_of(shape).state_dict()
    average = {name: tensor.clone() for name, tensor in weights.items()}
    write_checkpoint(path, Checkpoint(0, {"network": asdict(shape)}, weights, average, {}, {}))


@pytest.mark.parametrize(("encoder", "weights"), [("mobilenetv2_100", 2.4), ("efficientnet_b3", 11.0)])
def test_regression_networks_have_the_published_sizes_and_start_at_the_centre(encoder, weights):
    network = RegressionNetwork(RegressionShape(encoder=encoder, input_size=64)).eval()
    with torch.no_grad():
        network.offsets.weight.zero_()
        network.offsets.bias.zero_()
        output = network(images())
    assert output.points.shape == (2, 68, 2)
    assert (output.points == 0.5).all()
    assert output.heatmap_logits is None
    own = sum(parameter.numel() for parameter in network.parameters()) - 68 * (network.encoder.num_features + 1)
    assert own / 1e6 == pytest.approx(weights, abs=0.1)


def test_offsets_point_from_the_landmark_to_the_centre():
    network = RegressionNetwork(RegressionShape(input_size=64)).eval()
    with torch.no_grad():
        network.offsets.weight.zero_()
        network.offsets.bias.fill_(0.25)
        assert (network(images()).points == 0.25).all(), "published target: (centre - point) / side"


def test_confidence_of_a_regression_network_does_not_change_its_encoder():
    network = RegressionNetwork(RegressionShape(input_size=64))
    network(images()).confidence_logits.sum().backward()
    assert all(parameter.grad is None for parameter in network.encoder.parameters())


def test_folding_the_constants_changes_no_point():
    network = trained_looking(RegressionNetwork(RegressionShape(input_size=64)))
    with torch.no_grad():
        before = network(images()).points
        network.fold_constants()
        assert torch.allclose(before, network(images()).points, atol=1e-4)


def test_imagenet_weights_of_the_regression_student_are_those_of_the_encoder():
    """Both read the same file; the features at stride 32 agree but for the border, which is padded differently."""
    shape = RegressionShape(input_size=128)
    regression = make_network(shape, "imagenet", 0).eval()
    first = load_first_features(regression.encoder, images(128) / 255)
    own = imagenet_mobilenetv2().eval()
    with torch.no_grad():
        expected = own.stages[0](own.stem(images(128)))
    assert torch.allclose(first[:, :, 4:-4, 4:-4], expected[:, :, 4:-4, 4:-4], atol=1e-3)


@torch.no_grad()
def load_first_features(encoder, pixels):
    return encoder.blocks[0](encoder.bn1(encoder.conv_stem(pixels)))


def test_there_are_no_imagenet_weights_for_the_published_teacher():
    with pytest.raises(UsageError, match="no ImageNet weights for efficientnet_b3"):
        make_network(RegressionShape(encoder="efficientnet_b3"), "imagenet", 0)


def test_a_regression_student_takes_over_the_encoder_of_a_heatmap_teacher(tmp_path):
    save(tmp_path / "teacher", HeatmapShape(input_size=64))
    student = make_network(RegressionShape(input_size=64), str(tmp_path / "teacher"), 0).eval()
    teacher = load_network(tmp_path / "teacher")
    first = load_first_features(student.encoder, images() / 255)
    with torch.no_grad():
        expected = teacher.encoder.stages[0](teacher.encoder.stem(images()))
    assert torch.allclose(first[:, :, 4:-4, 4:-4], expected[:, :, 4:-4, 4:-4], atol=1e-3)
    last = student.encoder.blocks[5][2].conv_pwl.weight
    assert torch.equal(last, teacher.encoder.stages[5][2].layers[-1][0].weight)


def test_the_soft_argmax_of_a_single_bright_cell_is_its_centre():
    centres = cell_centres(4, 8)
    assert centres[0].tolist() == [0.0625, 0.125]
    assert centres[8 * 2 + 3].tolist() == [3.5 / 8, 2.5 / 4]
