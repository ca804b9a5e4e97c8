"""What arguments can be refused for at once, before anything of torch, which takes seconds, is imported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from engine.core.errors import UsageError
from engine.core.records import suggestion
from engine.formats.packs import is_pack
from trainer.recipes.former import FORMER_NAMES

RECIPE_FILE = "recipe.json"  # of a run


def find_stage(name: str, stage: str | None, stages: Mapping[str, Iterable[str]]) -> tuple[str, str | None]:
    """Return the recipe that a name means, and the one of its stages that it or `stage` chooses; None for all.

    Args:
        name: of a recipe, or of one of its stages as `RECIPE:STAGE`; former names count too.
        stage: the name of the stage, which counts more than that in `name`.
        stages: the names of all recipes' stages.

    Raises:
        UsageError: there is no such recipe or stage.
    """
    recipe, _, own = (name if name in stages else FORMER_NAMES.get(name, name)).partition(":")
    if recipe not in stages:
        near = suggestion(name, [*stages, *FORMER_NAMES], "choose one of these")
        raise UsageError(f"There is no recipe “{name}”", f"the recipes are: {', '.join(stages)}", near)
    wanted = stage or own or None
    if wanted and wanted not in stages[recipe]:
        raise UsageError(
            f"The recipe {recipe} has no stage “{wanted}”",
            f"its stages are: {', '.join(stages[recipe])}",
            "name one of these",
        )
    return recipe, wanted


def check_changes(changes: Iterable[str]) -> None:
    """Raise `UsageError` unless each change has the form `key=value`."""
    for change in changes:
        if "=" not in change:
            raise UsageError(f"“{change}” is no change", "the form is key=value", "write for instance --set steps=500")


def check_run(folder: Path) -> None:
    """Raise `UsageError` unless there is a run in a folder."""
    if not (folder / RECIPE_FILE).exists():
        raise no_run(folder, "No such file or directory")


def no_run(folder: Path, why: str) -> UsageError:
    """Return the error that there is no run in a folder, and why its file cannot be read."""
    return UsageError(
        f"There is no run in {folder}",
        f"its file {RECIPE_FILE} cannot be read ({why})",
        "give a folder that “understudy train” made, such as runs/NAME, or of a stage alone runs/NAME/1-STAGE",
    )


def check_out(folder: Path) -> None:
    """Raise `UsageError` if the folder of a new run is a pack, among whose files a run's would lie."""
    if is_pack(folder):
        raise UsageError(
            f"{folder} is a pack, not the folder of a run",
            "--out says where checkpoints are written; packs are read from the folder that --data names",
            "choose another --out, such as runs/NAME",
        )


def check_checkpoint(path: Path) -> None:
    """Raise `UsageError` unless a path is a file, or the folder of a run."""
    if path.is_dir():
        if not any(path.glob("[0-9]*-*/*.safetensors")):
            check_run(path)
    elif not path.exists():
        raise UsageError(
            f"The checkpoint {path} cannot be read (No such file or directory)",
            "it does not exist, or its name is mistyped",
            "give the folder of a run, or a .safetensors file out of it; for int8 and ONNX a model too",
        )


def check_data(folder: Path) -> None:
    """Raise `UsageError` unless there is a folder that may hold packs."""
    if not folder.is_dir():
        raise UsageError(
            f"There is no folder of packs {folder}",
            "it was moved, or its name is mistyped, or none was named",
            "name it with --data; “understudy data import” makes packs of the official data sets",
        )
