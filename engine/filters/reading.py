"""Reading a `filter.toml`: every mistake in it names its line."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path

from engine.core.errors import FilterError
from engine.core.records import Mistake, read_record
from engine.filters.spec import FilterSpec
from engine.filters.toml_lines import find_lines, line_of

SPEC_NAME = "filter.toml"
LARGEST_FILE = 1_000_000  # bytes


def read_spec(folder: Path) -> FilterSpec:
    """Read the `filter.toml` of a folder.

    Raises:
        FilterError: it is missing, is no TOML, or says something that makes no sense.
    """
    file = folder / SPEC_NAME
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise FilterError(file, None, "the file is too large", "a filter has some dozen lines", "check the file")
        text = file.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")  # editors on Windows write a mark in front
    except UnicodeDecodeError as error:
        line, expected = error.object[: error.start].count(b"\n") + 1, "TOML files are written in UTF-8"
        raise FilterError(file, line, "a letter cannot be read", expected, "save it as UTF-8") from error
    except OSError as error:
        raise FilterError(
            file,
            None,
            f"the file cannot be read ({error.strerror})",
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
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(file, text, error) from error
    lines = find_lines(text)
    try:
        spec = read_record(FilterSpec, values)
    except Mistake as mistake:
        line = line_of(mistake.path, lines) if mistake.path else None
        raise FilterError(file, line, mistake.problem, mistake.expected, mistake.fix) from None
    layers = tuple(replace(layer, line=line_of(("layer", index), lines)) for index, layer in enumerate(spec.layers))
    return replace(spec, title=spec.title or file.parent.name, layers=layers)


def _syntax_error(file: Path, text: str, error: tomllib.TOMLDecodeError) -> FilterError:
    place = re.search(r" \(at line (\d+), column \d+\)$", str(error))
    line = int(place[1]) if place else text.rstrip().count("\n") + 1  # else “at end of document”
    reason = re.sub(r" \(at .*\)$", "", str(error))
    return FilterError(
        file,
        line,
        f"this is no TOML ({reason})",
        "lines look like key = value, and texts stand in quotation marks",
        "mend the line, or look for a bracket or quotation mark that is missing above it",
    )
