"""`understudy export`: a checkpoint becomes a .tflite or .onnx model with its card."""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path
from typing import Any

from app.cli.options import add_json, require_packages
from app.cli.outputs import add_overwrite
from app.cli.terminal import report
from app.trainer_setup import TRAINER_PACKAGES
from engine.core.errors import UsageError
from engine.core.installation import add_extra
from engine.core.paths import asset_path
from engine.inference.library import INT8_MARK, ModelLibrary, ensure_own_card

FOREIGN_ENDINGS = (".onnx", ".tflite", ".safetensors", ".pth", ".pt", ".h5", ".keras", ".json", ".npz")
ONNX_PACKAGES = ("onnx", "onnxruntime")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument(
        "checkpoint",
        metavar="RUN|CHECKPOINT|MODEL",
        help="folder of a run, or a .safetensors file in it; for int8 and ONNX also a .tflite model, by name or file",
    )
    parser.add_argument("--out", required=True, metavar="NAME", help="name of the model, or path of its file")
    parser.add_argument("--role", choices=("student", "teacher"), default="student", help="what its card calls it")
    small = parser.add_mutually_exclusive_group()
    small.add_argument(
        "--int8", action="store_true", help="compute in int8 where maps are small: faster on LiteRT; needs --data"
    )
    small.add_argument(
        "--int8-weights",
        action="store_true",
        help="store large weights in int8: half the file; needs --data",
    )
    small.add_argument(
        "--onnx",
        action="store_true",
        help="write NAME.onnx, for other programs; needs onnx and onnxruntime",
    )
    parser.add_argument(
        "--data",
        metavar="PACKS",
        help="folder of the packs that the run learned from: the label shift is measured on their training faces, and "
        "the ranges of --int8",
    )
    add_overwrite(parser)
    add_json(parser)


def main(options: argparse.Namespace) -> int:
    """Write the model and its card, and report.

    Raises:
        UsageError: the trainer's requirements are not installed, or an int8 model was asked for without data.
        ModelError: a model of the other format has the name.
    """
    require_packages(TRAINER_PACKAGES)
    target = _target(options.out, ".onnx" if options.onnx else ".tflite")
    if options.onnx:
        _check_onnx()
    if options.int8:
        target = target.with_stem(target.stem.removesuffix(INT8_MARK) + INT8_MARK)
    ensure_own_card(target)
    for file in (target, target.with_suffix(".json")):
        options.guard.check(file)
    from trainer.recipes.arguments import check_checkpoint, check_data

    checkpoint = _source(options.checkpoint)
    check_checkpoint(checkpoint)
    if checkpoint.suffix == ".tflite" and not (options.int8 or options.int8_weights or options.onnx):
        raise UsageError(
            f"{options.checkpoint} is a model already",
            "it can only be made int8 or ONNX",
            "add --int8, --int8-weights or --onnx, or give the folder of a run",
        )
    if options.data is not None:
        check_data(Path(options.data))
    from trainer.run_folder import last_checkpoint
    from trainer.tflite.export import export, manual_packs, note_eyes, note_label_shift

    if checkpoint.suffix != ".tflite":
        checkpoint = last_checkpoint(checkpoint)
    # Before anything is written: what is missing would leave a model whose card says that nothing is shifted.
    packs = [] if options.data is None else manual_packs(checkpoint, Path(options.data))
    if options.int8 or options.int8_weights:
        values, text = _exported_int8(options, checkpoint, target)
    else:
        from trainer.onnx_export import export_onnx

        done = (export_onnx if options.onnx else export)(checkpoint, target, options.role)
        values = vars(done)
        text = f"Its points differ from PyTorch's by at most {done.difference:.4%} of the crop side."
    if options.data is not None:
        shift = note_label_shift(target, packs)
        values = {**values, "label_shift": shift}
        text += "\nLabel shift: " + (
            "not measured, as none of its manual packs is there."
            if shift is None
            else f"{shift:+.3%} of the crop side, noted on its card."
        )
        levels = note_eyes(target, Path(options.data))
        values["eyes"] = levels and vars(levels)
        if levels is not None:
            text += f"\nEyes: {levels.closed:.3f} closed, {levels.open:.3f} open, noted on its card."
    measure = f"Measure it with “understudy evaluate --model {values['model']} --data PACK --save-to-card”."
    report(values, f"{values['model']} and its card are written.\n{text}\n{measure}", options.json)
    return 0


def _source(named: str) -> Path:
    """Return what is exported: a path, or the file of the model that has this name, as with every verb."""
    path = Path(named)
    if path.exists() or path.name != named:
        return path
    return {entry.name: entry.path for entry in ModelLibrary().entries()}.get(named, path)


def _target(name: str, ending: str) -> Path:
    """Return the file of a new model: among the program's models if it is a mere name, else where the path says.

    Raises:
        UsageError: its ending is that of another kind of file.
    """
    path = Path(name)
    if path.suffix == ending:
        return path
    if path.suffix in FOREIGN_ENDINGS:
        hint = {".onnx": "; for ONNX add --onnx", ".tflite": "; --onnx is for ONNX alone"}.get(path.suffix, "")
        raise UsageError(
            f"The model {name} cannot end in {path.suffix}",
            f"what is written is a {ending} file with its card",
            f"leave the ending out, or write {path.with_suffix(ending)}{hint}",
        )
    if path.parent == Path():
        return asset_path("models", f"{name}{ending}")
    return path.with_name(f"{path.name}{ending}")


def _check_onnx() -> None:
    """Refuse an ONNX model that cannot be made.

    Raises:
        UsageError: as above.
    """
    missing = [package for package in ONNX_PACKAGES if importlib.util.find_spec(package) is None]
    if missing:
        raise UsageError(
            f"ONNX models need packages that are not installed ({', '.join(missing)})",
            "everything else does without them",
            add_extra("onnx"),
        )


def _exported_int8(options: argparse.Namespace, checkpoint: Path, target: Path) -> tuple[dict[str, Any], str]:
    if options.data is None:
        raise UsageError(
            "An int8 model cannot be made without faces",
            "the ranges of its numbers are measured on training faces",
            "name the folder of the packs with --data",
        )
    from trainer.tflite.export_int8 import export_int8

    data, only = Path(options.data), options.int8_weights
    done = export_int8(checkpoint, data, target, options.role, weights_only=only)
    text = (
        f"Its points differ from the float model's by at most {done.difference:.2%} of the crop side.\n"
        f"NME on the run's {done.faces} validation faces: {done.nme_int8:.3f} %, of the float model "
        f"{done.nme_float16:.3f} % ({done.nme_int8 / done.nme_float16 - 1:+.1%})."
    )
    return vars(done), text
