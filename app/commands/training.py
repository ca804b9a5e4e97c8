"""`understudy train` and `understudy export`: two doors from the application to the trainer."""

from __future__ import annotations

import argparse
from pathlib import Path

from app.cli import EXIT_INTERRUPTED
from app.commands.recipe_list import recipe_text, recipe_values
from app.commands.requirements import require_packages
from app.commands.stdin_watch import interrupt_when_stdin_closes
from app.terminal import number, report, say
from engine.assets import asset_path
from engine.errors import UsageError

NEEDED = (
    "torch",
    "lightning_fabric",
    "litert_torch",
    "safetensors",
    "tensorboard",
    "timm",
    "torchvision",
    "tqdm",
    "flatbuffers",
)


def main(options: argparse.Namespace) -> int:
    """Train or export.

    Raises:
        UsageError: the trainer's requirements are not installed, or no recipe was named.
    """
    require_packages(NEEDED)
    if options.verb == "export":
        return _export(options)
    return _list(options) if options.list else _train(options)


def _list(options: argparse.Namespace) -> int:
    from trainer.recipes import RECIPES

    values = recipe_values(RECIPES)
    report({"recipes": values}, recipe_text(values), options.json)
    return 0


def _train(options: argparse.Namespace) -> int:
    if options.recipe is None:
        raise UsageError("No recipe was named", "a training needs one", "“understudy train --list” shows them")
    from trainer.devices import is_first_process
    from trainer.interruption import TrainingInterrupted
    from trainer.overrides import recipe_by_name
    from trainer.run import run, summary

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


def _export(options: argparse.Namespace) -> int:
    from trainer.export import export

    target = Path(options.out)
    if target.suffix != ".tflite":
        target = asset_path("models", f"{options.out}.tflite")
    done = export(Path(options.checkpoint), target, options.role)
    text = (
        f"{done.model} and its card are written.\n"
        f"Its points differ from PyTorch's by at most {done.difference:.4%} of the crop side.\n"
        f"Measure it with “understudy evaluate --model {done.model} --data PACK --save-to-card”."
    )
    values = {"model": str(done.model), "card": str(done.card), "difference": done.difference}
    report(values, text, options.json)
    return 0
