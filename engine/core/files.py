"""Writing files whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`, with the same ending, and move what was written there into place.

    If the body fails, `path` stays as it was and no temporary file remains. Missing folders are made.

    Raises:
        OSError: the folder cannot be made or the file cannot be moved.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def free_bytes(folder: Path) -> int:
    """Return the free space of the drive of a folder, which need not exist yet.

    Raises:
        OSError: the drive does not answer.
    """
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free
