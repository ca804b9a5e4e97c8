"""Downloaded weights of timm: the encoder computes what timm's network does, or a sentence says why it cannot."""

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from engine.core.errors import UsageError
from tests.fakes.images import images
from trainer.init.from_timm import is_timm_file, load_timm, read_state
from trainer.init.initialise import make_network
from trainer.networks import network_of
from trainer.networks.encoders import TimmEncoder
from trainer.networks.regression import RegressionShape
from trainer.networks.star import StarShape
from trainer.networks.timm_models import create_model
from trainer.run import lineage

WINDOWS = (12, 12, 12, 6)
MOBILE = StarShape(encoder="mobilevitv2", encoder_width=0.5, neck="repeat", channels=16, input_size=64)
REGRESSION = RegressionShape(encoder="efficientnet_b0", input_size=64)


def saved(path, state):
    """Write a state dict in the form that the ending of the path says."""
    state = {name: tensor.contiguous() for name, tensor in state.items()}
    if path.suffix == ".safetensors":
        save_file(state, path, {"format": "pt"})
    else:
        torch.save({"state_dict": state}, path)
    return path


def made(name, **options):
    """A network of timm at random, classifier and all, whose batch norms are not as they begin."""
    torch.manual_seed(3)
    network = create_model(name, **options).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return network


@pytest.mark.parametrize("ending", [".safetensors", ".pth", ".bin"])
@torch.no_grad()
def test_mobilevit_reads_pixels_as_timms_does(tmp_path, ending):
    given = made("mobilevitv2_050", num_classes=10)
    path = saved(tmp_path / f"mobile{ending}", given.state_dict())
    said = []
    network = make_network(MOBILE, str(path), 0, said.append).eval()
    assert said == [f"The encoder begins with the weights of {path}."]
    pixels = images(64)
    # The border is black for both; inside our network it is so only after the mean is taken off.
    own, theirs = network.encoder(pixels)[-1], given.forward_features(pixels / 255)
    assert torch.allclose(own[:, :, 1:, 1:], theirs[:, :, 1:, 1:], atol=0.05 * float(theirs.abs().max()))


@pytest.mark.parametrize("name", ["efficientnet_b3", "tf_efficientnet_b3"])
@torch.no_grad()
def test_efficientnet_reads_values_from_0_to_1_as_timms_does_normalised_ones(tmp_path, name):
    given = made(name, num_classes=10)
    path = saved(tmp_path / "b3.safetensors", given.state_dict())
    network = make_network(RegressionShape(encoder=name, input_size=64), str(path), 0).eval()
    own = network.encoder.state_dict()
    same = [key for key in own if not key.startswith(("conv_stem", "bn1."))]
    assert all(torch.equal(own[key], given.state_dict()[key]) for key in same)
    assert len(same) > 500
    mean, deviation = (
        torch.tensor(v).reshape(1, 3, 1, 1) for v in ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
    )
    pixels = images(64)
    ours = network.encoder.bn1(network.encoder.conv_stem(pixels / 255))
    theirs = given.bn1(given.conv_stem((pixels - mean) / deviation))
    assert torch.allclose(ours[:, :, 1:-1, 1:-1], theirs[:, :, 1:-1, 1:-1], atol=1e-3)
    assert lineage(str(path), {str(path): path})[0].startswith("downloaded weights b3.safetensors (sha256 ")


@pytest.fixture(scope="module")
def swin():
    """SwinV2-tiny that was fine-tuned from smaller windows, and its tensors as older files have them: with tables."""
    network = made("swinv2_tiny_window8_256", num_classes=10, img_size=64, pretrained_window_sizes=WINDOWS)
    tables = {name: tensor for name, tensor in network.named_buffers() if "relative_" in name}
    return network, {**network.state_dict(), **tables}


@torch.no_grad()
def test_swin_scales_places_by_the_windows_that_its_weights_are_used_to(tmp_path, swin):
    given, state = swin
    path = saved(tmp_path / "swin.pth", state)
    shape = StarShape(encoder="swinv2_tiny", input_size=64, channels=16, pretrained_windows=WINDOWS)
    network = make_network(shape, str(path), 0).eval()
    pixels = images(64)
    normal = (pixels - network.encoder.mean) / network.encoder.deviation
    theirs = given.forward_features(normal).permute(0, 3, 1, 2)
    assert torch.allclose(network.encoder(pixels)[-1], theirs, atol=1e-4)
    with pytest.raises(
        UsageError, match="used to windows of 12, 12, 12, 6, the network's are scaled by 8, 8, 4, 2"
    ) as no:
        make_network(StarShape(encoder="swinv2_tiny", input_size=64, channels=16), str(path), 0)
    assert "network.pretrained_windows=[12, 12, 12, 6]" in no.value.fix


def test_the_published_teacher_can_be_built_and_its_places_are_scaled_as_published():
    encoder = TimmEncoder("swinv2_base", 256, WINDOWS)
    attention = [stage.blocks[0].attn for stage in encoder.body.layers]
    assert [one.window_size for one in attention] == [(16, 16), (16, 16), (16, 16), (8, 8)]
    assert [one.pretrained_window_size for one in attention] == [(side, side) for side in WINDOWS]
    assert encoder.channels == (128, 256, 512, 1024)


@pytest.mark.parametrize(
    ("shape", "name", "why"),
    [
        (REGRESSION, "mobilenetv2_050", "It lacks the tensor"),
        (MOBILE, "mobilenetv2_050", "It lacks the tensor"),
        (
            RegressionShape(encoder="mobilenetv2_100", input_size=64),
            "mobilenetv2_050",
            "Its tensor .* is .*, the encoder's",
        ),
        (
            StarShape(encoder="mobilenetv2", neck="pyramid", channels=16, input_size=64),
            "mobilenetv2_050",
            "Timm has no",
        ),
    ],
)
def test_weights_of_another_architecture_are_refused(tmp_path, shape, name, why):
    path = saved(tmp_path / "other.safetensors", create_model(name).state_dict())
    before = torch.random.get_rng_state()
    with pytest.raises(UsageError, match=f"are of another architecture than the encoder {shape.encoder}.*{why}"):
        make_network(shape, str(path), 0)
    torch.random.set_rng_state(before)


class Harmful:
    def __reduce__(self):
        return Path.touch, (Path("harm"),)


def test_a_pickle_of_objects_is_refused_and_nothing_of_it_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"conv.weight": torch.ones(1), "more": Harmful()}, tmp_path / "bad.pth")
    (tmp_path / "plain.bin").write_bytes(pickle.dumps(Harmful()))
    for name in ("bad.pth", "plain.bin"):
        with pytest.raises(UsageError, match="more than tensors and are refused"):
            make_network(REGRESSION, str(tmp_path / name), 0)
    assert not (tmp_path / "harm").exists()


def test_damaged_files_and_other_things_are_refused(tmp_path):
    whole = saved(tmp_path / "whole.pth", network_of(REGRESSION).encoder.state_dict())
    cut = tmp_path / "cut.pth"
    cut.write_bytes(whole.read_bytes()[:1000])
    torch.save([1, 2], tmp_path / "list.pth")
    torch.save({"a": torch.tensor(torch.nan)}, tmp_path / "nan.pth")
    for name, match in (("cut", "cannot be read|are refused"), ("list", "no state dict"), ("nan", "not all finite")):
        with pytest.raises(UsageError, match=match):
            read_state(tmp_path / f"{name}.pth")
    (tmp_path / "cut.safetensors").write_bytes(b"12345678")
    assert not is_timm_file(tmp_path / "cut.safetensors")
    with pytest.raises(UsageError, match="cannot be read"):
        make_network(REGRESSION, str(tmp_path / "cut.safetensors"), 0)


def test_weights_of_whole_numbers_are_refused(tmp_path):
    state = {
        name: (tensor * 50).to(torch.int8) if tensor.is_floating_point() else tensor
        for name, tensor in made("efficientnet_b0").state_dict().items()
    }
    network = network_of(REGRESSION)
    with pytest.raises(UsageError, match="holds int8, so it is of another precision"):
        load_timm(network, saved(tmp_path / "a.safetensors", state))
