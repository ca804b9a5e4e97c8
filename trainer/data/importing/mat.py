"""Reading MATLAB's `.mat` files: version 7.3, which is HDF5, and the older ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import scipy.io
from numpy.typing import NDArray

from engine.core.errors import PackError


def read_array(path: Path, name: str) -> NDArray:
    """Read an array of numbers in MATLAB's order of axes from a file of any version.

    Raises:
        PackError: the file is damaged, or there is no such array.
    """
    with _damage_named(path, name):
        if h5py.is_hdf5(path):
            with h5py.File(path, "r") as file:
                array = np.asarray(file[name]).T  # HDF5 has MATLAB's axes in reverse
        else:
            array = np.asarray(scipy.io.loadmat(path, variable_names=[name])[name])
    if array.dtype.kind not in "fiub":
        raise PackError(f"The field {name} of {path} holds no numbers", "it is another file", "unpack it again")
    return array


def cell_count(path: Path, name: str) -> int:
    """Return how many cells the cell array `name` of a file of version 7.3 has.

    Raises:
        PackError: the file is damaged or of another version, or there is no such array.
    """
    with _damage_named(path, name), h5py.File(path, "r") as file:
        cells = file[name]
        return int(cells.size) if cells.dtype == h5py.ref_dtype else 0  # MATLAB stores an empty one as its size


def read_picture_cell(path: Path, name: str, index: int) -> NDArray[np.uint8]:
    """Read picture `index` (from 0) of a cell array as RGB `[H, W, 3]`; a grey one gets three equal channels.

    Raises:
        PackError: the file is damaged, or the cell holds no picture.
    """
    with _damage_named(path, name), h5py.File(path, "r") as file:
        picture = np.asarray(file[np.asarray(file[name]).ravel()[index]]).T
    grey = picture.ndim == 2
    if picture.dtype != np.uint8 or not (grey or (picture.ndim == 3 and picture.shape[2] == 3)) or not picture.size:
        raise PackError(
            f"Picture {index + 1} of {path} has the shape {picture.shape} and the type {picture.dtype}",
            "bytes were expected, grey or in three colours",
            "unpack the file again",
        )
    return np.ascontiguousarray(np.repeat(picture[:, :, None], 3, axis=2) if grey else picture)


@contextmanager
def _damage_named(path: Path, name: str) -> Iterator[None]:
    try:
        yield
    except KeyError as error:
        raise PackError(
            f"{path} lacks the field {name}", "it is another file of the same name", "unpack it again"
        ) from error
    except Exception as error:  # both libraries raise many kinds for a damaged file
        raise PackError(
            f"{path} cannot be read ({error})",
            "the file was cut off while it was copied, or is of another version of MATLAB's format",
            "download or unpack it again",
        ) from error
