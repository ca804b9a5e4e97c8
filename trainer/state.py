"""Where a run stands: the networks, the optimiser and the number of steps; from and to a checkpoint."""

from __future__ import annotations

import copy
import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from engine.core.errors import UsageError
from trainer.checkpoint import Checkpoint, optimizer_tensors, restore_optimizer
from trainer.init.initialise import LandmarkNetwork
from trainer.networks.batch_norm import synchronise_batch_norm
from trainer.recipes import Recipe


@dataclass
class Progress:
    """Where a run stands: what a checkpoint holds.

    Attributes:
        network: weights as they are trained.
        average: their running mean.
        optimizer: its state belongs to the weights.
        step: steps done.
        best: lowest validation NME so far.
    """

    network: LandmarkNetwork
    average: LandmarkNetwork
    optimizer: torch.optim.Optimizer
    step: int = 0
    best: float = math.inf


def begin(recipe: Recipe, network: LandmarkNetwork, device: torch.device, processes: int = 1) -> Progress:
    """Return the beginning of a run on a device; `network` becomes a part of it."""
    network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in PyTorch's stub
    average = copy.deepcopy(network).eval().requires_grad_(False)
    if processes > 1:
        synchronise_batch_norm(network, device)
    optimizer = torch.optim.AdamW(parameter_groups(network, recipe.weight_decay), lr=recipe.learning_rate)
    return Progress(network, average, optimizer)


def restore(run: Progress, checkpoint: Checkpoint, folder: Path) -> None:
    """Go on where a checkpoint of the run in `folder` stands.

    Raises:
        UsageError: it holds the weights of another network.
    """
    try:
        run.network.load_state_dict(checkpoint.model)
        run.average.load_state_dict(checkpoint.ema)
        restore_optimizer(run.optimizer, checkpoint.optimizer)
        run.step, run.best = checkpoint.step, checkpoint.notes["best_nme"]
    except (LookupError, ValueError, RuntimeError) as error:
        raise UsageError(
            f"The checkpoint in {folder} holds another network ({str(error).partition(chr(10))[0]})",
            "it was made by another version of this program",
            "start a new run in another --out",
        ) from error


def as_checkpoint(run: Progress, recipe: Recipe, notes: dict[str, Any]) -> Checkpoint:
    """Return what is to be kept of a run."""
    return Checkpoint(
        step=run.step,
        recipe=dataclasses.asdict(recipe),
        model=run.network.state_dict(),
        ema=run.average.state_dict(),
        optimizer=optimizer_tensors(run.optimizer),
        notes={**notes, "best_nme": run.best},
    )


def parameter_groups(network: torch.nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Return the optimiser's groups: weight decay for matrices, none for biases and norms."""
    decayed = [parameter for parameter in network.parameters() if parameter.ndim > 1]
    plain = [parameter for parameter in network.parameters() if parameter.ndim <= 1]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": plain, "weight_decay": 0.0}]


@torch.no_grad()
def update_average(average: torch.nn.Module, network: torch.nn.Module, decay: float) -> None:
    """Move the running mean of the weights towards the weights; counters are copied."""
    for mean, value in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if mean.is_floating_point():
            mean.lerp_(value, 1 - decay)
        else:
            mean.copy_(value)
