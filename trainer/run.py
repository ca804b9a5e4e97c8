"""A whole training run: data, network, loop, and the folder it leaves behind."""

from __future__ import annotations

import dataclasses
import json
import math
import subprocess
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric

from engine.errors import UsageError
from trainer.checkpoint import LAST, read_checkpoint
from trainer.data.crops import load_crops, split_validation
from trainer.loop import Schedule, train
from trainer.networks.start import FRESH_STARTS, make_network
from trainer.recipes import Recipe

CONFIGURATION = "recipe.json"


def run(
    recipe: Recipe, data: Path, out: Path, device: str = "auto", resume: bool = False, schedule: Schedule | None = None
) -> Path:
    """Carry out a recipe and return the path of the last checkpoint.

    Args:
        recipe: what to train.
        data: folder with the packs.
        out: the run's folder; made if need be.
        device: `auto`, `cpu` or `cuda`.
        resume: go on from the last checkpoint in `out`.
        schedule: how often to validate and to save.

    Raises:
        UsageError: the folder already holds a run, or there is none to resume.
        PackError, SourceError: the data is incomplete.
    """
    last = out / LAST
    if last.exists() and not resume:
        raise UsageError(
            f"The folder {out} already holds a run",
            "training into it would overwrite its checkpoints",
            f"choose another --out, or go on with it: --resume {out}",
        )
    fabric = _fabric(device)
    network = make_network(recipe.shape, "random" if resume else recipe.start, recipe.seed)
    crops = load_crops(data, recipe.packs, progress=fabric.is_global_zero)
    training, validation = split_validation(crops, recipe.hold_out)
    out.mkdir(parents=True, exist_ok=True)
    notes = {
        "data": crops.digest,
        "faces": len(training),
        "revision": revision(),
        "lineage": read_checkpoint(last).notes["lineage"] if resume else lineage(recipe),
    }
    configuration = {"recipe": dataclasses.asdict(recipe), **notes}
    (out / CONFIGURATION).write_text(json.dumps(configuration, indent=1), encoding="utf-8")
    train(recipe, network, training, validation, out, fabric, schedule or Schedule(), notes, resume)
    return last


def lineage(recipe: Recipe) -> list[str]:
    """Return what a run rests on, first to last: the origin of the first weights, then the recipes before this one."""
    if recipe.start in FRESH_STARTS:
        return [FRESH_STARTS[recipe.start]]
    before = read_checkpoint(Path(recipe.start))
    return [*before.notes["lineage"], f"{before.recipe['name']}, {before.step} steps of {before.recipe['batch']}"]


def summary(checkpoint: Path) -> dict[str, Any]:
    """Return what a finished run reports."""
    state = read_checkpoint(checkpoint)
    best = state.notes["best_nme"]
    values: dict[str, Any] = {
        "checkpoint": str(checkpoint),
        "step": state.step,
        "recipe": state.recipe["name"],
        **state.notes,
    }
    return {**values, "best_nme": best if math.isfinite(best) else None}


def revision() -> str:
    """Return the commit of this checkout, "unknown" outside one; "+" marks uncommitted changes."""
    folder = Path(__file__).parent
    try:
        commit = _git(folder, "rev-parse", "--short=12", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit + ("+" if changed else "")


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True, timeout=10)
    return done.stdout.strip()


def _fabric(device: str) -> Fabric:
    if device == "cuda" and not torch.cuda.is_available():
        raise UsageError(
            "No CUDA device is there", "PyTorch sees no usable GPU", "use --device cpu, or install PyTorch for CUDA"
        )
    use_cuda = device != "cpu" and torch.cuda.is_available()
    # Not bfloat16: its 8 bits would round the soft-argmax to quarter pixels. TF32 leaves that in float32.
    torch.set_float32_matmul_precision("high")
    fabric = Fabric(accelerator="cuda" if use_cuda else "cpu", devices=1, precision="32-true")
    fabric.launch()
    return fabric
