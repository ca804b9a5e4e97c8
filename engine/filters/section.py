"""A table of a TOML file whose keys are asked for one by one; every mistake tells its line and what was expected."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.filters.errors import FilterError
from engine.filters.points import LANDMARKS, NAMED_POINTS, mean_of
from engine.filters.toml_lines import KeyPath, line_of

POINT = "the name of a place on the face, a landmark from 0 to 67, or a list of these, whose middle is meant"


@dataclass(frozen=True)
class Document:
    """A file and the lines of its keys."""

    file: Path
    lines: dict[KeyPath, int]


class Section:
    """One table.

    Args:
        document: where it stands.
        path: of the table.
        values: what it holds.
        known: the keys it may have.

    Raises:
        FilterError: a key is none of these.
    """

    def __init__(self, document: Document, path: KeyPath, values: dict[str, Any], known: Sequence[str]) -> None:
        self.path, self.values = path, values
        self._document = document
        for key in values:
            if key not in known:
                raise self.error(
                    key,
                    f"there is no key “{key}” {self._name()}",
                    f"the keys {self._name()} are {', '.join(known)}",
                    _suggestion(key, known, "remove the line"),
                )

    @property
    def line(self) -> int:
        """The line, counted from 1, at which the table begins."""
        return line_of(self.path, self._document.lines)

    def line_of(self, key: str) -> int:
        """Return the line of a key, counted from 1."""
        return line_of((*self.path, key), self._document.lines)

    def error(self, key: str, problem: str, expected: str, fix: str) -> FilterError:
        """Return a mistake in the line of `key`."""
        return FilterError(self._document.file, self.line_of(key), problem, expected, fix)

    def wrong(self, key: str, expected: str, example: str, value: Any = None) -> FilterError:
        """Return the mistake that `key`, or an element `value` of it, is not what was expected."""
        shown = _shown(self.values[key] if value is None else value)
        return self.error(key, f"“{key}” is {shown}", f"{expected} was expected", f"write it so: {key} = {example}")

    def text(self, key: str, example: str, default: str | None = None) -> str:
        """Return a text; it must be there if `default` is None."""
        value = self._value(key, "a text in quotation marks", f'"{example}"', default)
        if not isinstance(value, str) or not (value or default == ""):
            raise self.wrong(key, "a text in quotation marks", f'"{example}"')
        return value

    def file_name(self, key: str, suffix: str, default: str | None = None) -> str:
        """Return the name of a file in the filter's own folder."""
        example = f"picture{suffix}"
        name = self.text(key, example, default)
        if name and (Path(name).name != name or "\\" in name or Path(name).suffix.lower() != suffix):
            raise self.wrong(key, f"the name of a {suffix} file in the filter's own folder", f'"{example}"')
        return name

    def choice(self, key: str, choices: Sequence[str], default: str | None = None) -> Any:
        """Return one of `choices`."""
        expected = f"one of {', '.join(choices)}"
        value = self._value(key, expected, f'"{choices[0]}"', default)
        if value not in choices:
            problem = f"“{key}” is {_shown(value)}"
            fix = _suggestion(value, choices, f'write it so: {key} = "{choices[0]}"')
            raise self.error(key, problem, f"{expected} was expected", fix)
        return value

    def number(self, key: str, low: float, high: float, default: float | None = None) -> float:
        """Return a number in [low, high]."""
        expected = f"a number from {low:g} to {high:g}"
        value = self._value(key, expected, f"{high:g}", default)
        if not _is_number(value) or not low <= value <= high:
            raise self.wrong(key, expected, f"{default if default is not None else high:g}")
        return float(value)

    def pair(self, key: str, meaning: str, example: str, default: tuple[float, float] | None) -> tuple[float, float]:
        """Return two finite numbers."""
        expected = f"a list of two numbers, {meaning},"
        value = self._value(key, expected, example, default)
        if not isinstance(value, list | tuple) or len(value) != 2 or not all(map(_is_number, value)):
            raise self.wrong(key, expected, example)
        return float(value[0]), float(value[1])

    def point(self, key: str, default: str | None = None) -> NDArray[np.float32]:
        """Return the weights `[68]` of a place on the face."""
        return self._point(key, self._value(key, POINT, '"nose_tip"', default))

    def two_points(self, key: str, default: tuple[str, str] | None = None) -> NDArray[np.float32]:
        """Return the weights `[2, 68]` of two places on the face."""
        expected, example = "a list of two places on the face", '["eye_right", "eye_left"]'
        value = self._value(key, expected, example, default)
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise self.wrong(key, expected, example)
        first, second = (self._point(key, end) for end in value)
        if np.array_equal(first, second):
            raise self.wrong(key, "two different places", example)
        return np.stack((first, second))

    def table(self, key: str, known: Sequence[str]) -> Section | None:
        """Return a table inside this one; None if it is not there."""
        values = self.values.get(key)
        if values is None:
            return None
        if not isinstance(values, dict):
            raise self.wrong(key, f"a table with {', '.join(known)}", "{ … }, or a line with its name in [ ]")
        return Section(self._document, (*self.path, key), values, known)

    def tables(self, key: str, known: Sequence[str]) -> list[Section]:
        """Return the tables of an array of tables; none if it is not there."""
        values = self.values.get(key, [])
        header = ".".join([*(str(part) for part in self.path if isinstance(part, str)), key])
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            raise self.error(
                key,
                f"“{key}” is no list of tables",
                f"each {key} has a table of its own",
                f"begin it with a line [[{header}]]",
            )
        return [Section(self._document, (*self.path, key, index), value, known) for index, value in enumerate(values)]

    def _value(self, key: str, expected: str, example: str, default: Any) -> Any:
        value = self.values.get(key, default)
        if value is None:
            raise FilterError(
                self._document.file,
                self.line,
                f"“{key}” is missing {self._name()}",
                f"{expected} was expected",
                f"add a line such as: {key} = {example}",
            )
        return value

    def _point(self, key: str, value: Any) -> NDArray[np.float32]:
        if isinstance(value, list) and value:
            return np.mean([self._point(key, part) for part in value], axis=0, dtype=np.float32)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < LANDMARKS:
            return mean_of((value,))
        if isinstance(value, str) and value in NAMED_POINTS:
            return NAMED_POINTS[value]
        fix = "docs/filters.md lists the names; landmarks are counted as in iBUG-68"
        raise self.error(
            key,
            f"“{key}” has {_shown(value)}, which is no place on a face",
            f"{POINT}, was expected",
            _suggestion(value, tuple(NAMED_POINTS), fix),
        )

    def _name(self) -> str:
        names = [part for part in self.path if isinstance(part, str)]
        return f"in “{'.'.join(names)}”" if names else "at the top of the file"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _shown(value: Any) -> str:
    """Return a value of the file as it could stand there, cut to a readable length."""
    text = f"“{value}”" if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _suggestion(value: Any, known: Sequence[str], otherwise: str) -> str:
    close = get_close_matches(value, known, 1) if isinstance(value, str) else []
    return f"did you mean “{close[0]}”?" if close else otherwise
