"""What is wrong with a filter, and in which line."""

from __future__ import annotations

from pathlib import Path

from engine.core.errors import UnderstudyError


class FilterError(UnderstudyError):
    """A filter that cannot be used as it is written.

    Args:
        file: where the mistake stands.
        line: its line, counted from 1; None where there is no such thing, as in a picture.
        problem: what is wrong there, as a sentence without its full stop.
        expected: what was expected.
        fix: what to do.

    Attributes:
        file, line, expected: as above.
    """

    def __init__(self, file: Path, line: int | None, problem: str, expected: str, fix: str) -> None:
        place = f"{file.parent.name}/{file.name}" + (f", line {line}" if line else "")
        super().__init__(f"{place}: {problem}", expected, fix)
        self.file, self.line, self.expected = file, line, expected
