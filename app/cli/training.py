"""`understudy train` and `understudy export`: two doors from the application to the trainer."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from app.cli.main import EXIT_INTERRUPTED
from app.cli.recipe_list import recipe_text, recipe_values
from app.cli.requirements import require_packages
from app.cli.stdin_watch import interrupt_when_stdin_closes
from app.cli.terminal import number, report, say
from engine.core.errors import UsageError
from engine.core.paths import asset_path

NEEDED = (
    "ai_edge_quantizer",
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

# What the name of an int8 model ends in.
INT8_MARK = "-int8"


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
    from trainer.recipes.overrides import recipe_by_name
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
    target = _target(options.out)
    values, text = _exported_int8(options, target) if options.int8 else _exported(options, target)
    measure = f"Measure it with “understudy evaluate --model {values['model']} --data PACK --save-to-card”."
    report(values, f"{values['model']} and its card are written.\n{text}\n{measure}", options.json)
    return 0


def _target(name: str) -> Path:
    """Return the file of a new model: among the program's models if it is a mere name, else where the path says."""
    path = Path(name)
    if path.suffix == ".tflite":
        return path
    if path.parent == Path():
        return asset_path("models", f"{name}.tflite")
    return path.with_name(f"{path.name}.tflite")


def _exported(options: argparse.Namespace, target: Path) -> tuple[dict[str, Any], str]:
    """Return what to report, and in words."""
    from trainer.tflite.export import export

    done = export(Path(options.checkpoint), target, options.role)
    values = {"model": str(done.model), "card": str(done.card), "difference": done.difference}
    return values, f"Its points differ from PyTorch's by at most {done.difference:.4%} of the crop side."


def _exported_int8(options: argparse.Namespace, target: Path) -> tuple[dict[str, Any], str]:
    """Return what to report, and in words."""
    if options.data is None:
        raise UsageError(
            "An int8 model cannot be made without faces",
            "the ranges of its numbers are measured on training faces",
            "name the folder of the packs with --data",
        )
    from trainer.tflite.export_int8 import export_int8

    target = target.with_stem(target.stem.removesuffix(INT8_MARK) + INT8_MARK)
    done = export_int8(Path(options.checkpoint), Path(options.data), target, options.role)
    text = (
        f"Its points differ from PyTorch's by at most {done.difference:.2%} of the crop side.\n"
        f"NME on the run's {done.faces} validation faces: {done.nme_int8:.3f} %, with float16 weights "
        f"{done.nme_float16:.3f} % ({done.nme_int8 / done.nme_float16 - 1:+.1%})."
    )
    return {**asdict(done), "model": str(done.model), "card": str(done.card)}, text
