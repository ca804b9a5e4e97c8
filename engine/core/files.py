"""Writing files whole or not at all, and reading what others wrote."""

from __future__ import annotations

import errno
import hashlib
import os
import platform
import re
import secrets
import shutil
import stat
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from engine.core.platforms import LONGEST_NAME, birth, forbids_moves_onto_open_files, is_running

# A temporary file of an unknown program that nothing has changed for so long was left by one that was killed.
STALE = 24 * 3600.0  # seconds
# How often a file is moved where the system forbids it for the moment, and the seconds in between.
ATTEMPTS, PAUSE = 50, 0.01
# Temporary names carry the machine, the process, its birth where the system says it, and chance.
_MACHINE = f"{zlib.crc32(platform.node().encode()):08x}"
_TEMPORARY = r"\..+\.([0-9a-f]{{8}})-(\d+)-(?:([0-9a-f]{{8}})-)?[0-9a-f]{{8}}\.{mark}(\..*)?"
_swept: set[Path] = set()
SAMPLED = 1_000_000  # bytes at either end of a file that its quick checksum is made of


@contextmanager
def replaced(path: Path, durable: bool = False) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`, with the same ending, and move what was written there into place.

    If the body fails, `path` stays as it was and no temporary file remains. Missing folders are made. Several programs
    may write the same `path` at the same time: each has a temporary file of its own, and the last one counts. Those of
    programs that were killed are removed.

    Args:
        path: the file.
        durable: let the disk have the content before the file gets its name, so that a loss of power costs only the
            newest version: for what took long to compute, or is not to be lost.

    Raises:
        OSError: the folder cannot be made or the file cannot be moved; it names `path`, as one of the body does.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if durable or path.parent not in _swept:
        _swept.add(path.parent)
        for left in left_behind(path.parent, "part"):
            with suppress(OSError):
                left.unlink(missing_ok=True)
    temporary = partial_path(path)
    try:
        yield temporary
        if durable:
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
        _move(temporary, path)
    except OSError as error:
        if error.filename == str(temporary):
            error.filename = str(path)  # the one that people know
        raise
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def partial_path(path: Path, mark: str = "part") -> Path:
    """Return a temporary name for a file: hidden, in the same folder, with the same ending, and nobody else's.

    Raises:
        OSError: the path is a folder without a name of its own, such as “.”.
    """
    if not path.name:
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    process = "-".join(filter(None, (str(os.getpid()), birth(os.getpid()))))
    end = f".{_MACHINE}-{process}-{secrets.token_hex(4)}.{mark}{path.suffix}"
    room = LONGEST_NAME - len(os.fsencode(end)) - 1
    # Of a name for which that is too long, the end is kept: recordings say their form there.
    stem = os.fsencode(path.stem)
    kept = path.stem if len(stem) <= room else stem[-room:].decode(errors="ignore")
    return path.with_name(f".{kept}{end}")


def left_behind(folder: Path, mark: str) -> list[Path]:
    """Return the temporary files of a mark, see `partial_path`, whose programs ended without removing them."""
    found = []
    with suppress(OSError):
        for file in folder.glob(f".*.{mark}*"):
            match = re.fullmatch(_TEMPORARY.format(mark=mark), file.name)
            if match is None:
                continue
            is_ended = _has_ended(*match.group(1, 2, 3))
            if is_ended or (is_ended is None and file.stat().st_mtime < time.time() - STALE):
                found.append(file)
    return sorted(found)


def remove_left_behind(folder: Path) -> None:
    """Remove unfinished folders, named by `partial_path`, whose programs ended without removing them."""
    for unfinished in left_behind(folder, "part"):
        shutil.rmtree(unfinished, ignore_errors=True)


def _has_ended(machine: str, process: str, born: str | None) -> bool | None:
    """Return whether the program of a temporary name has ended; None where that is unknown."""
    if machine != _MACHINE:
        return None
    if not is_running(int(process)):
        return True
    now = birth(int(process))  # of another process with the same number, if there was a restart
    return born != now if born and now else None


def _move(temporary: Path, path: Path) -> None:
    """Move a file onto another; Windows forbids that for the moment in which somebody else opens or moves the other."""
    for attempt in range(ATTEMPTS):
        try:
            temporary.replace(path)
            return
        except PermissionError:
            if not forbids_moves_onto_open_files() or attempt == ATTEMPTS - 1:
                raise
            time.sleep(PAUSE)


def free_bytes(folder: Path) -> int:
    """Return the free space of the drive of a folder, which need not exist yet.

    Raises:
        OSError: the drive does not answer.
    """
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


@contextmanager
def open_regular(path: Path, cap: int | None = None) -> Iterator[BinaryIO]:
    """Open a file from outside: a regular one, of at most `cap` bytes. Opening never waits, as it would for a pipe.

    Args:
        path: the file.
        cap: None where it may have any size, as little of it is read.

    Raises:
        OSError: it cannot be opened, is larger, or is a folder, pipe, device or socket; `strerror` says so in words.
    """
    with open(path, "rb", opener=_without_waiting) as stream:
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is a pipe, a device or a socket, not a file", str(path))
        if cap is not None and status.st_size > cap:
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


def quick_checksum(path: Path) -> str:
    """Return 16 hexadecimal digits by which a file is known again: of its size, and of its first and last megabyte.

    Fast for files of any size; a change in the middle alone goes unnoticed.

    Raises:
        OSError: the file cannot be read.
    """
    with open_regular(path) as stream:
        size = os.fstat(stream.fileno()).st_size
        digest = hashlib.sha256(f"{size}:".encode() + stream.read(SAMPLED))
        stream.seek(max(SAMPLED, size - SAMPLED))
        digest.update(stream.read(SAMPLED))
    return digest.hexdigest()[:16]


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # Windows has no such flag, and no such pipes


def _too_large(path: Path, cap: int) -> OSError:
    size = f"{cap / 1e6:g} MB" if cap >= 1_000_000 else f"{cap / 1e3:g} kB"
    return OSError(errno.EFBIG, f"it is larger than {size}", str(path))
