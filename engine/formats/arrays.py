"""Reading `.npz` files from outside: only the arrays that are asked for, and none larger than the memory allows."""

from __future__ import annotations

import zipfile
from collections.abc import Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.files import open_regular
from engine.core.texts import reason

LARGEST_FILE = 2_000_000_000  # bytes
LARGEST_ARRAYS = 400_000_000  # bytes of all arrays that are read together
MOST_ENTRIES = 1000
ENDING = ".npy"


def read_npz(path: Path, needed: Collection[str] = (), wanted: Collection[str] | None = ()) -> dict[str, NDArray]:
    """Read arrays out of a `.npz` file; texts in bytes become texts.

    Args:
        path: the file.
        needed: arrays that must be there.
        wanted: further ones, which may be missing; None for all that there are.

    Raises:
        OSError: see `engine.core.files.open_regular`.
        ValueError: it is no such file, is damaged, lacks an array, or its arrays are too large.
    """
    with open_regular(path, LARGEST_FILE) as stream:
        try:
            with zipfile.ZipFile(stream) as archive:
                return _arrays(archive, needed, wanted)
        except ValueError:
            raise
        except Exception as error:  # zipfile and numpy raise many kinds for a damaged archive
            raise ValueError(reason(error)) from error


def _arrays(archive: zipfile.ZipFile, needed: Collection[str], wanted: Collection[str] | None) -> dict[str, NDArray]:
    entries = archive.infolist()
    if len(entries) > MOST_ENTRIES:
        raise ValueError(f"it holds {len(entries)} arrays")
    known = {entry.filename.removesuffix(ENDING): entry for entry in entries}
    missing = [name for name in needed if name not in known]
    if missing:
        raise ValueError(f"the array “{missing[0]}” is missing; there are: {', '.join(known) or 'none'}")
    chosen = {name: entry for name, entry in known.items() if wanted is None or name in (*needed, *wanted)}
    if sum(entry.file_size for entry in chosen.values()) > LARGEST_ARRAYS:
        raise ValueError(f"its arrays are larger than {LARGEST_ARRAYS // 1_000_000} MB")
    arrays = {}
    for name, entry in chosen.items():
        with archive.open(entry) as content:
            array = np.lib.format.read_array(content, allow_pickle=False)
        if array.size > entry.file_size:  # elements without any bytes
            raise ValueError(f"the array “{name}” has the shape {array.shape}, but no values")
        arrays[name] = np.char.decode(array, "utf-8", "replace") if array.dtype.kind == "S" else array
    return arrays
