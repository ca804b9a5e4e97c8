"""The table of a comparison: Markdown, CSV, and plain values for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from engine.evaluation.compare import LEVEL, RESAMPLES, SEED, ComparedRun, Difference
from engine.evaluation.files import DIGITS, SavedEvaluation, all_rounded
from engine.evaluation.tables import NORMALISER_TEXTS, accuracy_cells, csv_table, markdown_table

HEADING = ("run", "runs", "faces", "NME", "FR10", "AUC10", "NME difference", f"{LEVEL:.0f} % interval", "verdict")


def comparison_cells(rows: Sequence[ComparedRun]) -> list[list[str]]:
    """Return the cells below `HEADING`."""
    return [
        [row.name, str(len(row.errors)), *accuracy_cells(row.accuracy, 3), *_difference_cells(row.difference)]
        for row in rows
    ]


def comparison_heading(first: SavedEvaluation) -> str:
    """Return on what the runs are compared."""
    return f"{first.data}, split {first.split}, {len(first.images)} faces, {first.points} points"


def comparison_remarks(rows: Sequence[ComparedRun], first: SavedEvaluation) -> list[str]:
    """Return what must be known to read the table, as sentences."""
    said = [
        f"NME and FR10 in percent of {NORMALISER_TEXTS[first.normaliser]}; AUC10 in [0, 1].",
        f"NME difference: against the first row, in percent points, below 0 is better, with the {LEVEL:.0f} % interval "
        f"of a paired bootstrap over the faces ({RESAMPLES:,} resamples, seed {SEED}).",
    ]
    if any(len(row.errors) > 1 for row in rows):
        said.append("Where a row has several runs, its figures and errors are means over them.")
    return said + [
        f"{row.name}: the difference is over the {row.difference.faces} faces that both found."
        for row in rows
        if row.difference is not None and row.difference.faces < row.accuracy.faces
    ]


def comparison_values(rows: Sequence[ComparedRun], first: SavedEvaluation) -> dict[str, Any]:
    """Return a comparison as plain values for JSON."""
    place = {name: getattr(first, name) for name in ("data", "split", "labels", "points", "normaliser")}
    return {**place, "resamples": RESAMPLES, "seed": SEED, "level": LEVEL, "rows": [_values(row) for row in rows]}


def comparison_markdown(rows: Sequence[ComparedRun], first: SavedEvaluation) -> str:
    """Return a comparison as a Markdown document."""
    table = markdown_table(HEADING, comparison_cells(rows))
    return f"# {comparison_heading(first)}\n\n{table}\n\n{' '.join(comparison_remarks(rows, first))}\n"


def comparison_csv(rows: Sequence[ComparedRun]) -> str:
    """Return a comparison as CSV."""
    records = [_values(row) for row in rows]
    return csv_table(list(records[0]), [list(record.values()) for record in records])


def _difference_cells(difference: Difference | None) -> list[str]:
    if difference is None:
        return ["-", "-", "-"]
    verdict = "no clear difference"
    if difference.excludes_zero:
        verdict = "better" if difference.nme < 0 else "worse"
    return [f"{difference.nme:+.3f}", f"{difference.low:+.3f} to {difference.high:+.3f}", verdict]


def _values(row: ComparedRun) -> dict[str, Any]:
    difference = row.difference
    values = {
        "run": row.name,
        "runs": len(row.errors),
        **asdict(row.accuracy),
        "difference": difference and difference.nme,
        "low": difference and difference.low,
        "high": difference and difference.high,
        "difference_faces": difference and difference.faces,
        "excludes_zero": difference and difference.excludes_zero,
    }
    return all_rounded(values, DIGITS)
