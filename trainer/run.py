"""A whole training run: data, network, loop, and the folder it leaves behind."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric

from engine.core.errors import UsageError
from engine.core.files import replaced
from trainer.checkpoint import LAST, read_checkpoint
from trainer.data.crops import CROP_SIZE, CropSet, crop_size, load_crops, split_validation
from trainer.data.eyes import load_eyes
from trainer.devices import first_alone, launch
from trainer.distillation import check_teachers, with_predictions
from trainer.init.initialise import FRESH_STARTS, make_network
from trainer.init.norm_statistics import restate_norms
from trainer.init.origin import is_model, read_origin
from trainer.loop import train, training_images
from trainer.recipes import Recipe, SoftLandmarks
from trainer.run_recorder import RunContext, Schedule
from trainer.shape_model import ShapeModel, fit_shape_model, load_shape_model, load_shapes
from trainer.state import refuse_other_data, refuse_other_recipe
from trainer.validate import HeldOut

CONFIGURATION = "recipe.json"
SHAPE_MODEL = "shape_model.npz"
STATISTICS_FACES = 512  # enough for means and variances of a network's channels


def run(
    recipe: Recipe,
    data: Path,
    out: Path,
    device: str = "auto",
    resume: bool = False,
    schedule: Schedule | None = None,
    devices: int | None = None,
    precision: str = "auto",
) -> Path:
    """Carry out a recipe and return the path of the last checkpoint, which the first process writes.

    Args:
        recipe: what to train.
        data: folder with the packs.
        out: the run's folder; made if need be.
        device: `auto`, `cpu` or `cuda`.
        resume: go on from the last checkpoint in `out`.
        schedule: how often to log, to validate and to save.
        devices: processes on this machine; None: as torchrun says, otherwise one.
        precision: one of `trainer.devices.PRECISIONS`.

    Raises:
        UsageError: the folder already holds a run, there is none to resume, that one had another recipe or other data,
            or no face is left for validation.
        PackError, SourceError: the data is incomplete.
        ModelError: the shape model of a resumed run is missing or damaged.
        TrainingInterrupted: by Ctrl-C; a checkpoint was written.
        RecordingError, OSError: a file cannot be written.
    """
    last = out / LAST
    checkpoint = read_checkpoint(last) if resume else None
    if checkpoint is not None:
        refuse_other_recipe(recipe, checkpoint, out)
    elif last.exists():
        raise UsageError(
            f"The folder {out} already holds a run",
            "training into it would overwrite its checkpoints",
            f"choose another --out, or go on with it: --resume {out}",
        )
    fabric = launch(device, devices, precision)
    tell = partial(fabric.print, file=sys.stderr)
    network = make_network(recipe.shape, "random" if resume else recipe.start, recipe.seed, tell)
    if precision == "64-true":
        network = network.double()
    size = crop_size(recipe.shape.input_size, recipe.crop_scale)
    if checkpoint is not None:
        size = checkpoint.notes.get("crop_size", CROP_SIZE)  # what a run began with; older ones do not tell
    training, validation = _faces(recipe, data, fabric, size)
    notes = {
        "data": training.digest,
        "crop_size": size,
        "files": _digests(recipe, data),
        "faces": len(training),
        "revision": revision(),
        "lineage": lineage(recipe) if checkpoint is None else checkpoint.notes["lineage"],
    }
    if checkpoint is not None:
        refuse_other_data(notes, checkpoint, out)
        if checkpoint.notes.get("faces", len(training)) != len(training):
            began = checkpoint.notes["faces"]
            tell(f"The run began with {began} faces; {len(training)} are left: others are held out now")
    shapes = None if recipe.soft is None else _shape_model(recipe.soft, data, out if resume else None)
    if shapes is not None:
        training = _soften(training, shapes)
    if is_model(recipe.start) and not resume:  # whose norms were folded away
        restate_norms(network, training_images(training, recipe, STATISTICS_FACES))
    first_alone(fabric, partial(_begin_folder, out, recipe, notes, shapes))
    context = RunContext(recipe, fabric, validation, out, notes, schedule or Schedule())
    train(context, network, training, checkpoint)
    return last


def _faces(recipe: Recipe, data: Path, fabric: Fabric, size: int) -> tuple[CropSet, HeldOut]:
    """Return the faces for training and for validation, with what teachers say of them if they are asked only once."""
    check_teachers(recipe)
    crops = load_crops(data, recipe.packs, fabric.is_global_zero, size)
    _refuse_other_markup(crops, recipe)
    if recipe.distillation.teachers and not recipe.distillation.live:
        with fabric.rank_zero_first():  # the others read what it kept
            crops = with_predictions(crops, recipe.distillation.teachers, fabric.device)
    training, validation, turned = split_validation(crops, recipe.hold_out)
    if not (len(training) and len(validation)):
        missing, advice = ("validation", "a smaller") if len(training) else ("training", "a larger")
        raise UsageError(
            f"No face is left for {missing}",
            f"of packs with validation 1 of {recipe.hold_out} faces is held out",
            f"choose {advice} --set hold_out, or other packs",
        )
    return training, HeldOut(validation, turned, load_eyes(data, recipe.crop_scale, recipe.shape.input_size))


def _refuse_other_markup(crops: CropSet, recipe: Recipe) -> None:
    points = crops.faces.points.shape[1]
    if points != recipe.shape.points:
        raise UsageError(
            f"The faces of {', '.join(pack.name for pack in recipe.packs)} have {points} points and the network "
            f"{recipe.shape.points}",
            "they are of different markups",
            f"set shape.points={points}, or take a recipe whose packs have {recipe.shape.points}",
        )


def _digests(recipe: Recipe, data: Path) -> dict[str, str]:
    """Return the digests of the files beside the packs that the labels come from."""
    files = {teacher: Path(teacher) for teacher in recipe.distillation.teachers}
    if recipe.soft is not None:
        files[recipe.soft.shapes] = data / recipe.soft.shapes
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items() if path.is_file()}


def _begin_folder(out: Path, recipe: Recipe, notes: dict[str, Any], shapes: ShapeModel | None) -> None:
    """Write what is known of a run before its first step."""
    with replaced(out / CONFIGURATION) as temporary:
        configuration = {"recipe": dataclasses.asdict(recipe), **notes}
        temporary.write_text(json.dumps(configuration, indent=1), encoding="utf-8")
    if shapes is not None:
        shapes.save(out / SHAPE_MODEL)


def lineage(recipe: Recipe) -> list[str]:
    """Return what a run rests on, first to last: the origin of the first weights, then the recipes before this one."""
    if recipe.start in FRESH_STARTS:
        return [FRESH_STARTS[recipe.start]]
    before = read_origin(Path(recipe.start))
    return [*before.notes["lineage"], f"{before.recipe['name']}, {before.step} steps of {before.recipe['batch']}"]


def _shape_model(soft: SoftLandmarks, data: Path, resumed: Path | None) -> ShapeModel:
    """Fit a shape model, or read the one that lies in the folder of a resumed run."""
    if resumed is not None:
        return load_shape_model(resumed / SHAPE_MODEL)
    return fit_shape_model(load_shapes(data / soft.shapes), soft.variance_share, soft.aligned)


def _soften(crops: CropSet, shapes: ShapeModel) -> CropSet:
    """Project the labels on a shape model of the training shapes."""
    points = torch.from_numpy(shapes.soften(crops.faces.points.numpy()))
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
