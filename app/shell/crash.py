"""What a run that did not end properly leaves behind, and how the next start notices it."""

from __future__ import annotations

import faulthandler
import os
import re
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import IO

from app.shell.report import LAST_CRASH, about, end_of_log, without_private
from engine.core.platforms import lock

MOST_TRACE = 20_000  # characters of a report
# The first line of a mark names the hook that is at work.
NOTE, NOTE_BYTES = re.compile(r"hook: (.*?) *\n"), 500


class RunMark:
    """A file in the folder of logs, there for as long as the window runs.

    If native code crashes, Python writes into it where each thread was. One that its process left behind tells the next
    start that the former one did not end properly; those of windows that still run are locked.

    Args:
        folder: of the logs.

    Attributes:
        former_hook: the file of the filter's hook that was at work when the last run ended; "" if none was.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / f"running {os.getpid()}.txt"
        self._file: IO[str] | None = None
        self._note: FileIO | None = None
        self.former_hook = ""

    def begin(self) -> str | None:
        """Write the mark; where there is no place for it, do without.

        Returns:
            A report on the last run that did not end properly, see `app.shell.report`; None if all did.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            left = [self._take(file) for file in sorted(self._folder.glob("running *.txt"))]
            self._file = self._path.open("w", encoding="utf-8")
            lock(self._file)
            self._file.write(_note(None))
            self._file.flush()
            faulthandler.enable(self._file)
            self._note = FileIO(self._path, "r+")
        except OSError:
            left = []
        traces = [trace for trace in left if trace is not None]
        noted = NOTE.match(traces[-1]) if traces else None
        self.former_hook = noted[1] if noted else ""
        return _report(traces[-1], self._folder) if traces else None

    def note_hook(self, file: Path | None) -> None:
        """Note the hook that is at work; None for none."""
        if self._note is not None:
            with suppress(OSError, ValueError):  # the run may have ended
                self._note.seek(0)
                self._note.write(_note(file).encode())

    def end(self) -> None:
        """Remove the mark: the run ends properly."""
        if self._file is not None:
            faulthandler.disable()
            with suppress(OSError):
                self._file.close()
                if self._note is not None:
                    self._note.close()
                self._path.unlink()

    def _take(self, file: Path) -> str | None:
        """Return the trace in the mark of a run that is over, and rename it; None for one that still runs."""
        try:
            with file.open(encoding="utf-8", errors="replace") as mark:
                lock(mark)
                trace = mark.read(MOST_TRACE)
            file.replace(self._folder / LAST_CRASH)  # Windows refuses this while the file is open
        except OSError:
            return None
        return trace


def _note(file: Path | None) -> str:
    """Return the first line of a mark, which is always of the same length."""
    words = f"hook: {file or ''}".encode("ascii", "backslashreplace").decode()
    return words[: NOTE_BYTES - 1].ljust(NOTE_BYTES - 1) + "\n"


def _report(trace: str, folder: Path) -> str:
    noted = NOTE.match(trace)
    hook = "The hook of a filter was at work.\n" if noted and noted[1] else ""
    trace = without_private(trace[noted.end() :] if noted else trace).strip()
    trace = hook + (trace or "No trace: the program was ended from outside, or the machine went off.")
    return f"{about()}\n\n{trace}\n\n{end_of_log(folder)}"
