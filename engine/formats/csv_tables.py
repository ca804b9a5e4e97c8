"""Reading landmarks from CSV tables, one face a row."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class LandmarkRow:
    """One face: its cells by the names of their columns, and its points `[K, 2]`, NaN where a cell is empty."""

    cells: Mapping[str, str]
    points: NDArray[np.float64]


def read_landmark_table(path: Path, *keys: str) -> list[LandmarkRow]:
    """Read a UTF-8 table with the columns `x0, y0, x1, y1 …` and one of `keys`, as `understudy predict` writes it.

    Raises:
        OSError, ValueError, csv.Error: the file cannot be read, a column is missing, or a cell is no number.
    """
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = [row for row in csv.reader(stream) if row]
    if not rows:
        return []
    # `understudy predict` writes the corners of a box as x0 y0 x1 y1 before the points: the last of a name counts.
    columns = {name.strip(): index for index, name in enumerate(rows[0])}
    count = sum(re.fullmatch(r"x\d+", name) is not None for name in columns)
    points = [f"{axis}{index}" for index in range(max(1, count)) for axis in "xy"]
    missing = [name for name in points if name not in columns]
    if not any(key in columns for key in keys):
        missing.insert(0, "” or “".join(keys))
    if missing:
        raise ValueError(f"the column “{missing[0]}” is missing")
    if any(len(row) != len(rows[0]) for row in rows):
        raise ValueError("a row has fewer or more cells than the heading")
    order = [columns[name] for name in points]
    return [
        LandmarkRow(
            {name: row[index] for name, index in columns.items()},
            np.reshape([float(row[index].strip() or "nan") for index in order], (-1, 2)),
        )
        for row in rows[1:]
    ]
