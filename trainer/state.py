"""The state of a run, from and to a checkpoint; whether a run may resume from one; and Ctrl-C, which ends in one."""

from __future__ import annotations

import copy
import dataclasses
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.optim.swa_utils import get_ema_multi_avg_fn

from engine.core.errors import UnderstudyError, UsageError
from trainer.checkpoint import Checkpoint, optimizer_tensors, restore_optimizer
from trainer.networks import LandmarkNetwork
from trainer.networks.batch_norm import synchronise_batch_norm
from trainer.recipes.schema import Training

NOTHING = "nothing"


@dataclass
class TrainingState:
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


def begin(recipe: Training, network: LandmarkNetwork, device: torch.device, processes: int = 1) -> TrainingState:
    """Return the beginning of a run on a device; `network` becomes a part of it."""
    network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in PyTorch's stub
    average = copy.deepcopy(network).eval().requires_grad_(False)
    for part in frozen_parts(network, recipe.frozen):
        part.requires_grad_(False)
    if processes > 1:
        synchronise_batch_norm(network, device)
    # Weight decay is for matrices, not for biases and norms.
    learning = [parameter for parameter in network.parameters() if parameter.requires_grad]
    decayed = [parameter for parameter in learning if parameter.ndim > 1]
    plain = [parameter for parameter in learning if parameter.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    return TrainingState(network, average, torch.optim.AdamW(groups, lr=recipe.learning_rate, fused=True))


def frozen_parts(network: torch.nn.Module, count: int) -> list[torch.nn.Module]:
    """Return the lowest parts of a network's encoder: its stem and then its stages, `count` in all.

    Raises:
        UsageError: it has not so many, or is not one of our own encoders.
    """
    if not count:
        return []
    encoder: Any = network.encoder
    parts = [encoder.stem, *encoder.stages] if hasattr(encoder, "stem") and hasattr(encoder, "stages") else []
    if count > len(parts):
        raise UsageError(
            f"{count} parts of the encoder cannot be frozen",
            f"it has {len(parts)}, stem and stages" if parts else "only those of our own encoders have names",
            f"set frozen={len(parts)} or less" if parts else "set frozen=0",
        )
    return parts[:count]


def restore(run: TrainingState, checkpoint: Checkpoint, folder: Path) -> None:
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


def as_checkpoint(run: TrainingState, recipe: Training, notes: dict[str, Any]) -> Checkpoint:
    """Return what is to be kept of a run."""
    return Checkpoint(
        step=run.step,
        recipe=dataclasses.asdict(recipe),
        model=run.network.state_dict(),
        ema=run.average.state_dict(),
        optimizer=optimizer_tensors(run.optimizer),
        notes={**notes, "best_nme": run.best},
    )


@torch.no_grad()
def update_average(average: torch.nn.Module, network: torch.nn.Module, decay: float) -> None:
    """Move the running mean of the weights towards the weights; counters are copied."""
    means, values = average.state_dict().values(), network.state_dict().values()
    pairs = list(zip(means, values, strict=True))
    weights = [pair for pair in pairs if pair[0].is_floating_point()]
    update = get_ema_multi_avg_fn(decay)
    update(*map(list, zip(*weights, strict=True)), None)
    for mean, value in pairs:
        if not mean.is_floating_point():
            mean.copy_(value)


def refuse_other_recipe(recipe: Training, saved: Mapping[str, Any], folder: Path, prolong: bool = False) -> None:
    """Raise `UsageError` if a field of the recipe differs from the saved one.

    The steps of runs whose epochs count may, since only their faces tell; with `prolong` there may be more of them.
    """
    if prolong and recipe.epochs is None and recipe.steps >= saved.get("steps", 0):
        saved = {**saved, "steps": recipe.steps, "epochs": None}
    elif recipe.epochs is not None and recipe.epochs == saved.get("epochs"):
        saved = {**saved, "steps": recipe.steps}
    changed = list(differences(recipe, saved))
    if changed:
        raise UsageError(
            f"The run {folder} was made with another recipe",
            f"these fields differ: {'; '.join(changed)}",
            "give the options that it began with, or start a new run in another --out",
        )


def refuse_other_data(notes: Mapping[str, Any], checkpoint: Checkpoint, folder: Path) -> None:
    """Raise `UsageError` if a digest differs from the checkpoint's; what an old one lacks is taken as unchanged.

    In the notes `data` is the digest of the packs, `held_out` that of all faces for validation, which may come out of
    the same packs, and `files` has those of other files that labels come from.
    """
    before = checkpoint.notes
    kinds = {"data": "the packs", "held_out": "the packs for validation"}
    changed = [kind for key, kind in kinds.items() if before.get(key, notes[key]) != notes[key]][:1]
    changed += [file for file, digest in notes["files"].items() if before.get("files", {}).get(file, digest) != digest]
    if changed:
        raise UsageError(
            f"The run {folder} was made with other data",
            f"since its checkpoint was written, these have changed: {', '.join(changed)}",
            "give the same data with --data, or start a new run in another --out",
        )


def differences(new: Any, old: Any, path: str = "") -> Iterator[str]:
    """Yield `field: old -> new` for each field in which a recipe differs from a saved one.

    The saved one consists of plain values. Fields that it lacks are younger than it and had their defaults.
    """
    if dataclasses.is_dataclass(new) and isinstance(old, Mapping):
        start = f"{path}." if path else ""
        fields = {field.name: field for field in dataclasses.fields(new)}
        for name, field in fields.items():
            yield from differences(getattr(new, name), old.get(name, _default(field)), f"{start}{name}")
        for name in sorted(old.keys() - fields.keys()):
            yield f"{start}{name}: {_as_text(old[name])} -> {NOTHING}"
    elif _are_records(new) and isinstance(old, list | tuple) and len(new) == len(old):
        for index, (entry, before) in enumerate(zip(new, old, strict=True)):
            yield from differences(entry, before, f"{path}[{index}]")
    elif _plain(new) != _plain(old):
        yield f"{path}: {_as_text(old)} -> {_as_text(new)}"


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    return NOTHING if field.default_factory is dataclasses.MISSING else field.default_factory()


def _are_records(value: Any) -> bool:
    return isinstance(value, tuple) and any(dataclasses.is_dataclass(entry) for entry in value)


def _plain(value: Any) -> Any:
    """Return the value as it is after a way through JSON, which turns records into objects and tuples into lists."""
    return json.loads(json.dumps(value, default=dataclasses.asdict))


def _as_text(value: Any) -> str:
    return value if value is NOTHING else json.dumps(_plain(value), ensure_ascii=False)


class TrainingInterrupted(UnderstudyError):
    """A run was interrupted from outside; its checkpoint is written.

    Args:
        exit_code: what the command ends with, see `engine.core.interruption.Interruption`.
    """

    def __init__(self, what: str, why: str, fix: str, exit_code: int = 130) -> None:
        super().__init__(what, why, fix)
        self.exit_code = exit_code
