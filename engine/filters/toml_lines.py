"""The line of each key in a TOML text, which `tomllib` does not report."""

from __future__ import annotations

import tomllib
from collections import Counter
from typing import Any

KeyPath = tuple[str | int, ...]


def find_lines(text: str) -> dict[KeyPath, int]:
    """Return the line, counted from 1, at which every key and table of a valid TOML text begins.

    The text is cut into statements: the fewest lines that `tomllib` takes as whole. What a statement says, and where
    its strings and lists end, is thus decided by the same parser that reads the file.

    Paths are such as `("layer", 0, "anchor", "at")`; elements of arrays of tables are counted from 0.
    """
    lines: dict[KeyPath, int] = {}
    counts: Counter[KeyPath] = Counter()
    table: KeyPath = ()
    pending, start = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        start = start if pending else number
        pending += line + "\n"
        try:
            statement = tomllib.loads(pending)
        except tomllib.TOMLDecodeError:
            continue  # a list or a text that goes on in the next line
        if pending.lstrip().startswith("["):
            table = _enter(statement, counts)
            lines.setdefault(table, start)
        else:
            _note(statement, table, start, lines)
        pending = ""
    return lines


def line_of(path: KeyPath, lines: dict[KeyPath, int]) -> int:
    """Return the line of a key, or of the innermost table around it that is written down; 1 if there is none."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def _enter(header: dict[str, Any], counts: Counter[KeyPath]) -> KeyPath:
    """Return the path of the table that a header alone, such as `[[layer.drive]]`, begins."""
    path: KeyPath = ()
    inner: Any = header
    while inner:
        name, inner = next(iter(inner.items()))
        path += (name,)
        if isinstance(inner, list):
            counts[path] += 1
            inner = inner[0]
        if counts[path]:
            path += (counts[path] - 1,)
    return path


def _note(value: Any, path: KeyPath, line: int, lines: dict[KeyPath, int]) -> None:
    """Write down the line of all keys in `value`, those in its inner tables too."""
    if path not in lines and path:
        lines[path] = line
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inner:
        _note(below, (*path, key), line, lines)
