"""What a run may not write over: what it reads, and what exists unless that was asked for."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from pathlib import Path

from engine.core.errors import UsageError
from engine.core.platforms import unfit_part
from engine.core.records import LONGEST_SHOWN


class OutputGuard:
    """Refuses outputs that would destroy something.

    Args:
        inputs: files that the run reads, and folders of which it reads everything; those that are missing are left out.
        overwrite: whether other files may be replaced.
    """

    def __init__(self, inputs: Iterable[Path] = (), overwrite: bool = False) -> None:
        self._inputs = {key for path in inputs if (key := _identity(path)) is not None}
        self._overwrite = overwrite

    def check(self, target: Path, is_report: bool = False) -> None:
        """Check that a file may be written.

        Args:
            target: the file.
            is_report: whether it is a report, which nobody makes by hand and which may be written again and again.

        Raises:
            UsageError: it is an input, under whatever name or link; or it exists and may not be replaced; or it is a
                device or a pipe; or the system allows no such name.
        """
        check_name(target)
        try:
            mode = target.stat().st_mode
        except (OSError, ValueError):
            return  # what writes it says whether that is possible
        if any(_identity(path) in self._inputs for path in (target, *target.resolve().parents)):
            raise UsageError(
                f"{target} is the original itself",
                "this command reads it, be it under another name or through a link, and would overwrite it",
                "choose another file or folder for the output",
            )
        if stat.S_ISDIR(mode):
            return  # as above
        if not stat.S_ISREG(mode):
            raise UsageError(
                f"{target} is no file", "it is a device or a pipe, which would be replaced by a file", "name a file"
            )
        if not (self._overwrite or is_report):
            raise UsageError(
                f"{target} exists already",
                "it may be work of yours, such as labels, a clip or a picture",
                "choose another name, or add --overwrite to replace it",
            )


def check_name(target: Path) -> None:
    """Check that the system allows the names in a path that is to be written.

    Raises:
        UsageError: it does not.
    """
    if (unfit := unfit_part(target)) is not None:
        part, why = unfit
        shown = part if len(part) <= 2 * LONGEST_SHOWN else f"{part[:LONGEST_SHOWN]}…{part[-LONGEST_SHOWN:]}"
        fix = "choose another name, a short one of letters, digits and hyphens"
        raise UsageError(f"Nothing can be called “{shown}”", why, fix)


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what all names and links of a file have in common; None where there is none."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino
