"""The program's own verbs in a process of their own: torch stays out of the window, and a crash of one ends only it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from engine.core.errors import UnderstudyError
from engine.core.installation import renew
from engine.core.platforms import NO_TERMINAL
from engine.core.processes import is_bundled

ROOT = Path(__file__).resolve().parents[2]  # where `python -m app` finds the program
POLL_MS = 100  # between checks whether the process still runs


class ProcessError(UnderstudyError):
    """A process of the program could not begin, or did not end well."""


def own_program() -> tuple[str, ...] | None:
    """Return how this program is called; None in the bundle, which has no trainer."""
    return None if is_bundled() else (sys.executable, "-P", "-m", "app")


class OwnProcess(QObject):
    """Runs one verb at a time; its output goes to a file, so that it does not depend on the window.

    The process gets a standard input that stays open. It is closed to ask for the end (see
    `app.cli.train`), and by the system once the window is gone, however that came to pass.

    Args:
        program: how the program is called, without the verb.
    """

    ended = Signal(int)  # exit code; the negative number of a signal

    def __init__(self, program: tuple[str, ...], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._timer = QTimer(self, interval=POLL_MS)
        self._timer.timeout.connect(self._poll)

    @property
    def busy(self) -> bool:
        """Whether it runs."""
        return self._process is not None

    def start(self, arguments: Sequence[str], output: Path, folder: Path) -> None:
        """Run a verb.

        Args:
            arguments: the verb and its options.
            output: file to which all that it says is added.
            folder: in which it runs; made if need be, like that of `output`.

        Raises:
            ProcessError: it cannot begin.
        """
        assert self._process is None
        paths = filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUTF8": "1"}
        environment["PYTHONUNBUFFERED"] = "1"  # so that the last lines can be shown
        # Threads that wait actively for each other take the time of the window, which plays beside the training: with
        # one of two cores busy it makes 1.75 times the steps so, alone 0.96 times.
        environment.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        try:
            for needed in (folder, output.parent):
                needed.mkdir(parents=True, exist_ok=True)
            with output.open("ab") as stream:
                self._process = subprocess.Popen(
                    [*self._program, *arguments],
                    stdin=subprocess.PIPE,
                    stdout=stream,
                    stderr=subprocess.STDOUT,
                    cwd=folder,
                    env=environment,
                    start_new_session=True,  # Ctrl-C in the window's terminal is not for it: its input closes
                    creationflags=NO_TERMINAL,
                )
        except OSError as error:
            where = f": {error.filename}" if error.filename else ""
            raise ProcessError(
                f"The trainer cannot be started ({error.strerror}{where})",
                "the folder of the runs forbids writing, the disk is full, or Python was moved",
                f"choose another folder for the runs, or {renew()}",
            ) from error
        self._timer.start()

    def ask_to_end(self) -> None:
        """Ask for the end; it comes once the step at work is saved."""
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):  # it ended by itself meanwhile
                self._process.stdin.close()

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()

    def _poll(self) -> None:
        if self._process is None or self._process.poll() is None:
            return
        self._timer.stop()
        code = self._process.returncode
        self.ask_to_end()  # closes our end
        self._process = None
        self.ended.emit(code)


def reported_error(output: str) -> ProcessError | None:
    """Return the error that a verb reported at the end of its output; None where it reported none."""
    found = re.findall(r"^(.+?)\.*\s*^ *Likely cause: (.+)\s*^ *What to do: (.+)", output, re.MULTILINE)
    return ProcessError(*found[-1]) if found else None
