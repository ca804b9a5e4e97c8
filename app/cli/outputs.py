"""The one guard of all outputs of all verbs: docs/recording.md states its rule."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from app.cli.terminal import TO_TERMINAL
from engine.core.errors import ModelError, UsageError
from engine.core.output_guard import OutputGuard, check_name
from engine.filters.library import FilterLibrary
from engine.inference.library import ModelLibrary

# The options that name something to read, by the name of their value; and those that name one file to write.
INPUTS = (
    "source", "path", "data", "pack", "predictions", "proposal", "shapes", "checkpoint", "runs", "resume", "root",
    "file", "card", "log", "clip", "pictures",
)  # fmt: skip
OUTPUTS = ("record", "picture", "screenshot", "sheet", "json")
FOLDERS = ("out", "to", "report")  # and those that name a folder, or a file or a folder
# Options that take “-”, or have a sentence of their own for it.
TAKE_DASH = ("json", "source", "path")
# What is read from a folder besides its pictures: from a pack, an evaluation or a run.
READ_FROM_FOLDERS = ("annotations.npz", "meta.json", "images", "evaluation.json", "recipe.json")
CHECKPOINTS = ("last.safetensors", "best.safetensors")
# Endings of files that are no pictures, although they lie among pictures.
NO_PICTURES = (".pts", ".csv", ".json", ".jsonl", ".txt", ".mp4", ".avi")
# Verbs that read ground truth next to a source, and its file in a folder.
READ_TRUTH = ("run", "compare-live")
TRUTH_OF_FOLDER = "landmarks.csv"


def add_overwrite(parser: argparse.ArgumentParser) -> None:
    """Add `--overwrite`."""
    parser.add_argument("--overwrite", action="store_true", help="replace files that exist, but never what is read")


def guard_outputs(options: argparse.Namespace) -> OutputGuard:
    """Return the guard of a command, once it has let the options pass that name a single file to write.

    Raises:
        UsageError: one of them would destroy something, two name the same file, or one is empty or “-”, which would
            become a file of this name.
    """
    empty = [name for name, value in vars(options).items() if value == "" and name != "source"]
    if empty:
        raise UsageError(
            f"“{empty[0]}” is empty", "a variable of the shell may be empty", "give a name, or leave the option out"
        )
    dashes = [name for name, value in vars(options).items() if value == TO_TERMINAL and name not in TAKE_DASH]
    if dashes:
        raise UsageError(
            f"“{dashes[0]}” cannot be {TO_TERMINAL}",
            "only --json - writes to the terminal, and nothing is read from standard input",
            "give a name",
        )
    guard = OutputGuard(_inputs(options), getattr(options, "overwrite", False))
    for name in FOLDERS:
        if isinstance(target := getattr(options, name, None), str):
            check_name(Path(target))
    taken: dict[Path, str] = {}
    for name in OUTPUTS:
        target = getattr(options, name, None)
        if not isinstance(target, str) or (name == "json" and target == TO_TERMINAL):
            continue
        path = Path(target)
        if path.is_dir():
            raise UsageError(f"{target} is a folder", f"--{name} writes a file", "name a file in it")
        guard.check(path, is_report=name == "json" and path.suffix.lower() == ".json")
        other = taken.setdefault(path.resolve(), name)
        if other != name:
            raise UsageError(
                f"--{other} and --{name} both name {target}", "one would overwrite the other", "name two files"
            )
    return guard


def pictures_in(folder: Path) -> list[Path]:
    """Return the pictures directly in a folder, whatever their format; none where it cannot be read."""
    try:
        return [file for file in folder.iterdir() if file.suffix.lower() not in NO_PICTURES and not file.is_dir()]
    except OSError:  # what reads it says so
        return []


def _inputs(options: argparse.Namespace) -> Iterator[Path]:
    """Yield what a command reads; names that mean nothing are refused where they are used."""
    for name in INPUTS:
        value = getattr(options, name, None)
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str):
                # `compare` takes several folders between commas.
                for part in {text, *text.split(",")} if name == "runs" else (text,):
                    yield from _read_from(Path(part).expanduser(), options.verb in READ_TRUTH)
    model, models = getattr(options, "model", None), getattr(options, "models", None)
    several = models.split(",") if isinstance(models, str) else []
    for text in [*(model if isinstance(model, list) else [model]), *several]:
        if isinstance(text, str):
            try:
                file = ModelLibrary().find(text)
            except ModelError:
                continue
            yield from (file, file.with_suffix(".json"))
    if isinstance(chosen := getattr(options, "filter", None), str):
        try:
            yield FilterLibrary().find(chosen)
        except UsageError:
            return


def _read_from(path: Path, with_truth: bool) -> Iterable[Path]:
    path = Path(os.path.abspath(path))  # noqa: PTH100  “.” has a name then; links stay
    if not path.is_dir():
        truth = [path.with_suffix(".csv"), path.with_suffix(".pts"), path.with_name(f"{path.name}.pts")]
        return [path, *truth, path.with_name(TRUTH_OF_FOLDER)] if with_truth else [path]
    named = [path / name for name in (*READ_FROM_FOLDERS, *CHECKPOINTS)]
    if (path / "annotations.npz").exists():  # a pack's pictures are in its folder `images`
        return named
    pictures = pictures_in(path)
    truth = [path / TRUTH_OF_FOLDER, path.parent / f"{path.name}.csv", *path.glob("*.pts")] if with_truth else []
    return [*named, *pictures, *truth]
