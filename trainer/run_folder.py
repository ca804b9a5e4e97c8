"""The folders of runs: what is written of a run before its first step, and where the weights of a name lie.

A recipe of several stages has a folder that lists them, and in it a folder for each, `1-base`, `2-gentle` and so on. A
stage alone, such as that of a recipe of one, has everything in its folder.
"""

from __future__ import annotations

import glob
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.core.errors import UnderstudyError, UsageError
from engine.core.files import replaced
from engine.core.records import read_record
from engine.core.texts import read_json, reason
from engine.inference.library import ModelLibrary
from trainer.checkpoint import CHANGED, LAST, read_header
from trainer.init.origin import read_origin
from trainer.recipes import RECIPES
from trainer.recipes.arguments import RECIPE_FILE, no_run
from trainer.recipes.former import FORMER_NAMES, run_of, translated
from trainer.recipes.overrides import run_name
from trainer.recipes.schema import WEIGHT_FILES, Training, is_file

RUNS = Path("runs")
STAGES, STAGE = "stages", "recipe"  # keys of the file


@dataclass(frozen=True)
class SavedRun:
    """What the folder of a run says of it.

    Attributes:
        trainings: its stages.
        data: folder of the packs; None in runs of former versions.
        runs: folder of the runs; None in runs of former versions.
        precision: one of `trainer.devices.PRECISIONS`; None in runs of former versions.
    """

    trainings: tuple[Training, ...]
    data: Path | None
    runs: Path | None
    precision: str | None


def stage_folder(folder: Path, trainings: Sequence[Training], training: Training) -> Path:
    """Return the folder of a stage of the run in `folder`."""
    if len(trainings) == 1:
        return folder
    return folder / f"{trainings.index(training) + 1}-{training.name.rpartition(':')[2]}"


def run_folder(runs: Path, trainings: Sequence[Training]) -> Path:
    """Return the folder of a run of stages of a recipe, or of a single one of them."""
    recipe, _, stage = trainings[0].name.partition(":")
    if stage and len(trainings) == 1:
        whole = RECIPES[recipe].trainings(recipe)
        number = [training.name for training in whole].index(trainings[0].name)
        return stage_folder(runs / recipe, whole, whole[number])
    return runs / recipe


def write_recipe(folder: Path, values: Mapping[str, Any]) -> None:
    """Write the recipe file of a run or of a stage."""
    with replaced(folder / RECIPE_FILE) as temporary:
        temporary.write_text(json.dumps(values, indent=1), encoding="utf-8")


def read_run(folder: Path) -> SavedRun:
    """Read what a run was begun with; also one of a former version.

    Raises:
        UsageError: there is no run in the folder, or its file is damaged.
    """
    try:
        values = read_json(folder / RECIPE_FILE)
        stages = values[STAGES] if STAGES in values else [values[STAGE]]
        if not stages:
            raise ValueError("it has no stage")
        trainings = tuple(read_record(Training, translated(stage)) for stage in stages)
        data, runs = (Path(values[key]) if key in values else None for key in ("data_folder", "runs_folder"))
        return SavedRun(trainings, data, runs, values.get("precision"))
    except OSError as error:
        raise no_run(folder, reason(error)) from error
    except CHANGED as error:
        raise UsageError(
            f"The run in {folder} cannot be read ({reason(error)})",
            f"its {RECIPE_FILE} is damaged, or of another version of this program",
            "start a new run in another --out",
        ) from error


def prolonged(folder: Path, trainings: Sequence[Training], steps: int) -> Training:
    """Return the last stage of the run in `folder` with more steps than it has done.

    Raises:
        UsageError: it has as many already.
    """
    training = trainings[-1]
    header = read_header(stage_folder(folder, trainings, training) / LAST)
    done = 0 if header is None else header.step
    if steps <= done:
        raise UsageError(
            f"{training.name} has {done} steps already, so it cannot be gone on with to {steps}",
            "--steps counts from the beginning of the stage",
            f"give more than {done}",
        )
    return replace(training, steps=steps, epochs=None)


def finished(checkpoint: Path) -> bool:
    """Tell whether a file is a checkpoint that holds all steps of its recipe."""
    header = read_header(checkpoint)
    return header is not None and header.step >= header.recipe.get("steps", 0)


def last_checkpoint(path: Path) -> Path:
    """Return the checkpoint that the folder of a run means, that of its last stage; a file means itself.

    Raises:
        UsageError: the folder holds no run.
    """
    if not path.is_dir():
        return path
    if not (path / RECIPE_FILE).exists() and (alone := sorted(path.glob(f"[0-9]*-*/{LAST}"))):
        return alone[-1]  # its stages were trained one by one
    trainings = read_run(path).trainings
    return stage_folder(path, trainings, trainings[-1]) / LAST


def find_weights(name: str, runs: Path) -> Path:
    """Return where the weights of a name lie: below `runs`, else among the models.

    Args:
        name: of a run, `RECIPE` or `RECIPE:STAGE`, also a former one; or the path of a checkpoint or a model.
        runs: folder with a folder for each run.

    Raises:
        UsageError: no finished run and no model of that name is there.
    """
    if is_file(name) and Path(name).exists():
        return Path(name)
    if is_file(name) and run_of(name) == name:
        raise UsageError(
            f"The weights {name} are not there",
            "the file was moved, or the path is meant from another folder than the current one",
            "give its right path with --set init or --set teachers, or work in that folder",
        )
    name = run_of(name)
    found = find_run(name, runs) or _find_model(name)
    if found is not None:
        return found
    if Path(name).is_file():
        raise UsageError(
            f"The file {name} is neither a checkpoint nor a model",
            f"weights are told by the ending of their file: {', '.join(WEIGHT_FILES)}",
            "give such a file; if it is one under another name, call it so",
        )
    full = run_name(name)
    recipe, _, stage = full.partition(":")
    known = recipe in RECIPES
    command = f"understudy train {recipe}" + (f" --stage {stage}" if stage and run_name(recipe) != full else "")
    raise UsageError(
        f"The run {name} is not there",
        f"neither a finished run in {runs} nor a model that training can begin with is called so",
        f"train it first with “{command}”, or all that is missing with --with-teachers"
        if known
        else "name a recipe, a run in that folder, or the path of a checkpoint or model",
    )


def missing_weights(trainings: Sequence[Training], runs: Path) -> list[str]:
    """Return the names of weights that stages begin with or learn from and that are not there, but of their own."""
    own = {training.name for training in trainings}
    return [name for name in dict.fromkeys(need for training in trainings for need in training.needs)
            if name not in own and weights_there(name, runs) is None]  # fmt: skip


def weights_there(name: str, runs: Path) -> Path | None:
    """Return where the weights of a name lie, as `find_weights` does; None where they are not there."""
    try:
        return find_weights(name, runs)
    except UsageError:
        return None


def find_run(name: str, runs: Path) -> Path | None:
    """Return the last checkpoint of a finished run below `runs`; None if there is none."""
    full = run_name(name)
    recipe, _, stage = full.partition(":")
    folders = [path for path in (runs / recipe).glob(f"[0-9]*-{glob.escape(stage)}") if stage]
    folders += [runs / former for former, today in FORMER_NAMES.items() if today == full]
    if not stage:
        folders.append(runs / full)
        folders += sorted((runs / full).glob("[0-9]*-*"))[-1:]  # of a run that is no recipe's
    return next((folder / LAST for folder in folders if finished(folder / LAST)), None)


def _find_model(name: str) -> Path | None:
    """Return the shipped model, or the user's, that a run became; None if there is none to begin with."""
    full = run_name(name)
    recipe = full.partition(":")[0]
    for folder in ModelLibrary().folders:
        model = folder / f"{recipe}.tflite"
        if model.is_file():
            try:
                made_by = read_origin(model).recipe["name"]
            except UnderstudyError:  # of another architecture, or damaged
                continue
            if full in (run_name(recipe), FORMER_NAMES.get(made_by, made_by)):
                return model
    return None
