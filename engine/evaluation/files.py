"""The folder of an evaluation: everything measured as JSON, tables, pictures; and reading the JSON again."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import RecordingError, UsageError, refusal
from engine.core.files import replaced
from engine.core.texts import plain_number, read_json, reason
from engine.evaluation.evaluate import FROM_FILE, Evaluation, ScoredFace
from engine.evaluation.tables import as_csv, as_markdown, figure_units, table_rows

DOCUMENT = "evaluation.json"
# Digits that mean something; errors of single faces keep more, because other figures are computed from them.
DIGITS, FACE_DIGITS = 4, 6
CROPS = {
    "truth": "upright crop of the true box, then a level one where the head leans by over 15 degrees",
    "detector": "crop of the detector's box, level with its eyes, then one of the landmarks found",
    FROM_FILE: "landmarks out of a file, where the crops come from is not known",
}


@dataclass(frozen=True)
class SavedEvaluation:
    """An evaluation as `evaluation.json` keeps it.

    Attributes:
        path: the file.
        model, data, split, labels, box, normaliser, points: see `engine.evaluation.evaluate.Evaluation`.
        truth_sha256: of the labels of all faces.
        images: picture of each face, in the pack's order.
        errors: `[N]` float64, NME of each face in percent; infinite if it was missed, NaN where it has none.
    """

    path: Path
    model: str
    data: str
    split: str
    labels: str
    box: str
    normaliser: str
    points: int
    truth_sha256: str
    images: tuple[str, ...]
    errors: NDArray[np.float64]


def summary(evaluation: Evaluation) -> dict[str, Any]:
    """Return the figures of an evaluation as plain values with the digits that mean something."""
    return all_rounded({n: v for n, v in vars(evaluation).items() if n not in ("scheme", "faces")}, DIGITS)


def row_values(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Return the rows of the table as plain values: subset, its figures, and the NME of each part of the face."""
    return [
        {"subset": row.name, **all_rounded(asdict(row.accuracy), DIGITS), "parts": all_rounded(row.parts, DIGITS)}
        for row in table_rows(evaluation)
    ]


def protocol(evaluation: Evaluation) -> str:
    """Return how the figures were measured."""
    return (
        f"{figure_units(evaluation.normaliser)}; nme_box in percent of the square root of the true box's area; "
        f"{CROPS[evaluation.box]}"
        + ("" if evaluation.box == FROM_FILE else "; points as labelled, the card's label shift is not taken off")
    )


def write_evaluation(evaluation: Evaluation, folder: Path) -> None:
    """Write `evaluation.json`, `table.md` and `table.csv`.

    Raises:
        RecordingError: they cannot be written.
    """
    # So that runs are never paired over other labels; one NaN may differ from another in its bits, infinities do not
    # occur among coordinates.
    truths = np.nan_to_num(np.stack([scored.truth for scored in evaluation.faces]), nan=np.inf).astype("<f4")
    document = {
        **summary(evaluation),
        "protocol": protocol(evaluation),
        "truth_sha256": hashlib.sha256(truths.tobytes()).hexdigest(),
        "rows": row_values(evaluation),
        "faces": [_face(scored) for scored in evaluation.faces],
    }
    # The document last: where it is, the evaluation is whole.
    texts = {"table.md": as_markdown(evaluation), "table.csv": as_csv(evaluation), DOCUMENT: as_json(document)}
    write_texts(folder, texts)


def as_json(values: dict[str, Any]) -> str:
    """Return plain values as the text of a JSON file."""
    return json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def unwritable(folder: Path, error: OSError) -> RecordingError:
    """Return the error that a folder for results cannot be written."""
    return RecordingError(
        f"The folder {folder} cannot be written ({error.strerror})",
        *refusal(error, "a file has its name, it forbids writing, or the disk is full", "choose another folder"),
    )


def write_texts(folder: Path, texts: dict[str, str]) -> None:
    """Write the `texts` of files by their names into `folder`, which is made where it is missing.

    Raises:
        RecordingError: they cannot be written.
    """
    try:
        for name, text in texts.items():
            with replaced(folder / name) as temporary:
                temporary.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
    except OSError as error:
        raise unwritable(folder, error) from error


def read_evaluation(path: Path) -> SavedEvaluation:
    """Read an evaluation: its `evaluation.json`, or the folder that holds it.

    Raises:
        UsageError: there is none, or it was changed or cut off.
    """
    file = path / DOCUMENT if path.is_dir() else path
    try:
        values = read_json(file)
        if not isinstance(values, dict):
            raise ValueError("it is not a JSON object")
        return SavedEvaluation(
            path=path,
            **{name: str(values[name]) for name in ("model", "data", "split", "labels", "box", "normaliser")},
            points=int(values["points"]),
            truth_sha256=str(values["truth_sha256"]),
            images=tuple(str(face["image"]) for face in values["faces"]),
            errors=np.array([_error_of(face) for face in values["faces"]], np.float64),
        )
    except FileNotFoundError as error:
        raise UsageError(
            f"There is no evaluation in {path}",
            f"a run is a folder with the file {DOCUMENT}",
            "write one with “understudy evaluate --out DIR”",
        ) from error
    except (OSError, ValueError, TypeError, LookupError, ArithmeticError, MemoryError) as error:
        raise UsageError(
            f"The evaluation {file} cannot be read ({reason(error)})",
            "it is another kind of file, or was changed or cut off",
            "write it again with “understudy evaluate --out DIR”",
        ) from error


def _face(scored: ScoredFace) -> dict[str, Any]:
    """Return a face's record: `normaliser` in pixels; all numbers None where there is none."""
    return {
        "image": scored.image,
        "missed": scored.points is None,
        "normaliser": _rounded(scored.length, 2),
        "nme": _rounded(scored.nme, FACE_DIGITS),
        "nme_box": _rounded(scored.nme_box, FACE_DIGITS),
        "parts": all_rounded(scored.parts, DIGITS),
    }


def _error_of(face: dict[str, Any]) -> float:
    if face["nme"] is not None:
        return plain_number(face["nme"])
    return math.inf if face["missed"] and face["normaliser"] is not None else math.nan


def all_rounded(values: dict[str, Any], digits: int) -> dict[str, Any]:
    """Return plain values for JSON, which knows no infinite number and no NaN: these become None."""
    return {name: _rounded(value, digits) for name, value in values.items()}


def _rounded(value: Any, digits: int) -> Any:
    if not isinstance(value, float):
        return value
    return round(value, digits) if math.isfinite(value) else None
