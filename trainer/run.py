"""One training run, a stage of a recipe: data, network, loop, and the folder it leaves behind."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric

from engine.core.errors import UsageError
from engine.core.schemes import SCHEMES
from trainer.checkpoint import LAST, Checkpoint, read_checkpoint
from trainer.data.crops import CROP_SCALE, CROP_SIZE, CropSet, crop_size, load_crops
from trainer.data.hard_faces import draw_weights
from trainer.data.held_out import refuse_shared_packs, split_held_out
from trainer.data.label_makers import label_makers
from trainer.data.markups import refuse_loaded_markup, refuse_other_markups
from trainer.data.validation_faces import load_eyes
from trainer.devices import first_alone, launch
from trainer.distillation import LiveTeachers, check_loss, check_teachers, relabelled, with_predictions
from trainer.init.from_tflite import restate_norms
from trainer.init.from_timm import is_timm_file
from trainer.init.initialise import make_network
from trainer.init.origin import is_model, read_origin
from trainer.loop import train, training_images
from trainer.networks import LandmarkNetwork
from trainer.recipes.schema import FRESH_WEIGHTS, SoftLandmarks, Training, steps_of
from trainer.run_folder import RUNS, STAGE, find_weights, write_recipe
from trainer.run_lock import only_training
from trainer.run_recorder import Intervals, RunContext
from trainer.shape_model import ShapeModel, fit_shape_model, load_shape_model, load_shapes
from trainer.state import refuse_other_data, refuse_other_recipe
from trainer.validate import HeldOut

SHAPE_MODEL = "shape_model.npz"
STATISTICS_FACES = 512  # enough for means and variances of a network's channels


@dataclass(frozen=True)
class Place:
    """What a run is carried out on.

    Attributes:
        data: folder with the packs.
        fabric: launched.
        precision: one of `trainer.devices.PRECISIONS`.
        runs: folder of the runs, among which initial weights and teachers are looked for.
        intervals: how often to log, to validate and to save.
        own: files of weights by the name of their run that count before those in `runs`.
        prolong: whether finished runs go on where they are to have more steps now.
    """

    data: Path
    fabric: Fabric
    precision: str = "auto"
    runs: Path = RUNS
    intervals: Intervals = dataclasses.field(default_factory=Intervals)
    own: Mapping[str, Path] = dataclasses.field(default_factory=dict)
    prolong: bool = False

    @property
    def facts(self) -> dict[str, str]:
        """What a resumed run needs to know of the command that began it."""
        folders = {"data_folder": self.data, "runs_folder": self.runs}
        return {name: str(folder.absolute()) for name, folder in folders.items()} | {"precision": self.precision}


def run(
    training: Training,
    data: Path,
    out: Path,
    device: str = "auto",
    resume: bool = False,
    intervals: Intervals | None = None,
    precision: str = "auto",
) -> Path:
    """Carry out a training in this process alone; see `carry_out`."""
    fabric = launch(device, None, precision)
    return carry_out(training, out, Place(data, fabric, precision, intervals=intervals or Intervals()), resume)


def carry_out(training: Training, out: Path, place: Place, resume: bool = False) -> Path:
    """Carry out a training and return the path of the last checkpoint, which the first process writes.

    Args:
        training: what to do.
        out: the run's folder; made if need be.
        place: what to do it on.
        resume: go on from the last checkpoint in `out`.

    Raises:
        UsageError: the folder already holds a run, or one that is being trained now, there is none to resume, that one
            had another recipe or other data, weights to begin with or a teacher are not there, or no face is left for
            validation.
        PackError, SourceError: the data is incomplete.
        ModelError: the shape model of a resumed run is missing or damaged.
        TrainingInterrupted: by Ctrl-C, SIGTERM or SIGHUP; a checkpoint was written.
        RecordingError, OSError: a file cannot be written.
    """
    with ExitStack() as held:
        first_alone(place.fabric, lambda: held.enter_context(only_training(out)))
        return _carry_out(training, out, place, resume)


def _carry_out(training: Training, out: Path, place: Place, resume: bool) -> Path:
    """Carry out a training in a folder into which no other command trains; see `carry_out`."""
    checkpoint = _checkpoint_to_resume(training, out, place) if resume else None
    if checkpoint is None:
        _refuse_begun(out)
    weights = _checked_weights(training, place, resume)
    network = _network(training, weights, place, resume)
    size = crop_size(training.network.input_size, training.crop_scale)
    if checkpoint is not None:
        size = checkpoint.notes.get("crop_size", CROP_SIZE)  # what a run began with; older ones do not say
    faces, held_out = load_faces(training, weights, place, size)
    training = _with_counted_steps(training, len(faces), checkpoint)
    notes = {
        "data": faces.digest,
        "held_out": held_out.faces.digest,
        "crop_size": size,
        "files": _digests(training, weights, place.data),
        "faces": len(faces),
        "labels": {**_labels_before(checkpoint), **label_makers(place.data, training.packs)},
        "revision": revision(),
        "lineage": lineage(training.init, weights) if checkpoint is None else checkpoint.notes["lineage"],
    }
    if checkpoint is not None:
        refuse_other_data(notes, checkpoint, out)
        _report_other_faces(len(faces), checkpoint, place)
    shapes = None if training.soft is None else _shape_model(training.soft, faces, place.data, out if resume else None)
    if shapes is not None:
        soft = torch.from_numpy(shapes.soften(faces.faces.points.numpy()))
        faces = replace(faces, faces=replace(faces.faces, points=soft))
    if not resume and is_model(_init_of(training, weights)):  # whose norms were folded away
        restate_norms(network, training_images(faces, training, STATISTICS_FACES))
    first_alone(place.fabric, partial(_begin_folder, out, training, {**notes, **place.facts}, shapes))
    teachers = None
    if training.live and training.teachers:
        teachers = LiveTeachers([weights[name] for name in training.teachers], place.fabric.device)
    context = RunContext(training, place.fabric, held_out, out, notes, place.intervals, teachers)
    train(context, network, faces, checkpoint)
    return out / LAST


def _checkpoint_to_resume(training: Training, out: Path, place: Place) -> Checkpoint:
    checkpoint = read_checkpoint(out / LAST)
    refuse_other_recipe(training, checkpoint.recipe, out, place.prolong)
    return checkpoint


def _refuse_begun(out: Path) -> None:
    if (out / LAST).exists():
        raise UsageError(
            f"The folder {out} already holds a run",
            "training into it would overwrite its checkpoints",
            "choose another --out, or go on with that run",
        )


def _checked_weights(training: Training, place: Place, resume: bool) -> dict[str, Path]:
    """Return the files of the weights that a training needs by their names, once all that can be checked fits."""
    refuse_shared_packs(training.packs, training.validation)
    needed = training.teachers if resume else training.needs  # a resumed run needs its initial weights no more
    weights = {name: place.own.get(name) or find_weights(name, place.runs) for name in needed}
    check_teachers(training, weights)
    check_loss(training)
    return weights


def _init_of(training: Training, weights: Mapping[str, Path]) -> str:
    """Return where the first weights come from, with the path of a file in place of a run's name."""
    return str(weights.get(training.init, training.init))


def _network(training: Training, weights: Mapping[str, Path], place: Place, resume: bool) -> LandmarkNetwork:
    """Return the network with its first weights; with random ones where a checkpoint takes their place."""
    report = partial(place.fabric.print, file=sys.stderr)
    init = "random" if resume else _init_of(training, weights)
    network = make_network(training.network, init, training.seed, report)
    return network.double() if place.precision == "64-true" else network


def _with_counted_steps(training: Training, faces: int, checkpoint: Checkpoint | None) -> Training:
    """Return a training whose epochs count with their steps: of its own faces, as counted when the run began."""
    if training.epochs is None:
        return training
    steps = steps_of(training.epochs, faces, training.batch) if checkpoint is None else checkpoint.recipe["steps"]
    return replace(training, steps=steps)


def _report_other_faces(faces: int, checkpoint: Checkpoint, place: Place) -> None:
    began = checkpoint.notes.get("faces", faces)
    if began != faces:
        text = f"The run began with {began} faces; {faces} are left: others are held out now"
        place.fabric.print(text, file=sys.stderr)


def _labels_before(checkpoint: Checkpoint | None) -> dict[str, str]:
    """Return what a resumed run knew of who made its labels; crops, which it may have now, do not say that."""
    known: dict[str, str] = {} if checkpoint is None else checkpoint.notes.get("labels", {})
    return known


def load_faces(training: Training, weights: Mapping[str, Path], place: Place, size: int) -> tuple[CropSet, HeldOut]:
    """Return the faces for training and for validation, with the teachers' predictions if these are made only once.

    Args:
        training: what they are for.
        weights: files of its teachers by their names.
        place: where the packs lie, and on what the teachers run.
        size: pixels a side of the crops.

    Raises:
        UsageError: the packs have other points, or no face is left for training or for validation.
        PackError, SourceError: the data is incomplete.
    """
    fabric, side = place.fabric, training.network.input_size
    refuse_other_markups(place.data, (*training.packs, *training.validation), training.network.points)
    crops = load_crops(place.data, training.packs, fabric.is_global_zero, size)
    refuse_loaded_markup(training.packs, crops.faces.points.shape[1], training.network.points)
    if (training.turned_draws, training.closed_draws) != (1, 1):
        scheme = SCHEMES[training.network.points]
        often = draw_weights(crops.faces, scheme, training.turned_draws, training.closed_draws)
        crops = replace(crops, sampling_weight=crops.sampling_weight * often)
    if training.teachers and not training.live:
        teachers = [weights[name] for name in training.teachers]
        ask = partial(with_predictions, crops, teachers, fabric.device, place.runs, training.teacher_mean)
        asked = first_alone(fabric, ask)
        crops = ask() if asked is None else asked  # the others read what the first kept
    faces, validation, turned = split_held_out(crops, place.data, training.hold_out, training.validation, size)
    if not (len(faces) and len(validation)):
        missing, advice = ("validation", "a smaller") if len(faces) else ("training", "a larger")
        raise UsageError(
            f"No face is left for {missing}",
            f"of packs with validation 1 of {training.hold_out} faces is held out"
            if training.hold_out
            else "no face is held out but those of validation packs, and there are none",
            f"choose {advice} --set hold_out, or other packs"
            if training.hold_out
            else """name a pack for validation, --set 'validation=["mine"]', or set hold_out""",
        )
    _refuse_unknown_eyes(validation, training.network.points, training.crop_scale)
    if training.teachers and not training.live:
        faces = relabelled(faces, training.packs)  # validation is by people's labels
    return faces, HeldOut(validation, turned, load_eyes(place.data, training.crop_scale, side))


def _refuse_unknown_eyes(validation: CropSet, points: int, crop_scale: float) -> None:
    """Raise `UsageError` unless the error of a face can be divided by the distance of its outer eye corners."""
    right, left = (validation.faces.points[:, corner] for corner in SCHEMES[points].outer_eye_corners)
    apart = (right - left).norm(dim=-1) > 0  # a distance of NaN, where one has no label, is not greater either
    beyond = (torch.stack([right, left], 1) - 0.5).abs().amax((1, 2)) >= crop_scale / CROP_SCALE / 2
    if not (apart & ~beyond).any():
        raise UsageError(
            f"The error of none of the {len(validation)} faces for validation is known",
            "it is measured by the distance of the outer eye corners, and of each face one is missing or beyond the "
            "crop, or both lie in one place",
            """name a pack that has them, --set 'validation=["mine"]', or a larger --set crop_scale""",
        )


def _digests(training: Training, weights: Mapping[str, Path], data: Path) -> dict[str, str]:
    """Return the digests of the files beside the packs that the labels come from."""
    files = {name: weights[name] for name in training.teachers}
    if training.soft is not None and training.soft.shapes is not None:
        files[training.soft.shapes] = data / training.soft.shapes
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items() if path.is_file()}


def _begin_folder(out: Path, training: Training, facts: Mapping[str, Any], shapes: ShapeModel | None) -> None:
    """Write what is known of a run before its first step."""
    write_recipe(out, {STAGE: dataclasses.asdict(training), **facts})
    if shapes is not None:
        shapes.save(out / SHAPE_MODEL)


def lineage(init: str, weights: Mapping[str, Path]) -> list[str]:
    """Return what a run rests on, first to last: where the first weights came from, then the runs before this one."""
    if init in FRESH_WEIGHTS:
        return [FRESH_WEIGHTS[init]]
    if is_timm_file(weights[init]):
        digest = hashlib.sha256(weights[init].read_bytes()).hexdigest()
        return [f"downloaded weights {weights[init].name} (sha256 {digest[:16]}) for the encoder"]
    before = read_origin(weights[init])
    return [*before.notes["lineage"], f"{before.recipe['name']}, {before.step} steps of {before.recipe['batch']}"]


def _shape_model(soft: SoftLandmarks, faces: CropSet, data: Path, resumed: Path | None) -> ShapeModel:
    """Fit a shape model on a file or on the faces for training, or read that in the folder of a resumed run."""
    if resumed is not None:
        return load_shape_model(resumed / SHAPE_MODEL)
    if soft.shapes is not None:
        shapes = load_shapes(data / soft.shapes)
    else:
        shapes = faces.faces.points.numpy()
        shapes = shapes[np.isfinite(shapes).all((1, 2))]
    return fit_shape_model(shapes, soft.variance_share, soft.aligned)


def summary(checkpoint: Path) -> dict[str, Any]:
    """Return what a finished run reports."""
    state = read_checkpoint(checkpoint)
    best = state.notes["best_nme"]
    values = {"checkpoint": str(checkpoint), "step": state.step, "recipe": state.recipe["name"], **state.notes}
    return {**values, "best_nme": best if math.isfinite(best) else None}


def revision() -> str:
    """Return the commit of this checkout, "unknown" where git does not say one; "+" marks uncommitted changes."""
    command = ["git", "describe", "--always", "--exclude=*", "--abbrev=12", "--dirty=+"]
    here = Path(__file__).parent
    try:
        done = subprocess.run(command, cwd=here, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return done.stdout.strip()
