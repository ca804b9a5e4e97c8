"""Encoder weights out of a downloaded file of timm: SwinV2, MobileViT-v2, and the encoders of coordinate regression.

The classifier is left out; everything else must fit. Tables of relative positions follow from the sizes of windows and
are computed again; where a file holds them, they tell which windows its weights are used to.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file

from engine.core.errors import UsageError
from engine.core.files import open_regular
from engine.core.texts import reason
from trainer.checkpoint import FORMAT, LARGEST
from trainer.init.pretrained import COUNTER, OURS, UNIT, read_pixels
from trainer.networks import LandmarkNetwork
from trainer.networks.encoders import TimmEncoder
from trainer.networks.mobilevit import MobileViTV2
from trainer.networks.regression import RegressionNetwork
from trainer.networks.timm_models import create_model

PICKLES = (".pth", ".pt", ".bin")
CLASSIFIERS = ("head.", "classifier.", "fc.")
TABLES = ("relative_coords_table", "relative_position_index", "attn_mask")
WRAPPERS = ("state_dict", "model", "state_dict_ema", "model_ema")
WIDEST = 512  # channels of MobileViT-v2's deepest feature at width 1
OCTAVES, RANGE = 3, 8  # of the log-spaced places in a window: log2(1 + 8 d / (W - 1)) / 3
Tensors = dict[str, torch.Tensor]


def is_timm_file(path: Path) -> bool:
    """Tell whether a path names a file that is no checkpoint of this program: a pickle, or foreign safetensors."""
    if path.suffix != ".safetensors":
        return path.suffix in PICKLES
    try:
        with open_regular(path, LARGEST), safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            return metadata.get("format") != FORMAT and not any(name.startswith("ema/") for name in file.keys())  # noqa: SIM118
    except (OSError, SafetensorError):
        return False  # what reads checkpoints says what is wrong


def load_timm(network: LandmarkNetwork, path: Path) -> None:
    """Give the encoder of a network the weights of a file of timm.

    Raises:
        UsageError: the file is damaged or holds more than tensors, is of another architecture or of other windows, or
            timm has no such encoder.
    """
    tensors, encoder = read_state(path), network.encoder
    given = {name: tensor for name, tensor in tensors.items() if not name.startswith(CLASSIFIERS)}
    if isinstance(encoder, TimmEncoder):
        _refuse_other_windows(encoder, given, path)
        own = {name: tensor for name, tensor in given.items() if not name.endswith(TABLES)}
        _fill(encoder.body, own, network, path)
    elif isinstance(encoder, MobileViTV2):
        _fill(encoder, _as_ours(encoder, given, network, path), network, path)
        stem: Any = encoder.stem
        read_pixels(stem.convolution, stem.norm, UNIT, OURS)
    elif isinstance(network, RegressionNetwork):
        body: Any = encoder
        _fill(body, given, network, path)
        read_pixels(body.conv_stem, body.bn1, OURS, UNIT)
    else:
        raise _other_architecture(network, path, f"timm has no encoder of the form of our {network.shape.encoder}")


def read_state(path: Path) -> Tensors:
    """Return the tensors of a file by name, without what training scripts wrap around them.

    Raises:
        UsageError: the file is damaged, or holds Python objects that could run code.
    """
    try:
        with open_regular(path, LARGEST) as file:
            state: Any = load_file(path) if path.suffix == ".safetensors" else _unpickled(file)
    except pickle.UnpicklingError as error:
        raise UsageError(
            f"The weights {path} hold more than tensors and are refused",
            "a pickle of Python objects can run code when it is opened, or the file is damaged",
            "give the .safetensors file of the same network, or its state dict alone",
        ) from error
    except Exception as error:  # of a damaged archive torch raises many kinds
        raise UsageError(
            f"The weights {path} cannot be read ({reason(error)})",
            "the file was cut off or damaged, or holds something else",
            "download it again",
        ) from error
    while isinstance(state, Mapping) and (inner := next((key for key in WRAPPERS if key in state), None)):
        state = state[inner]
    if not isinstance(state, Mapping) or not all(isinstance(tensor, torch.Tensor) for tensor in state.values()):
        raise UsageError(
            f"The weights {path} are no state dict",
            "they hold other things than tensors by name",
            "give the state dict of a network of timm",
        )
    tensors = {str(name).removeprefix("module."): tensor for name, tensor in state.items()}
    if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values() if tensor.is_floating_point()):
        raise UsageError(f"The weights {path} are not all finite numbers", "the file is damaged", "download it again")
    return tensors


def _unpickled(file: Any) -> Any:
    return torch.load(file, map_location="cpu", weights_only=True)


def _fill(module: torch.nn.Module, given: Tensors, network: LandmarkNetwork, path: Path) -> None:
    """Load tensors that are the module's own, all of them, or none at all."""
    _refuse_other_tensors(module.state_dict(), given, network, path)
    module.load_state_dict(given, strict=False)


def _refuse_other_tensors(
    own: Mapping[str, torch.Tensor], given: Tensors, network: LandmarkNetwork, path: Path
) -> None:
    """Raise `UsageError` unless both have the same tensors of the same sizes, counters of batches aside."""
    own = {name: tensor for name, tensor in own.items() if not name.endswith(COUNTER)}
    given = {name: tensor for name, tensor in given.items() if not name.endswith(COUNTER)}
    for names, why in (
        (own.keys() - given.keys(), "it lacks the tensor"),
        (given.keys() - own.keys(), "it has a tensor that the encoder has not,"),
    ):
        if names:
            raise _other_architecture(network, path, f"{why} {min(names)}, and so with {len(names)} in all")
    for name, tensor in own.items():
        if given[name].shape != tensor.shape:
            found, wanted = ("x".join(map(str, one.shape)) for one in (given[name], tensor))
            raise _other_architecture(network, path, f"its tensor {name} is {found}, the encoder's {wanted}")
        if given[name].is_floating_point() != tensor.is_floating_point():
            kind = str(given[name].dtype).removeprefix("torch.")
            raise _other_architecture(network, path, f"its tensor {name} holds {kind}, so it is of another precision")


def _as_ours(encoder: MobileViTV2, given: Tensors, network: LandmarkNetwork, path: Path) -> Tensors:
    """Return MobileViT-v2's tensors by our names; files hold them in any order, so timm's network tells theirs."""
    try:
        theirs = create_model(
            f"mobilevitv2_{round(100 * encoder.channels[-1] / WIDEST):03d}", num_classes=0
        ).state_dict()
    except RuntimeError as error:
        raise _other_architecture(network, path, "timm has no MobileViT-v2 of this width") from error
    _refuse_other_tensors(theirs, given, network, path)
    names = [name for name in encoder.state_dict() if not name.endswith(COUNTER)]
    ordered = {name: given[name] for name in theirs if not name.endswith(COUNTER)}
    parts, own = _cut_projections(ordered), encoder.state_dict()
    return {name: tensor.reshape(own[name].shape) for name, tensor in zip(names, parts, strict=True)}


def _cut_projections(state: Tensors) -> Iterator[torch.Tensor]:
    for name, tensor in state.items():
        if name.endswith("qkv_proj.weight"):
            channels = (len(tensor) - 1) // 2
            bias = state.get(name.replace("weight", "bias"))
            parts = [part.split([1, channels, channels]) for part in (tensor, bias) if part is not None]
            yield from (part for pair in zip(*parts, strict=True) for part in pair)
        elif not name.endswith("qkv_proj.bias"):
            yield tensor


def _refuse_other_windows(encoder: TimmEncoder, given: Tensors, path: Path) -> None:
    """Raise `UsageError` if a file holds tables of other windows than those that the encoder's places are scaled by."""
    used = [_scaled_by(encoder.body.layers[stage].blocks[0].attn.relative_coords_table) for stage in range(4)]
    tables = [given.get(f"layers.{stage}.blocks.0.attn.relative_coords_table") for stage in range(4)]
    if None in tables:
        return
    of_file = [_scaled_by(table) for table in tables if table is not None]
    if of_file != used:
        raise UsageError(
            f"The weights {path} are used to windows of {_sides(of_file)}, the network's are scaled by {_sides(used)}",
            "SwinV2 looks up the places in a window by their share of its side",
            f"set network.pretrained_windows={of_file}",
        )


def _scaled_by(table: torch.Tensor) -> int:
    """Return the side of the window by which a table `[1, 2W - 1, 2W - 1, 2]` of log-spaced places was scaled."""
    reach = (2 ** (float(table.max()) * OCTAVES) - 1) / RANGE  # (W - 1) / (side - 1)
    side = (table.shape[1] + 1) // 2
    return side if reach <= 0 else 1 + round((side - 1) / reach)


def _sides(sides: list[int]) -> str:
    return ", ".join(map(str, sides))


def _other_architecture(network: LandmarkNetwork, path: Path, found: str) -> UsageError:
    return UsageError(
        f"The weights {path} are of another architecture than the encoder {network.shape.encoder}",
        found,
        "choose the encoder that they are of with --set network.encoder (and network.encoder_width), or other weights",
    )
