"""A whole recipe: its stages one after the other, and before them what they need, if asked for."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import torch

from engine.core.errors import RecordingError, UsageError
from engine.formats.packs import is_pack
from engine.inference.landmarker import load_landmarker
from trainer.checkpoint import LAST, read_header
from trainer.data.crop_cache import cached_sizes
from trainer.data.crops import crop_size, refuse_missing_packs, refuse_wide_crops
from trainer.data.held_out import refuse_shared_packs
from trainer.data.labelling import LARGEST_DISAGREEMENT, label_pack
from trainer.data.markups import refuse_other_markups
from trainer.devices import first_alone
from trainer.distillation import check_loss, check_teachers
from trainer.init.origin import is_model
from trainer.loop import check_shares
from trainer.networks import network_of
from trainer.recipes import RECIPES
from trainer.recipes.overrides import run_name, trainings_by_name
from trainer.recipes.packs import LABELLED
from trainer.recipes.schema import Training, is_file
from trainer.run import Place, carry_out
from trainer.run_folder import STAGES, find_weights, finished, stage_folder, weights_there, write_recipe
from trainer.state import TrainingInterrupted, frozen_parts, refuse_other_recipe

# Which faces there are: fields whose changes count for the runs that a recipe needs too.
INHERITED = ("packs", "validation", "hold_out")


def train_stages(trainings: Sequence[Training], folder: Path, place: Place, count: int | None = None) -> Path:
    """Carry out the stages of a recipe, and return the last checkpoint of the last one.

    Stages that are finished stay as they are; one that was begun goes on.

    Args:
        trainings: the stages.
        folder: of the run.
        place: what to train on.
        count: how many of the stages to carry out, first to last; None for all.

    Raises: as `carry_out`.
    """
    last, how_to_go_on = folder / LAST, f"go on with “understudy train --resume {folder}”"
    folders = _stage_folders(trainings, folder, count)
    refuse_impossible(trainings, folder, place, count)
    _refuse_what_is_missing(folders, place)
    if len(trainings) > 1:
        if last.exists():
            raise UsageError(
                f"The folder {folder} already holds a run of one stage",
                "it was made by another version of this program, or by another recipe",
                f"choose another --out, or go on with that run: --resume {folder}",
            )
        values = {STAGES: [asdict(training) for training in trainings], **place.facts}
        first_alone(place.fabric, partial(write_recipe, folder, values))
    for training, out in folders.items():
        last = out / LAST
        if _done(training, last, place):
            place.fabric.print(f"{training.name} is finished: {last}", file=sys.stderr)
        else:
            try:
                carry_out(training, out, place, resume=last.exists())
            except TrainingInterrupted as stop:
                raise TrainingInterrupted(stop.what, stop.why, how_to_go_on, stop.exit_code) from stop
        place = replace(place, own={**place.own, training.name: last})
    return last


@dataclass(frozen=True)
class NeededRun:
    """What is to be trained before a recipe: the first `count` stages of another one, in the folder of its run."""

    trainings: tuple[Training, ...]
    folder: Path
    count: int


def train_needed(
    trainings: Sequence[Training],
    folder: Path,
    place: Place,
    count: int | None = None,
    changes: Sequence[str] = (),
) -> None:
    """Train the runs that a recipe begins with or learns from and label its packs, where these are not there.

    Each run lies below `place.runs` under its name, and what it needs itself is trained before it. Stages that are
    finished need nothing any more. What can be known to fail is said before the first step of all.

    Args:
        trainings: the stages of the recipe.
        folder: of its run.
        place: what to train on; packs are written to its data folder.
        count: how many of the stages are to be carried out, first to last; None for all.
        changes: `key=value` as of the recipe; those of all its stages that say which faces there are count for what it
            needs too.

    Raises: as `carry_out`; PackError, OSError: a pack cannot be labelled.
    """
    for work in dict.fromkeys(_needed(trainings, folder, place, count, changes)):
        if isinstance(work, NeededRun):
            _train_first(work, place)
        else:
            first_alone(place.fabric, partial(_label, work, place))


def _train_first(run: NeededRun, place: Place) -> None:
    """Train a run that is needed; to resume it alone would train all of its stages, and nothing after it."""
    again = "go on with the same command, --with-teachers included; what is finished stays"
    try:
        train_stages(run.trainings, run.folder, place, run.count)
    except TrainingInterrupted as stop:
        raise TrainingInterrupted(stop.what, stop.why, again, stop.exit_code) from stop
    except RecordingError as error:
        raise RecordingError(error.what, error.why, f"make room, then {again}") from error


def _needed(
    trainings: Sequence[Training],
    folder: Path,
    place: Place,
    count: int | None,
    changes: Sequence[str],
    under_way: tuple[str, ...] = (),
) -> Iterator[NeededRun | str]:
    """Yield the runs that are to be trained before stages, and the names of packs to label, in their order.

    What several need comes several times; `under_way` are the runs that wait for these stages.
    """
    runs, packs = find_needed(_stage_folders(trainings, folder, count), place)
    refuse_impossible(trainings, folder, place, count)
    for name in runs:
        if name in under_way:
            raise UsageError(
                f"The run {name} needs itself",
                f"it is wanted by {' and '.join(under_way)}, which it needs",
                "change init, teachers or packs with --set",
            )
        recipe, _, stage = run_name(name).partition(":")
        same_markup = trainings_by_name(recipe)[-1].network.points == trainings[-1].network.points
        inherited = [change for change in changes if same_markup and change.partition("=")[0] in INHERITED]
        stages = _on_faces(recipe, inherited, (*under_way, name))
        first = 1 + [training.name for training in stages].index(run_name(name)) if stage else len(stages)
        yield from _needed(stages, place.runs / recipe, place, first, inherited, (*under_way, name))
        yield NeededRun(stages, place.runs / recipe, first)
    yield from packs


def _on_faces(recipe: str, changes: Sequence[str], under_way: Sequence[str]) -> tuple[Training, ...]:
    """Return the stages of a recipe that is needed, on the faces that the `changes` of another name.

    Packs that a run `under_way` is to label are not there yet, and nobody relabels packs where no teacher is asked.
    """
    if not changes:
        return trainings_by_name(recipe)
    waiting = {run_name(name).partition(":")[0] for name in under_way}
    stages = []
    for training in trainings_by_name(recipe, changes):
        asked = bool(training.teachers) and not training.live
        there = [pack for pack in training.packs if pack.name not in LABELLED or LABELLED[pack.name][1] not in waiting]
        packs = tuple(replace(pack, relabel=pack.relabel and asked) for pack in there)
        stages.append(replace(training, packs=packs or training.packs))
    return tuple(stages)


def find_needed(folders: Mapping[Training, Path], place: Place) -> tuple[list[str], list[str]]:
    """Return the names of runs that stages still need and that are missing, and of packs to let a teacher label.

    Args:
        folders: the stages with their folders.
        place: where to look.

    Raises:
        UsageError: a folder holds another run, or something needed is neither a file nor of a recipe.
    """
    left = _still_needed(folders, place)
    own = {training.name for training in folders}
    packs = missing_packs(left, place.data)
    names = [name for needs in left.values() for name in needs if name not in own]
    names += [LABELLED[pack][1] for pack in packs]
    missing = [name for name in dict.fromkeys(names) if not is_file(name) and not _is_trained(name, place)]
    return missing, packs


def _stage_folders(trainings: Sequence[Training], folder: Path, count: int | None) -> dict[Training, Path]:
    return {training: stage_folder(folder, trainings, training) for training in trainings[:count]}


def _still_needed(folders: Mapping[Training, Path], place: Place) -> dict[Training, tuple[str, ...]]:
    """Return the stages that are not finished with what each needs: one that was begun, its initial weights no more.

    Raises:
        UsageError: a folder holds another run.
    """
    for training, out in folders.items():
        header = read_header(out / LAST)
        if header is not None:
            refuse_other_recipe(training, header.recipe, out, place.prolong)
    todo = {training: out / LAST for training, out in folders.items() if not _done(training, out / LAST, place)}
    return {training: training.teachers if last.exists() else training.needs for training, last in todo.items()}


def _is_trained(name: str, place: Place) -> bool:
    try:
        find_weights(name, place.runs)
    except UsageError:
        if run_name(name).partition(":")[0] not in RECIPES:
            raise
        return False
    return True


def _label(pack: str, place: Place) -> None:
    """Let the teacher of a pack label it; a run becomes a model for that, beside its checkpoint."""
    if is_pack(place.data / pack):  # a run that was trained meanwhile needed it too
        return
    source, teacher = LABELLED[pack]
    weights = find_weights(teacher, place.runs)
    if not is_model(weights):
        from trainer.tflite.export import export  # pulls in JAX: seconds that only an export should cost

        model = weights.with_name(f"{teacher}.tflite")
        weights = export(weights, model, "teacher").model
    landmarker = load_landmarker(weights)
    landmarker.as_labelled = True  # its points join those of annotators
    label_pack(place.data / source, landmarker, place.data / pack, LARGEST_DISAGREEMENT, progress=True)


def _done(training: Training, last: Path, place: Place) -> bool:
    """Tell whether a stage has all of its steps, or all of those that it is to have now."""
    header = read_header(last) if place.prolong and training.epochs is None else None
    return finished(last) if header is None else header.step >= training.steps


def _refuse_what_is_missing(folders: Mapping[Training, Path], place: Place) -> None:
    """Raise before the first step unless all is there that stages need."""
    left = _still_needed(folders, place)
    known = {*place.own, *(training.name for training in folders)}
    for name in (name for needs in left.values() for name in needs):
        if name not in known:
            find_weights(name, place.runs)
    for pack in missing_packs(left, place.data):
        source, teacher = LABELLED[pack]
        raise UsageError(
            f"The pack {pack} is not in {place.data}",
            f"it is made of the pack {source}, whose faces {teacher} labels",
            "make it, and whatever else is missing, with --with-teachers, or with “understudy data label”",
        )


def refuse_impossible(trainings: Sequence[Training], folder: Path, place: Place, count: int | None = None) -> None:
    """Raise for what stages, perhaps hours after the first step, would fail of; arguments as of `train_stages`.

    Runs that are not there yet, and packs that teachers label, are left out.

    Raises:
        UsageError: a folder holds another run; loss, teachers, packs, network and processes of a stage do not fit.
        PackError: a pack is missing or damaged, or has other crops than a stage needs.
        ModelError: a teacher's model or its card is missing or damaged.
    """
    folders = _stage_folders(trainings, folder, count)
    own = {training.name for training in folders}
    for training in _still_needed(folders, place):
        check_loss(training)
        check_shares(training, place.fabric.world_size)
        teachers = {name: place.own.get(name) or weights_there(name, place.runs) for name in {*training.teachers} - own}
        check_teachers(training, {name: path for name, path in teachers.items() if path is not None})
        packs = (*training.packs, *training.validation)
        refuse_shared_packs(training.packs, training.validation)
        refuse_other_markups(place.data, packs, training.network.points)
        if (folders[training] / LAST).exists():  # it began, so all of this was there
            continue
        refuse_wide_crops(training.crop_scale)
        size = crop_size(training.network.input_size, training.crop_scale)
        refuse_missing_packs(place.data, [pack for pack in packs if pack.name not in LABELLED], size)
        if training.frozen:
            with torch.device("meta"):  # without weights
                frozen_parts(network_of(training.network), training.frozen)


def missing_packs(trainings: Iterable[Training], data: Path) -> list[str]:
    """Return the packs that a teacher has to label first."""
    packs = {pack.name: pack for training in trainings for pack in training.packs if pack.name in LABELLED}
    return [name for name, pack in packs.items() if not (is_pack(data / name) or cached_sizes(data, pack))]
