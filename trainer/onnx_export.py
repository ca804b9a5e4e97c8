"""From a checkpoint or a model to an `.onnx` that was checked against PyTorch, and its card."""

from __future__ import annotations

import hashlib
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from engine.inference.card import Card, read_card
from engine.inference.onnx_runtime import OnnxRuntime
from trainer.checkpoint import damage_named
from trainer.init.initialise import load_network
from trainer.init.origin import is_model
from trainer.networks import LandmarkNetwork
from trainer.tflite.export import (
    LARGEST_DIFFERENCE,
    Export,
    ExportedForm,
    card_of,
    distance_on_sample,
    refuse_difference,
    write_model,
)

OPSET = 18  # ONNX Runtime runs it from 1.14 on
MINIMUM_RUNTIME = "ONNX Runtime 1.14"


class ContractForm(nn.Module):
    """The exported form with the input of the model contract: `[1, S, S, 3]`, RGB, 0..255."""

    def __init__(self, network: LandmarkNetwork) -> None:
        super().__init__()
        self.form = ExportedForm(network)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.form(image.permute(0, 3, 1, 2))


def export_onnx(origin: Path, target: Path, role: str = "student") -> Export:
    """Write `target` (an `.onnx` path) with float32 weights, and the card beside it.

    `origin` is a checkpoint, or an exported `.tflite` model of a heatmap network with MobileNetV2.

    Raises:
        UsageError: the origin cannot be read.
        ModelError: the model or its card is missing or damaged.
        ExportError: a point of the exported model is further than `LARGEST_DIFFERENCE` from PyTorch's.
    """
    network = load_network(origin)
    content = to_onnx(network)
    difference = compare(network, content)
    if not difference <= LARGEST_DIFFERENCE:
        raise refuse_difference(difference)
    return Export(target, write_model(target, content, _card(origin, network, content, target.stem, role)), difference)


def to_onnx(network: LandmarkNetwork) -> bytes:
    """Convert a network to ONNX with float32 weights, input `[1, S, S, 3]`."""
    side = network.shape.input_size
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        # The newer exporter of PyTorch needs a further package and gains nothing for graphs without branches.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            ContractForm(network).eval(),
            (torch.zeros(1, side, side, 3),),
            path,
            dynamo=False,
            opset_version=OPSET,
            input_names=["image"],
            output_names=["points", "confidence"],
        )
        return path.read_bytes()


@torch.inference_mode()
def compare(network: LandmarkNetwork, content: bytes) -> float:
    """Return the largest distance of a point of the ONNX model from PyTorch's on the sample's face, in crop sides."""
    runtime = OnnxRuntime(content, "The exported model")

    def expected(face: NDArray[np.uint8]) -> torch.Tensor:
        return network(torch.from_numpy(face).permute(2, 0, 1)[None].float()).points

    def found(face: NDArray[np.uint8]) -> NDArray[np.float32]:
        runtime.input_buffer()[0] = face
        points: NDArray[np.float32] = runtime.run()[0]
        return points

    return distance_on_sample(expected, found, network.shape.input_size)


def _card(origin: Path, network: LandmarkNetwork, content: bytes, name: str, role: str) -> Card:
    """Return the card of the model, not measured yet; of a model, what its own card says of shift and eyes stays."""
    if is_model(origin):
        card = replace(read_card(origin.with_suffix(".json")), metrics=())
    else:
        with damage_named(origin):
            card = card_of(origin, network, content, name, role, MINIMUM_RUNTIME)
    return replace(
        card,
        name=name,
        precision="float32",
        minimum_runtime=MINIMUM_RUNTIME,
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
    )
