"""A run is trained by one command at a time."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.core.errors import UsageError
from engine.core.platforms import lock_alone
from trainer.recipes.arguments import RECIPE_FILE

LOCK = ".lock"  # of a run's folder; empty
LOCKED = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)


@contextmanager
def only_training(folder: Path) -> Iterator[None]:
    """Keep other commands from training into a run's folder, which is made if need be; ends with the process too.

    Where the disk knows no locks, as some in networks, nothing is kept.

    Raises:
        UsageError: another command trains there.
        OSError: the folder cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("ab") as file:
        try:
            lock_alone(file)
        except OSError as error:
            if error.errno in LOCKED:
                raise UsageError(
                    f"The run in {folder} is being trained already",
                    "it was started twice, perhaps in another window or terminal",
                    "let that training go on or stop it there, or begin another run with --out",
                ) from error
        try:
            yield
        finally:
            if not (folder / RECIPE_FILE).exists():  # it never began
                with suppress(OSError):
                    (folder / LOCK).unlink()
                    folder.rmdir()
