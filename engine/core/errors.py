"""The errors that users see: what happened, the likely cause, what to do."""

from __future__ import annotations

import copyreg
import errno
from pathlib import Path
from typing import Any


def sentence(text: str) -> str:
    """Return `text` with a capital first letter and a mark at its end."""
    ended = text if text.endswith((".", "?", "!", "…")) else f"{text}."
    return ended[:1].upper() + ended[1:]


# Why the system refuses a file, and what to do, by its number of the error.
REFUSALS = {
    errno.ENAMETOOLONG: (
        "a name may have 255 bytes, of which letters with accents take two or more, and a whole path about 4,000",
        "choose a shorter name, or a folder whose path is shorter",
    ),
    errno.ENOSPC: ("the disk is full", "free some space, or choose another drive"),
    errno.EROFS: ("this drive can only be read", "choose a folder on another drive"),
    errno.EMFILE: ("too many files are open", "close other windows of the program, or start it again"),
}


def refusal(error: OSError, why: str, fix: str) -> tuple[str, str]:
    """Return why the system refused a file, and what to do; `why` and `fix` where its error says nothing clearer."""
    return REFUSALS.get(error.errno or 0, (why, fix))


class UnderstudyError(Exception):
    """A failure that the user can understand and fix.

    Args:
        what: what happened, as a sentence without its full stop.
        why: the likely cause.
        fix: what to do.
    """

    def __init__(self, what: str, why: str, fix: str) -> None:
        # `what` may begin with the name of a file, which keeps its case.
        super().__init__(f"{what}. {sentence(why)} {sentence(fix)}")
        self.what, self.why, self.fix = what, why, fix

    def __reduce__(self) -> tuple[Any, ...]:  # errors cross from one process to another, whatever their arguments
        return copyreg.__newobj__, (type(self), *self.args), vars(self)  # type: ignore[attr-defined]


class SourceError(UnderstudyError):
    """A camera, video or picture cannot be opened or read."""


class ModelError(UnderstudyError):
    """A model file or its card is missing, damaged or breaks the model contract."""


class PackError(UnderstudyError):
    """A data set is incomplete or holds impossible values."""


class RecordingError(UnderstudyError):
    """A file cannot be written, or what was written cannot be read again."""


class OutputError(UnderstudyError):
    """A live output, a stream or a virtual camera, cannot be delivered."""


class UsageError(UnderstudyError):
    """An argument of a command makes no sense."""


class FilterError(UnderstudyError):
    """A filter cannot be used as it is written.

    Args:
        file: that has the mistake.
        line: its line, counted from 1; None where there is none, as in a picture.
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
