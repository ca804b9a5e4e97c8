"""Writing to the terminal: sentences, tables and JSON reports."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.core.errors import UsageError, refusal
from engine.core.files import replaced

TO_TERMINAL = "-"
# Begins the report of work that ended before its end.
INTERRUPTED = "Interrupted; what was done until then is kept."


def say(text: str, error: bool = False) -> None:
    """Write a line to the terminal, to the error stream if asked; does nothing where there is no terminal."""
    stream = sys.stderr if error else sys.stdout
    if stream is not None:  # a windowed bundle has none
        try:
            encoding = stream.encoding or "utf-8"  # of a terminal that may know fewer characters
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
            stream.flush()
        except OSError as refusal:
            # Python would try what is left of it again while exiting, complain, and replace the exit code.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            if refusal.errno != errno.EIO:  # that the terminal was closed is no failure
                raise


def report(values: Mapping[str, Any], text: str, target: str | None) -> None:
    """Write a report: `text` for people, and `values` as JSON where `--json` asked for it, paths and errors as text.

    Raises:
        UsageError: the JSON file cannot be written.
    """
    if target != TO_TERMINAL:
        say(text)
    if target is None:
        return
    document = json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False, default=str)
    if target == TO_TERMINAL:
        say(document)
        return
    path = Path(target)
    try:
        with replaced(path) as temporary:
            temporary.write_text(document + "\n", encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise UsageError(
            f"The report {path} cannot be written ({error.strerror})",
            *refusal(error, "the folder forbids writing or the disk is full", "choose another place with --json"),
        ) from error


def table(rows: Iterable[Sequence[object]]) -> str:
    """Return rows of cells as aligned text; the first row is the heading."""
    cells = [["-" if value is None else str(value) for value in row] for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join(lines)


def number(value: float | None, digits: int = 2, unit: str = "") -> str:
    """Return a number for people; a dash where there is none."""
    return "-" if value is None else f"{value:.{digits}f}{unit}"
