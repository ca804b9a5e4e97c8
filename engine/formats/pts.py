"""Reading `.pts` files: the landmarks of one face as text."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import PackError
from engine.formats.landmark_writers import PTS_ORIGIN

FORM = re.compile(r"\s*version:[^\n{]*\n\s*n_points:\s*(\d+)\s*\{([^{}]*)\}\s*", re.IGNORECASE)


def read_pts(path: Path, *points: int) -> NDArray[np.float32]:
    """Read the landmarks `[K, 2]` of a `.pts` file, pixels counted from 0; `points` are the accepted numbers K.

    Raises:
        PackError: the file cannot be read, is no `.pts` file, has another number of points, or one is no number.
    """
    try:
        match = FORM.fullmatch(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PackError(f"{path} cannot be read ({error})", "the file is damaged", "unpack it again") from error
    if match is None:
        raise PackError(
            f"{path} is no .pts file",
            "it should say “version: 1” and “n_points: …”, and then the points within { and }",
            "unpack it again",
        )
    said, lines = int(match[1]), [line.split() for line in match[2].splitlines() if line.strip()]
    found = len(lines)
    if found not in points or said != found:
        count = f"{found} points" if found == said else f"{found} points, though it says {said}"
        raise PackError(
            f"{path} holds {count}; {' or '.join(map(str, points))} are needed",
            "it was cut off, edited, or labelled by another markup",
            "unpack it again, or remove it together with its picture",
        )
    return _numbers(path, lines) - np.float32(PTS_ORIGIN)


def _numbers(path: Path, lines: list[list[str]]) -> NDArray[np.float32]:
    for number, line in enumerate(lines, 1):
        try:
            sound = len(line) == 2 and bool(np.isfinite([float(text) for text in line]).all())
        except ValueError:
            sound = False
        if not sound:
            raise PackError(
                f"Point {number} of {path} is “{' '.join(line)}”",
                "two numbers were expected: x and y",
                "unpack it again, or remove it together with its picture",
            )
    return np.array(lines, np.float64).astype(np.float32)
