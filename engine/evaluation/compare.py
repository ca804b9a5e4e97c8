"""Comparing evaluations: paired differences with their confidence intervals, as Markdown, CSV and plain values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import UsageError
from engine.core.metrics import Accuracy, accuracy
from engine.evaluation.evaluate import FROM_FILE
from engine.evaluation.files import DIGITS, SavedEvaluation, all_rounded
from engine.evaluation.tables import accuracy_cells, csv_table, figure_units, markdown_table

RESAMPLES, AT_ONCE = 10_000, 500
SEED = 0
LEVEL = 95.0  # percent
HEADING = ("run", "runs", "faces", "NME", "FR10", "AUC10", "NME difference", f"{LEVEL:.0f} % interval", "verdict")
# What must be the same in all runs, and its name.
SAME = {
    "data": "pack",
    "split": "split",
    "labels": "array of labels",
    "points": "number of points",
    "normaliser": "normaliser",
}


@dataclass(frozen=True)
class Difference:
    """How much higher the NME of a run is than that of the first one.

    Attributes:
        nme: mean over the faces of their difference, in percent points of NME; below 0 is better.
        low, high: ends of its 95 % interval.
        faces: those that both found.
    """

    nme: float
    low: float
    high: float
    faces: int

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval excludes 0: such a difference is unlikely to be noise."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class ComparedRun:
    """A row of the comparison: one evaluation, or several of the same recipe with different seeds.

    Attributes:
        name: of the model, or of the folder where models share a name.
        errors: `[R, N]`, NME of each face in percent in each evaluation; infinite where it was missed, NaN where it
            has none.
        accuracy: figures, means over the evaluations.
        difference: against the first row; None for the first itself, and where no face was found by both.
    """

    name: str
    errors: NDArray[np.float64]
    accuracy: Accuracy
    difference: Difference | None


def compare(groups: Sequence[Sequence[SavedEvaluation]]) -> list[ComparedRun]:
    """Compare runs with the first one; `groups` are for each row its evaluations, which differ by their seed alone.

    Raises:
        UsageError: the runs were not measured on the same faces in the same way.
    """
    everyone = [evaluation for group in groups for evaluation in group]
    for other in everyone[1:]:
        _require_same(everyone[0], other)
    errors = [np.stack([evaluation.errors for evaluation in group]) for group in groups]
    return [
        ComparedRun(name, own, _accuracy(own), _difference(errors[0].mean(0), own.mean(0)) if index else None)
        for index, (name, own) in enumerate(zip(_names(groups), errors, strict=True))
    ]


def bootstrap_interval(differences: NDArray[np.floating]) -> tuple[float, float]:
    """Return the 95 % interval of the mean of paired differences `[N]`, the same at every call.

    Percentiles of the means of 10,000 resamples of the faces: B. Efron and R. Tibshirani, “An Introduction to the
    Bootstrap”, 1993, chapter 13.
    """
    generator = np.random.default_rng(SEED)
    count = len(differences)
    means = [differences[generator.integers(0, count, (AT_ONCE, count))].mean(1) for _ in range(RESAMPLES // AT_ONCE)]
    low, high = np.percentile(np.concatenate(means), [(100 - LEVEL) / 2, (100 + LEVEL) / 2])
    return float(low), float(high)


def _difference(first: NDArray[np.float64], other: NDArray[np.float64]) -> Difference | None:
    both = np.isfinite(first) & np.isfinite(other)
    if not both.any():
        return None
    differences = other[both] - first[both]
    return Difference(float(differences.mean()), *bootstrap_interval(differences), int(both.sum()))


def _accuracy(errors: NDArray[np.float64]) -> Accuracy:
    """Return the means over the runs of the figures of `[R, N]` errors."""
    rows = [accuracy(row) for row in errors]

    def mean(values: Iterable[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return sum(known) / len(known) if known else None

    return Accuracy(
        rows[0].faces, mean(row.nme for row in rows), mean(row.fr10 for row in rows), mean(row.auc10 for row in rows)
    )


def _names(groups: Sequence[Sequence[SavedEvaluation]]) -> list[str]:
    models = [" + ".join(dict.fromkeys(evaluation.model for evaluation in group)) for group in groups]
    if len(set(models)) == len(models):
        return models
    return [" + ".join(str(evaluation.path) for evaluation in group) for group in groups]


def _require_same(first: SavedEvaluation, other: SavedEvaluation) -> None:
    both = f"{first.path} and {other.path} cannot be compared"
    ways = [
        f"the {title} is {getattr(first, name)} in one, {getattr(other, name)} in the other"
        for name, title in SAME.items()
        if getattr(first, name) != getattr(other, name)
    ]
    if len({first.box, other.box} - {FROM_FILE}) > 1:
        ways.append(f"the boxes come from the {first.box} in one, from the {other.box} in the other")
    if ways:
        fix = "evaluate both with the same options"
        raise UsageError(f"{both}: {ways[0]}", "they were measured in different ways", fix)
    alone = sorted(set(first.images) ^ set(other.images))
    if alone:
        both += f": they have {len(first.images)} and {len(other.images)} faces, and {alone[0]} is only in one"
    elif first.images != other.images or first.truth_sha256 != other.truth_sha256:
        both += ": the labels of the faces, or their order, differ"
    else:
        return
    raise UsageError(both, "the pack was changed between them", "evaluate both again")


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
        f"{figure_units(first.normaliser)}.",
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
    place = {name: getattr(first, name) for name in SAME}
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
