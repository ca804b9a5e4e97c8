"""The weights that a run starts from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from engine.core.errors import UsageError
from trainer.checkpoint import CHANGED
from trainer.init.from_timm import is_timm_file, load_timm
from trainer.init.origin import is_model, read_origin
from trainer.init.pretrained import imagenet_mobilenetv2, load_imagenet, load_imagenet_resnet, load_trained
from trainer.init.resize import fits_into, grow_network, slim_encoder, slim_network
from trainer.init.transfer import copy_parts, with_points
from trainer.networks import LandmarkNetwork, NetworkShape, network_of, shape_of
from trainer.networks.encoders import ResNet50
from trainer.networks.heatmap import HeatmapNetwork, HeatmapShape
from trainer.networks.mobilenetv2 import PUBLISHED_EXPANSIONS, MobileNetV2
from trainer.networks.regression import RegressionShape
from trainer.recipes.schema import FRESH_WEIGHTS

Report = Callable[[str], object]  # takes a sentence for the user


def make_network(shape: NetworkShape, init: str, seed: int, report: Report = lambda _: None) -> LandmarkNetwork:
    """Return a network ready for training.

    Args:
        shape: its sizes.
        init: `random`; `imagenet`, for the encoder; the path of a file of timm, for the encoder too (see
            `trainer.init.from_timm`); or the path of a checkpoint or an exported model: of the same
            network; with heatmaps, of a wider or a narrower one; for regression, of a heatmap network whose encoder
            has the same sizes; otherwise of a network of which a part fits, such as its encoder or its heads, while
            the others stay random. It may be of another markup.
        seed: of the random weights.
        report: is given a sentence where a network is taken over part by part.

    Raises:
        UsageError: the weights named by `init` cannot be had, or fit no such network.
    """
    torch.manual_seed(seed)
    network = network_of(shape)
    if init == "imagenet":
        _start_from_imagenet(network)
    elif init not in FRESH_WEIGHTS:
        _start_from_run(network, Path(init), report)
    return network


def load_network(path: Path) -> LandmarkNetwork:
    """Return the network of a checkpoint with its averaged weights, or that of a `.tflite` model.

    Raises:
        UsageError: the file is no checkpoint of a network of this program, or the model is not of a heatmap network
            with MobileNetV2 or MobileViT-v2.
        ModelError: the model or its card is missing or damaged.
    """
    checkpoint = read_origin(path)
    try:
        network = network_of(shape_of(checkpoint.recipe["network"]))
        network.load_state_dict(checkpoint.ema)
        if not all(bool(torch.isfinite(tensor).all()) for tensor in checkpoint.ema.values()):
            raise ValueError("its weights are not all finite numbers")
    except (*CHANGED, RuntimeError) as error:
        raise UsageError(
            f"The checkpoint {path} holds another network ({str(error).partition(chr(10))[0]})",
            "it was made by another version of this program",
            "give a checkpoint of this version, or train again",
        ) from error
    return network.eval()


def _start_from_imagenet(network: LandmarkNetwork) -> None:
    if _fresh_weights(network) == "random":
        raise UsageError(
            f"There are no ImageNet weights for {network.shape.encoder}",
            "no package that can be installed carries them",
            "train with --set init=random",
        )
    if isinstance(network.encoder, MobileNetV2):
        wide = imagenet_mobilenetv2()
        if not fits_into(network.encoder, wide):
            raise UsageError(
                "The ImageNet weights of MobileNetV2 do not fit this network",
                f"they are of width 1 and the expansions {list(PUBLISHED_EXPANSIONS)}, and can only be made narrower",
                "choose no larger network.encoder_width and network.expansions, or --set init=random",
            )
        slim_encoder(wide, network.encoder)
    elif isinstance(network.encoder, ResNet50):
        load_imagenet_resnet(network.encoder)
    else:
        load_imagenet(network.encoder)


def _fresh_weights(network: LandmarkNetwork) -> str:
    """Return the best weights that a network can begin with without a former run."""
    return "imagenet" if network.shape.encoder in ("mobilenetv2", "mobilenetv2_100", "resnet50") else "random"


def _start_from_run(network: LandmarkNetwork, path: Path, report: Report) -> None:
    if not path.is_file() and not is_model(path):  # of models the engine says what is missing
        raise UsageError(
            f"The weights to start from, {path}, are not there",
            "the file was moved, or the path is meant from another folder than the current one",
            f"give its right path, or choose with --set init={_fresh_weights(network)}",
        )
    if is_timm_file(path):
        load_timm(network, path)
        report(f"The encoder begins with the weights of {path}.")
        return
    given = with_points(load_network(path), network.shape.points)
    if given.shape == network.shape:
        network.load_state_dict(given.state_dict())
    elif not _taken_over_by_width(given, network):
        _take_over_parts(given, network, path, report)


def _take_over_parts(given: LandmarkNetwork, network: LandmarkNetwork, path: Path, report: Report) -> None:
    if isinstance(given.encoder, MobileNetV2) and _same_encoder(given.shape, network.shape):
        load_trained(network.encoder, given.encoder)
        report(f"Parts taken over from {path}: encoder.")
    elif copied := copy_parts(given, network):
        report(f"Parts taken over from {path}: {', '.join(copied)}.")
    else:
        raise UsageError(
            f"The weights to start from, {path}, are of another architecture",
            f"that run holds {given.shape}, this recipe wants {network.shape}",
            f"choose with --set init={_fresh_weights(network)}, or give the run of the same network",
        )


def _taken_over_by_width(given: LandmarkNetwork, network: LandmarkNetwork) -> bool:
    """Copy a heatmap network with MobileNetV2 into a wider or a narrower one; return whether it is one."""
    if not (isinstance(given, HeatmapNetwork) and isinstance(network, HeatmapNetwork)):
        return False
    if given.shape.stride != network.shape.stride or not given.shape.encoder == network.shape.encoder == "mobilenetv2":
        return False
    if fits_into(given, network):
        grow_network(given, network)
    elif fits_into(network, given):
        slim_network(given, network)
    else:
        return False
    return True


def _same_encoder(given: NetworkShape, wanted: NetworkShape) -> bool:
    if not (isinstance(given, HeatmapShape) and isinstance(wanted, RegressionShape)):
        return False
    published = (given.encoder_width, given.expansions) == (1.0, PUBLISHED_EXPANSIONS)
    return published and wanted.encoder == "mobilenetv2_100"
