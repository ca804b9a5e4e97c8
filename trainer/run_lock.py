"""A run is trained by one command at a time."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from engine.core.errors import UsageError
from engine.core.platforms import ALREADY_LOCKED, lock_alone
from trainer.recipes.arguments import RECIPE_FILE

LOCK = ".lock"  # of a run's folder while it is trained; empty
# A window that looks whether a run is trained locks it for some microseconds.
ATTEMPTS = 3
PAUSE = 0.05  # seconds between two


@contextmanager
def only_training(folder: Path) -> Iterator[None]:
    """Keep other commands from training into a run's folder, which is made if need be; ends with the process too.

    Where the disk knows no locks, as some in networks, nothing is kept.

    Raises:
        UsageError: another command trains there.
        OSError: the folder cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder / LOCK):
        try:
            yield
        finally:
            with suppress(OSError):  # Windows keeps what is open; an empty file hurts nobody
                (folder / LOCK).unlink()
                if not (folder / RECIPE_FILE).exists():  # it never began
                    folder.rmdir()


def refuse_trained(folder: Path) -> None:
    """Raise `UsageError` if another command trains into a run's folder now."""
    if (folder / LOCK).is_file():
        _locked(folder / LOCK).close()


def _locked(path: Path) -> BinaryIO:
    """Open and lock a file."""
    attempts = 0
    while True:
        file = path.open("ab")
        try:
            lock_alone(file)
        except OSError as error:
            if error.errno not in ALREADY_LOCKED:
                return file
            file.close()
            attempts += 1
            if attempts < ATTEMPTS:
                time.sleep(PAUSE)
                continue
            raise UsageError(
                f"The run in {path.parent} is being trained already",
                "it was started twice, perhaps in another window or terminal",
                "let that training go on or stop it there, or begin another run with --out",
            ) from error
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        file.close()  # its owner ended just now and removed it
