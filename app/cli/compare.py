"""`understudy compare`: evaluations side by side, and whether their difference is more than noise."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from app.cli.options import add_json, positive
from app.cli.terminal import report, say, table
from engine.core.errors import UsageError
from engine.evaluation.compare import (
    HEADING,
    ComparedRun,
    compare,
    comparison_cells,
    comparison_csv,
    comparison_heading,
    comparison_markdown,
    comparison_remarks,
    comparison_values,
)
from engine.evaluation.curves import write_curves
from engine.evaluation.files import DIGITS, SavedEvaluation, as_json, read_evaluation, write_texts
from engine.evaluation.tables import NORMALISER_TEXTS
from engine.inference.card import TeacherGain, read_card, write_card
from engine.inference.library import ModelLibrary

# What `--out` holds.
FILES = ("comparison.json", "comparison.md", "comparison.csv", "ced.png")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument(
        "runs",
        nargs="+",
        metavar="RUN",
        help="folder written by “evaluate --out”; A1,A2 are runs with different seeds, averaged in one row",
    )
    parser.add_argument("--out", metavar="DIR", help="write the table and the curves there")
    parser.add_argument(
        "--gain-of",
        metavar="MODEL",
        help="note on this model's card what a teacher brought; the first run had none, the second was taught",
    )
    parser.add_argument("--steps", type=positive, metavar="N", help="steps of these runs, for --gain-of")
    add_json(parser)


def main(options: argparse.Namespace) -> int:
    """Compare, report, and write the requested files.

    Raises:
        UsageError: there are fewer than two runs, or they were not measured on the same faces in the same way.
    """
    groups = [_group(run) for run in options.runs]
    if len(groups) < 2:
        raise UsageError("There is only one run", "a comparison needs two", "name another one")
    if (options.gain_of is None) != (options.steps is None) or (options.gain_of and len(groups) != 2):
        raise UsageError(
            "What a teacher brought cannot be noted like this",
            "it takes two runs, one without a teacher and one taught, and how many steps they had",
            "name both runs, --gain-of MODEL and --steps N",
        )
    for name in FILES if options.out else ():
        options.guard.check(Path(options.out) / name, is_report=True)
    first, rows = groups[0][0], compare(groups)
    figures = table([HEADING, *comparison_cells(rows)])
    text = "\n".join([f"{comparison_heading(first)}:", figures, *comparison_remarks(rows, first)])
    report(comparison_values(rows, first), text, options.json)
    if options.out:
        _write(Path(options.out), rows, first)
    if options.gain_of:
        _note_gain(options.gain_of, options.steps, rows, first)
    return 0


def _group(text: str) -> list[SavedEvaluation]:
    """Return the evaluations of one row: a folder, or several of them between commas."""
    # A folder may have a comma in its name.
    parts = [text] if Path(text).exists() else [part for part in text.split(",") if part]
    return [read_evaluation(Path(part)) for part in parts or [text]]


def _note_gain(model: str, steps: int, rows: Sequence[ComparedRun], first: SavedEvaluation) -> None:
    """Put what a teacher brought on a model's card, in place of what was noted of the same faces."""
    (alone, taught), path = rows, ModelLibrary().find(model).with_suffix(".json")
    difference, card = taught.difference, read_card(path)
    if first.normaliser != "eyes" or difference is None or alone.accuracy.nme is None or taught.accuracy.nme is None:
        raise UsageError(
            "What a teacher brought cannot be noted on a card",
            "cards hold errors in percent of the distance of the outer eye corners, on faces that both runs found",
            "evaluate both with --normaliser eyes, on a pack with landmarks",
        )
    gain = TeacherGain(
        data=first.data,
        split=first.split,
        faces=difference.faces,
        steps=steps,
        seeds=len(taught.errors),
        alone=round(alone.accuracy.nme, DIGITS),
        taught=round(taught.accuracy.nme, DIGITS),
        low=round(difference.low, DIGITS),
        high=round(difference.high, DIGITS),
    )
    others = tuple(other for other in card.gains if (other.data, other.split) != (gain.data, gain.split))
    write_card(path, replace(card, gains=(*others, gain)))
    say(f"Noted on {path}", error=True)


def _write(folder: Path, rows: Sequence[ComparedRun], first: SavedEvaluation) -> None:
    texts = {
        "comparison.json": as_json(comparison_values(rows, first)),
        "comparison.md": comparison_markdown(rows, first),
        "comparison.csv": comparison_csv(rows),
    }
    write_texts(folder, texts)
    curves = [(row.name, row.errors.ravel()) for row in rows]
    remark = write_curves(folder / "ced.png", comparison_heading(first), NORMALISER_TEXTS[first.normaliser], curves)
    if remark:
        (folder / "ced.png").unlink(missing_ok=True)  # an older picture would not fit the new tables
        say(remark, error=True)
    say(f"Written to {folder}", error=True)
