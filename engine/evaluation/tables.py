"""The tables that papers print of an evaluation: a row for each subset, a column for each figure and facial part."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields

import numpy as np

from engine.core.metrics import FAILURE_THRESHOLD, Accuracy, accuracy
from engine.core.texts import safe_cell
from engine.evaluation.evaluate import PART_TITLES, Evaluation, ScoredFace
from engine.formats.packs import ATTRIBUTES

FULL = "full"
FIRST_SUBSETS = ("common", "challenging")  # 300-W's, in the order of its tables
NORMALISER_TEXTS = {
    "eyes": "the distance of the outer eye corners",
    "pupils": "the distance of the pupils",
    "box": "the root of the box area",
}


@dataclass(frozen=True)
class Row:
    """The figures of all faces of an evaluation, `full`, or of a subset.

    Attributes:
        accuracy: NME, FR10 and AUC10 in percent of the normaliser.
        parts: NME of each part of the face in percent of the normaliser; None where no face has a label there.
    """

    name: str
    accuracy: Accuracy
    parts: dict[str, float | None]


def table_rows(evaluation: Evaluation) -> list[Row]:
    """Return the row of all faces, then one for each subset that the pack names."""
    titles = [title for part, title in PART_TITLES.items() if part in evaluation.scheme.parts]
    rows = []
    for name, faces in faces_by_row(evaluation.faces).items():
        parts = {part: accuracy(np.array([face.parts.get(part, np.nan) for face in faces])).nme for part in titles}
        rows.append(Row(name, accuracy(np.array([face.nme for face in faces])), parts))
    return rows


def faces_by_row(faces: tuple[ScoredFace, ...]) -> dict[str, tuple[ScoredFace, ...]]:
    """Return the faces of each row by its name: all, then those of each subset."""
    named = {scored.face.subset for scored in faces} - {""}
    order = [*(name for name in FIRST_SUBSETS if name in named), *sorted(named - set(FIRST_SUBSETS))]
    groups = {name: tuple(scored for scored in faces if scored.face.subset == name) for name in order}
    for attribute in ATTRIBUTES:
        having = tuple(scored for scored in faces if attribute in (scored.face.attributes or ()))
        if having:
            groups[attribute] = having
    return {FULL: faces, **groups}


def table_heading(rows: Sequence[Row]) -> list[str]:
    """Return the names of the columns of a table for people."""
    return ["subset", "faces", "NME", "FR10", "AUC10", *rows[0].parts]


def table_cells(rows: Sequence[Row]) -> list[list[str]]:
    """Return the cells of a table for people."""
    return [
        [row.name, *accuracy_cells(row.accuracy, 2), *(rounded(value, 2) for value in row.parts.values())]
        for row in rows
    ]


def accuracy_cells(figures: Accuracy, digits: int) -> list[str]:
    """Return the cells for faces, NME with so many `digits`, FR10 and AUC10."""
    return [str(figures.faces), rounded(figures.nme, digits), rounded(figures.fr10, 2), rounded(figures.auc10, 4)]


def title(evaluation: Evaluation) -> str:
    """Return what was measured on what."""
    return f"{evaluation.model} on {evaluation.data}, split {evaluation.split}"


def figure_units(normaliser: str) -> str:
    """Return what NME, FR10 and AUC10 are of; `normaliser` is one of `engine.core.metrics.NORMALISERS`."""
    return (
        f"NME in percent of {NORMALISER_TEXTS[normaliser]}, over labelled points; FR10 in percent of the faces: those "
        f"with an NME above {FAILURE_THRESHOLD:g} %; AUC10 in [0, 1]"
    )


def remarks(evaluation: Evaluation) -> list[str]:
    """Return what must be known to read the figures, as sentences."""
    said = [f"{figure_units(evaluation.normaliser)}. {evaluation.points} points were compared."]
    unknown = evaluation.n - evaluation.nme_faces
    if unknown:
        said.append(f"Left out: {unknown} of {evaluation.n} faces, because that length is not labelled there.")
    if evaluation.missed:
        said.append(f"Missed faces: {evaluation.missed}; they count as failures and have no part in the NME.")
    if evaluation.outside:
        said.append(f"Labels outside their pictures: {evaluation.outside} faces; they count all the same.")
    return said


def markdown_table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown, columns padded so that its text can be read too; all but the first are numbers."""
    widths = [max(len(row[column]) for row in (heading, *rows)) for column in range(len(heading))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = [
        [row[0].ljust(widths[0]), *(text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True))]
        for row in (heading, rule, *rows)
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def csv_table(heading: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table as CSV; None becomes an empty cell, and no name a formula."""
    text = io.StringIO()
    cells = ([safe_cell(cell) if isinstance(cell, str) else cell for cell in row] for row in (heading, *rows))
    csv.writer(text, lineterminator="\n").writerows(cells)
    return text.getvalue()


def as_markdown(evaluation: Evaluation) -> str:
    """Return the table of an evaluation as a Markdown document."""
    rows = table_rows(evaluation)
    heading = table_heading(rows)
    return f"# {title(evaluation)}\n\n{markdown_table(heading, table_cells(rows))}\n\n{' '.join(remarks(evaluation))}\n"


def as_csv(evaluation: Evaluation) -> str:
    """Return the table of an evaluation as CSV, with what was measured in every row."""
    rows = table_rows(evaluation)
    parts = [f"nme_{part}" for part in rows[0].parts]
    heading = ["model", "data", "split", "subset", *(field.name for field in fields(Accuracy)), *parts]
    cells = [
        [evaluation.model, evaluation.data, evaluation.split, row.name]
        + [value and round(value, 4) for value in (*astuple(row.accuracy), *row.parts.values())]
        for row in rows
    ]
    return csv_table(heading, cells)


def rounded(value: float | None, digits: int) -> str:
    """Return a number for a table; a dash where there is none."""
    return "-" if value is None else f"{value:.{digits}f}"
