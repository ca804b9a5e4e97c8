"""Reading a `filter.toml`: every mistake in it names its line."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.core.errors import FilterError
from engine.core.records import KeyPath, Mistake, read_record
from engine.core.texts import parse_toml, read_text, reason
from engine.filters.spec import FilterSpec

SPEC_NAME = "filter.toml"
LARGEST_FILE = 100_000  # bytes; a filter has some dozen lines
MOST_READ_AGAIN = 300_000  # letters of statements of several lines, each of which is read with those before it


def read_spec(folder: Path) -> FilterSpec:
    """Read the `filter.toml` of a folder.

    Raises:
        FilterError: it is missing, is no TOML, or says something that makes no sense.
    """
    file = folder / SPEC_NAME
    try:
        text = read_text(file, LARGEST_FILE)
    except UnicodeDecodeError as error:
        line, expected = error.object[: error.start].count(b"\n") + 1, "TOML files are written in UTF-8"
        raise FilterError(file, line, "a letter cannot be read", expected, "save it as UTF-8") from error
    except OSError as error:
        raise FilterError(
            file,
            None,
            f"the file cannot be read ({reason(error)})",
            f"a filter is a folder with a file {SPEC_NAME} in it",
            "check the folder, or make a new filter with “understudy filter new NAME”",
        ) from error
    return parse_spec(file, text)


def parse_spec(file: Path, text: str) -> FilterSpec:
    """Return what the `text` of `file` says.

    Raises:
        FilterError: it is no TOML, or says something that makes no sense.
    """
    try:
        values = parse_toml(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r" \(at line (\d+), column \d+\)$", str(error))
        reason = re.sub(r" \(at .*\)$", "", str(error))
        raise FilterError(
            file,
            int(place[1]) if place else text.rstrip().count("\n") + 1,  # else “at end of document”
            f"this is no TOML ({reason})",
            "lines look like key = value, and texts are in quotation marks",
            "correct the line, or look for a bracket or quotation mark that is missing above it",
        ) from error
    lines = find_lines(text)
    try:
        spec = read_record(FilterSpec, values)
    except Mistake as mistake:
        line = line_of(mistake.path, lines) if mistake.path else None
        raise FilterError(file, line, mistake.problem, mistake.expected, mistake.fix) from None
    layers = tuple(replace(layer, line=line_of(("layer", index), lines)) for index, layer in enumerate(spec.layers))
    return replace(spec, title=spec.title or file.parent.name, layers=layers)


def find_lines(text: str) -> dict[KeyPath, int]:
    """Return the line, counted from 1, at which every key and table of a valid TOML text begins; `tomllib` gives none.

    The text is cut into statements: the fewest lines that `tomllib` takes as whole. What a statement says, and where
    its strings and lists end, is thus decided by the same parser that reads the file.

    Paths are such as `("layer", 0, "anchor", "at")`; elements of arrays of tables are counted from 0.
    """
    lines: dict[KeyPath, int] = {}
    counts: Counter[KeyPath] = Counter()
    table: KeyPath = ()
    pending, start, read = "", 0, 0
    for number, line in enumerate(text.split("\n"), 1):
        start = start if pending else number
        pending += line + "\n"
        if (read := read + len(pending)) > MOST_READ_AGAIN:
            break  # what follows is said to be in the line of the last key
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
    """Return the line of a key, or of the innermost table around it that has one; 1 if none has."""
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
    """Record the line of all keys in `value`, those in its inner tables too."""
    if path not in lines and path:
        lines[path] = line
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inner:
        _note(below, (*path, key), line, lines)
