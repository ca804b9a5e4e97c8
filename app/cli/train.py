"""`understudy train`: train a model by a named recipe."""

from __future__ import annotations

import _thread
import argparse
import dataclasses
import json
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from app.bundled import no_trainer
from app.cli.options import add_json, add_machine, positive, require_packages
from app.cli.terminal import number, report, say, table
from app.trainer_setup import TRAINER_PACKAGES, install_trainer, trainer_setup
from engine.core.errors import UsageError
from engine.core.processes import is_bundled


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument(
        "recipe", nargs="?", metavar="RECIPE", help="name of the recipe, such as student-68; RECIPE:STAGE for a stage"
    )
    parser.add_argument("--list", action="store_true", help="list the recipes instead")
    parser.add_argument("--show", action="store_true", help="print every setting of the recipe's stages instead")
    parser.add_argument(
        "--install",
        action="store_true",
        help="install the trainer's packages into this Python instead, PyTorch without CUDA where there is no GPU",
    )
    parser.add_argument("--stage", metavar="STAGE", help="carry out this stage alone")
    parser.add_argument(
        "--with-teachers",
        action="store_true",
        help="first train what the recipe begins with or learns from, and label packs, where these are missing",
    )
    parser.add_argument(
        "--pictures",
        metavar="DIR",
        help="pictures of faces, for the recipe own-68: a teacher labels them first, into the pack own68 of --data",
    )
    parser.add_argument(
        "--data", metavar="DIR", help="folder of the packs (default: data; with --resume, the one the run began with)"
    )
    parser.add_argument(
        "--runs", metavar="DIR", help="folder of all runs (default: runs; with --resume, that of the command before)"
    )
    parser.add_argument("--out", metavar="DIR", help="folder of this run (default: RUNS/RECIPE)")
    parser.add_argument("--resume", metavar="DIR", help="go on with the run in DIR; nothing else is needed")
    parser.add_argument(
        "--steps",
        type=positive,
        metavar="N",
        help="with --resume: steps of its last stage, to go on with a finished run",
    )
    add_machine(parser)
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a field of every stage, or of one: STAGE.KEY=VALUE; repeatable",
    )
    parser.add_argument(
        "--stop-with-stdin", action="store_true", help="save and end when standard input closes, as on Ctrl-C"
    )
    add_json(parser)


def main(options: argparse.Namespace) -> int:
    """Train, or list or show recipes.

    Raises:
        UsageError: the trainer's requirements are not installed, or no recipe was named.
    """
    if options.install:
        return _install()
    require_packages(TRAINER_PACKAGES)
    if options.list:
        return _list(options)
    if options.resume is not None:
        _refuse_early(options)
        return _resume(options)
    if options.steps is not None:
        raise UsageError(
            "Only a run that is gone on with can be given more steps",
            "--steps was given without --resume",
            "write --resume DIR --steps N, or --set steps=N for a new run",
        )
    if options.recipe is None:
        raise UsageError("No recipe was named", "a training needs one", "“understudy train --list” shows them")
    _refuse_early(options)
    return _show(options) if options.show else _train(options)


def _install() -> int:
    if is_bundled():
        raise no_trainer()
    setup = trainer_setup()
    say(f"About {setup.download:g} GB are downloaded; on the disk the trainer takes {setup.disk:g} GB.")
    install_trainer(setup, say)
    say("The trainer is installed.")
    return 0


def _refuse_early(options: argparse.Namespace) -> None:
    """Refuse what can be refused before torch is imported; what needs the recipes is refused later."""
    from trainer.recipes.arguments import check_changes, check_data, check_out, check_run, find_stage
    from trainer.recipes.names import MADE_OF, STAGES

    check_changes(options.set)
    if options.out is not None:
        check_out(Path(options.out))
    makes_data = options.pictures is not None or str(options.recipe).partition(":")[0] in MADE_OF
    if options.resume is not None:
        if options.pictures is not None:
            raise UsageError(
                "--pictures is for new runs",
                "a run goes on with the faces that it began with",
                "leave it out, or begin a new run without --resume",
            )
        check_run(Path(options.resume))
    elif "torch" not in sys.modules:  # otherwise the recipes themselves can be asked at once
        find_stage(options.recipe, options.stage, STAGES)
    if options.pictures is not None:
        from trainer.data.picture_sources import find_pictures

        find_pictures(Path(options.pictures), Path(options.data or "data"))
    if not makes_data and (options.data is not None or (options.resume is None and not options.show)):
        check_data(Path(options.data or "data"))


def _list(options: argparse.Namespace) -> int:
    from trainer.recipes import RECIPES
    from trainer.recipes.former import FORMER_NAMES
    from trainer.recipes.names import MADE_OF, group_of
    from trainer.run_folder import missing_weights

    runs = Path(options.runs or "runs")
    values = [
        {
            "name": name,
            "missing": missing_weights(recipe.trainings(name), runs),
            "group": group_of(name),
            "made_of": MADE_OF.get(name, "packs"),
            "description": recipe.description,
            "former_names": [former for former, run in FORMER_NAMES.items() if run.partition(":")[0] == name],
            "stages": [dataclasses.asdict(training) for training in recipe.trainings(name)],
        }
        for name, recipe in RECIPES.items()
    ]
    report({"recipes": values}, _recipe_text(values), options.json)
    return 0


def _show(options: argparse.Namespace) -> int:
    from trainer.recipes.overrides import trainings_by_name

    trainings = trainings_by_name(options.recipe, options.set, options.stage)
    values = [dataclasses.asdict(training) for training in trainings]
    report({"stages": values}, "\n\n".join("\n".join(_setting_lines(stage, "")) for stage in values), options.json)
    return 0


def _train(options: argparse.Namespace) -> int:
    from trainer.recipes.overrides import trainings_by_name
    from trainer.run_folder import SavedRun, run_folder

    trainings = trainings_by_name(options.recipe, options.set, options.stage)
    runs = Path(options.runs or "runs")
    folder = Path(options.out) if options.out else run_folder(runs, trainings)
    return _carry_out(options, trainings, folder, SavedRun(trainings, Path("data"), runs, "auto"))


def _resume(options: argparse.Namespace) -> int:
    from trainer.recipes.overrides import changed, stages_by_name
    from trainer.run_folder import prolonged, read_run

    folder = Path(options.resume)
    saved = read_run(folder)
    trainings = changed(stages_by_name(saved.trainings), options.set)
    if options.steps is not None:
        trainings = (*trainings[:-1], prolonged(folder, trainings, options.steps))
    return _carry_out(options, trainings, folder, saved, prolong=True)


def _carry_out(
    options: argparse.Namespace, trainings: Sequence[Any], folder: Path, usual: Any, prolong: bool = False
) -> int:
    """Train; what no option says is as usual, or as when the run was begun."""
    from trainer.devices import is_first_process, launch
    from trainer.own_packs import make_packs
    from trainer.run import Place, summary
    from trainer.stages import train_needed, train_stages
    from trainer.state import TrainingInterrupted

    if options.stop_with_stdin:
        interrupt_when_stdin_closes()
    data, runs = Path(options.data or usual.data or "data"), Path(options.runs or usual.runs or "runs")
    precision = options.precision or usual.precision or "auto"
    place = Place(data, launch(options.device, options.devices, precision), precision, runs, prolong=prolong)
    pictures = None if options.pictures is None else Path(options.pictures)
    try:
        make_packs(trainings, folder, place, pictures)
        if options.with_teachers:
            train_needed(trainings, folder, place, changes=options.set)
        last = train_stages(trainings, folder, place)
    except TrainingInterrupted as stop:
        say(f"\n{stop}", error=True)
        return stop.exit_code
    if not is_first_process():
        return 0
    values = summary(last)
    best = number(values["best_nme"], 3, " %")
    text = f"{trainings[-1].name}: {values['step']} steps, best validation NME {best}, {last}"
    report(values, text, options.json)
    return 0


def _recipe_text(values: Sequence[Mapping[str, Any]]) -> str:
    rows: list[tuple[object, ...]] = [("recipe", "points", "input", "steps", "batch", "description")]
    for entry in values:
        stages = entry["stages"]
        network = stages[-1]["network"]
        steps = "+".join(str(stage["steps"]) for stage in stages)
        about = entry["description"].partition(". ")[0]
        rows.append((entry["name"], network["points"], network["input_size"], steps, stages[-1]["batch"], about))
    return table(rows)


def _setting_lines(values: Mapping[str, Any], path: str) -> list[str]:
    """Return settings as lines `key = value`, keys as `--set` takes them, a pack a line."""
    lines = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            lines += _setting_lines(value, f"{path}{key}.")
        elif key == "packs":
            for pack in value:
                rest = ", ".join(f"{name} {json.dumps(of_pack)}" for name, of_pack in pack.items() if name != "name")
                lines.append(f"{path}{key} = {pack['name']} ({rest})")
        else:
            lines.append(f"{path}{key} = {value if isinstance(value, str) else json.dumps(value)}")
    return lines


def interrupt_when_stdin_closes() -> None:
    """Do as on Ctrl-C once standard input has ended: its writer closed it, or ended itself in whatever way."""
    if sys.stdin is None:
        return
    descriptor = sys.stdin.fileno()

    def watch() -> None:
        with suppress(OSError):  # as good as closed
            while os.read(descriptor, 1024):  # not by `sys.stdin`, whose lock would be missing at the end
                pass
        _thread.interrupt_main()

    threading.Thread(target=watch, name="stdin watch", daemon=True).start()
