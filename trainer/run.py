"""A whole training run: data, network, loop, and the folder it leaves behind."""

from __future__ import annotations

import dataclasses
import json
import math
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric

from engine.errors import UsageError
from trainer.checkpoint import LAST, read_checkpoint
from trainer.data.crops import CropSet, load_crops, split_validation
from trainer.distillation import with_predictions
from trainer.loop import Schedule, train
from trainer.networks.start import FRESH_STARTS, make_network
from trainer.recipes import Recipe, SoftLandmarks
from trainer.shape_model import fit_shape_model, load_shapes

CONFIGURATION = "recipe.json"
SHAPE_MODEL = "shape_model.npz"


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
    if recipe.distillation.teachers and not recipe.distillation.live:
        crops = with_predictions(crops, recipe.distillation.teachers, fabric.device)
    training, validation = split_validation(crops, recipe.hold_out)
    out.mkdir(parents=True, exist_ok=True)
    if recipe.soft is not None:
        training = _soften(training, recipe.soft, data, out)
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


def _soften(crops: CropSet, soft: SoftLandmarks, data: Path, out: Path) -> CropSet:
    """Project the labels on a shape model of the training shapes, which stays with the run."""
    model = fit_shape_model(load_shapes(data / soft.shapes), soft.variance_share, soft.aligned)
    model.save(out / SHAPE_MODEL)
    points = torch.from_numpy(model.soften(crops.faces.points.numpy()))
    return replace(crops, faces=replace(crops.faces, points=points))


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
