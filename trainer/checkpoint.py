"""Checkpoints: weights, their running mean and the optimiser's state as one safetensors file, never a pickle.

A checkpoint is written beside its final name and moved into place, so a run that is killed while writing keeps
the one before.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from engine.core.errors import RecordingError, UsageError
from engine.core.files import open_regular, replaced
from engine.core.texts import parse_json, reason
from trainer.recipes.arguments import RECIPE_FILE
from trainer.recipes.former import translated
from trainer.tensor_files import save_tensors

FORMAT = "understudy-checkpoint-1"
LARGEST = 20_000_000_000  # bytes
# What is wrong with a header that was changed by hand or by accident.
CHANGED = (LookupError, ValueError, TypeError, AttributeError, ArithmeticError)
LAST, BEST = "last.safetensors", "best.safetensors"


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run after some steps.

    Attributes:
        step: optimiser steps done.
        recipe: the training as plain values, those of former versions as today's.
        model: weights as they are trained.
        ema: running mean of the weights; what is evaluated and exported.
        optimizer: the optimiser's tensors, named `parameter index.state name`.
        notes: what else is worth keeping: data digest, revision, validation results.
    """

    step: int
    recipe: dict[str, Any]
    model: Mapping[str, torch.Tensor] = field(default_factory=dict)
    ema: Mapping[str, torch.Tensor] = field(default_factory=dict)
    optimizer: Mapping[str, torch.Tensor] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; the file appears whole or not at all.

    Raises:
        RecordingError: it cannot be written; the one before is untouched.
    """
    tensors = {
        f"{group}/{name}": tensor.detach().cpu().contiguous()
        for group in ("model", "ema", "optimizer")
        for name, tensor in getattr(checkpoint, group).items()
    }
    metadata = {
        "format": FORMAT,
        "step": str(checkpoint.step),
        "recipe": json.dumps(checkpoint.recipe),
        "notes": json.dumps(checkpoint.notes),
    }
    try:
        with replaced(path, durable=True) as temporary:
            save_tensors(tensors, temporary, metadata)
    except (OSError, SafetensorError) as error:  # of a full disk, safetensors makes an error of its own
        raise RecordingError(
            f"The checkpoint {path} of step {checkpoint.step} cannot be written ({reason(error)})",
            "the disk is full, or the folder forbids writing; a checkpoint from before is untouched",
            f"make room, then go on with --resume {path.parent}",
        ) from error


def read_header(path: Path) -> Checkpoint | None:
    """Read what a checkpoint says of itself, without its tensors; None where there is none that can be read."""
    try:
        with open_regular(path, LARGEST), safe_open(path, framework="pt") as file:
            return _checkpoint(file.metadata() or {}, {})
    except (OSError, SafetensorError, *CHANGED):
        return None


def _checkpoint(metadata: Mapping[str, str], tensors: Mapping[str, Mapping[str, torch.Tensor]]) -> Checkpoint:
    recipe, notes = translated(parse_json(metadata["recipe"])), parse_json(metadata["notes"])
    if not isinstance(recipe.get("steps", 0), int) or not isinstance(notes.get("files", {}), dict):
        raise ValueError("its header holds something else than it should")
    return Checkpoint(int(metadata["step"]), recipe, notes=notes, **tensors)


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        UsageError: the file is missing, damaged, or no checkpoint of this program.
    """
    try:
        with open_regular(path, LARGEST), safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no mapping)
    except (OSError, SafetensorError, ValueError, MemoryError) as error:
        raise _unreadable(path, reason(error)) from error
    if metadata.get("format") != FORMAT:
        raise UsageError(
            f"{path} is no checkpoint of this program",
            f"its format is {metadata.get('format')!r}, not {FORMAT!r}",
            "give a checkpoint that “understudy train” wrote",
        )
    groups: dict[str, dict[str, torch.Tensor]] = {"model": {}, "ema": {}, "optimizer": {}}
    with damage_named(path):
        for name, tensor in tensors.items():
            group, _, rest = name.partition("/")
            groups[group][rest] = tensor
        return _checkpoint(metadata, groups)


def _unreadable(path: Path, why: str) -> UsageError:
    what = f"The checkpoint {path} cannot be read ({why})"
    if not path.exists():
        return UsageError(what, "it was moved or removed", "give a .safetensors file out of a run's folder")
    best = path.with_name(BEST)
    if path.name == LAST and path.with_name(RECIPE_FILE).is_file():
        others = f"; its best weights until then are in {best}" if best.is_file() else ""
        return UsageError(what, "it was cut off or damaged", f"remove {path} to begin this training again{others}")
    return UsageError(
        what,
        "it was cut off or damaged, or holds something else",
        "download or copy it again, or give a .safetensors file out of a run's folder",
    )


@contextmanager
def damage_named(path: Path) -> Iterator[None]:
    """Let what is missing in a checkpoint, or of another type than it should be, be a `UsageError`."""
    try:
        yield
    except CHANGED as error:
        raise UsageError(
            f"The checkpoint {path} is damaged ({reason(error)})",
            "it was changed after it was written",
            "give another checkpoint out of the run's folder",
        ) from error


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """Return the optimiser's state as named tensors."""
    state = optimizer.state_dict()["state"]
    return {
        f"{index}.{name}": torch.as_tensor(value) for index, entry in state.items() for name, value in entry.items()
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, torch.Tensor]) -> None:
    """Put named tensors back as the optimiser's state, laid out as its weights: fused kernels read memory in order."""
    state: dict[int, dict[str, torch.Tensor]] = {}
    for key, tensor in tensors.items():
        index, _, name = key.partition(".")
        state.setdefault(int(index), {})[name] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    for weight, entry in optimizer.state.items():
        entry |= {
            name: torch.empty_like(weight).copy_(value) for name, value in entry.items() if value.shape == weight.shape
        }
