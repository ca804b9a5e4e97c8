"""`understudy train`: train a model by a named recipe."""

from __future__ import annotations

import _thread
import argparse
import dataclasses
import inspect
import os
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from app.cli.main import EXIT_INTERRUPTED
from app.cli.options import add_json, positive
from app.cli.requirements import TRAINER_PACKAGES, require_packages
from app.cli.terminal import number, report, say, table
from engine.core.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("recipe", nargs="?", metavar="RECIPE", help="name of the recipe, such as student-68")
    parser.add_argument("--list", action="store_true", help="list the recipes instead")
    parser.add_argument("--data", default="data", metavar="DIR", help="folder of the packs (default: data)")
    parser.add_argument("--out", metavar="DIR", help="folder of the run (default: runs/RECIPE)")
    parser.add_argument("--resume", metavar="DIR", help="go on with the run in DIR")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="default: auto")
    parser.add_argument(
        "--devices",
        type=positive,
        metavar="N",
        help="processes that divide each batch, one a GPU (default: as torchrun says, otherwise 1)",
    )
    parser.add_argument(
        "--precision",
        choices=("auto", "32-true", "bf16-mixed", "64-true"),
        default="auto",
        help="of the network's body; points and losses stay float32 (default: auto, bf16-mixed where a GPU can)",
    )
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a field; repeatable")
    parser.add_argument(
        "--stop-with-stdin", action="store_true", help="save and end when standard input closes, as on Ctrl-C"
    )
    add_json(parser)


def main(options: argparse.Namespace) -> int:
    """Train, or list the recipes.

    Raises:
        UsageError: the trainer's requirements are not installed, or no recipe was named.
    """
    require_packages(TRAINER_PACKAGES)
    return _list(options) if options.list else _train(options)


def _list(options: argparse.Namespace) -> int:
    from trainer.recipes import RECIPES

    values = _recipe_values(RECIPES)
    report({"recipes": values}, _recipe_text(values), options.json)
    return 0


def _train(options: argparse.Namespace) -> int:
    if options.recipe is None:
        raise UsageError("No recipe was named", "a training needs one", "“understudy train --list” shows them")
    from trainer.devices import is_first_process
    from trainer.recipes.overrides import recipe_by_name
    from trainer.run import run, summary
    from trainer.state import TrainingInterrupted

    if options.stop_with_stdin:
        interrupt_when_stdin_closes()
    recipe = recipe_by_name(options.recipe, options.set)
    out = Path(options.resume or options.out or Path("runs") / recipe.name)
    try:
        last = run(
            recipe,
            Path(options.data),
            out,
            options.device,
            resume=options.resume is not None,
            devices=options.devices,
            precision=options.precision,
        )
    except TrainingInterrupted as stop:
        say(f"\n{stop}", error=True)
        return EXIT_INTERRUPTED
    if not is_first_process():
        return 0
    values = summary(last)
    text = f"{recipe.name}: {values['step']} steps, best validation NME {number(values['best_nme'], 3, ' %')}, {last}"
    report(values, text, options.json)
    return 0


def _recipe_values(recipes: Mapping[str, Callable[[], Any]]) -> list[dict[str, Any]]:
    """Return recipes, by name the function that makes one, as plain values.

    Returns:
        For each `name`, its `description`, and all fields as `recipe`.
    """
    return [
        {
            "name": name,
            "description": " ".join((inspect.getdoc(make) or "").replace("`", "").split()),
            "recipe": dataclasses.asdict(make()),
        }
        for name, make in recipes.items()
    ]


def _recipe_text(values: list[dict[str, Any]]) -> str:
    """Return a table of recipes for people."""
    rows: list[tuple[object, ...]] = [("recipe", "points", "input", "steps", "batch", "description")]
    for entry in values:
        recipe = entry["recipe"]
        shape = recipe["shape"]
        rows.append(
            (
                entry["name"],
                shape["points"],
                shape["input_size"],
                recipe["steps"],
                recipe["batch"],
                entry["description"].partition(". ")[0],
            )
        )
    return table(rows)


def interrupt_when_stdin_closes() -> None:
    """Do as on Ctrl-C once standard input has ended: its writer closed it, or ended itself in whatever way."""
    if sys.stdin is None:
        return
    descriptor = sys.stdin.fileno()

    def watch() -> None:
        try:
            while os.read(descriptor, 1024):  # not by `sys.stdin`, whose lock would be missing at the end
                pass
        except OSError:
            pass  # as good as closed
        _thread.interrupt_main()

    threading.Thread(target=watch, name="stdin watch", daemon=True).start()
