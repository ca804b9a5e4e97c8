"""Writing files whole or not at all, and reading what others wrote."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


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


@contextmanager
def open_regular(path: Path, cap: int) -> Iterator[BinaryIO]:
    """Open a file from outside: a regular one of at most `cap` bytes. Opening never waits, as it would for a pipe.

    Raises:
        OSError: it cannot be opened, is larger, or is a folder, pipe, device or socket; `strerror` says so in words.
    """
    with open(path, "rb", opener=_without_waiting) as stream:
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is a pipe, a device or a socket, not a file", str(path))
        if status.st_size > cap:
            raise _too_large(path, cap)
        yield stream


def read_regular(path: Path, cap: int) -> bytes:
    """Return the content of a file from outside, which must be a regular one of at most `cap` bytes.

    Raises:
        OSError: as `open_regular` does.
    """
    with open_regular(path, cap) as stream:
        content = stream.read(cap + 1) or b""
    if len(content) > cap:  # some files of the system claim no size
        raise _too_large(path, cap)
    return content


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # Windows has no such flag, and no such pipes


def _too_large(path: Path, cap: int) -> OSError:
    size = f"{cap / 1e6:g} MB" if cap >= 1_000_000 else f"{cap / 1e3:g} kB"
    return OSError(errno.EFBIG, f"it is larger than {size}", str(path))
