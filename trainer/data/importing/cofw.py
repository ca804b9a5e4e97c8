"""Reading COFW, `.mat` files of pictures with 29 landmarks, and COFW-68, its test pictures annotated again with 68.

MATLAB's files are HDF5 from its version 7.3 on; the older ones are a format of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import scipy.io
from numpy.typing import NDArray

from engine.core.errors import PackError
from engine.core.schemes import COFW_29, IBUG_68
from engine.core.texts import reason
from engine.formats.packs import VISIBLE
from trainer.data.importing.dataset import Dataset, LabelledFace, Picture, first_existing, require_faces

# Of each half the file in colour or in grey, and how the names of its fields end.
FILES = {split: (f"COFW_{split}_color.mat", f"COFW_{split}.mat") for split in ("train", "test")}
FIELD_ENDINGS = {"train": "Tr", "test": "T"}
# The folder of COFW-68, with COFW_test.mat moved into it or left beside it.
ANNOTATIONS = ("test_annotations", "COFW68_Data/test_annotations")
BOXES = ("cofw68_test_bboxes.mat", "COFW68_Data/cofw68_test_bboxes.mat")
OFFICIAL = {"train": 1345, "test": 507}
META_68 = {
    "markup": "iBUG-68",
    "labels": "manual, COFW-68 (Ghiasi and Fowlkes, arXiv 1506.08347), with occlusion flags",
    "coords": "0-based pixel centres (1 subtracted from MATLAB's)",
    "visibility": "1 occluded, 2 visible",
    "licence": "COFW: for research. Pictures: gathered from the web, copyright with their owners",
}
META = {
    **META_68,
    "markup": "COFW-29",
    "labels": "manual, COFW (Burgos-Artizzu et al., ICCV 2013), with occlusion flags",
    "note": "of the 1,345 official training faces the first 845 come from LFPW",
}
FIRST_PIXEL = 1  # MATLAB's number of it
OCCLUDED = 1  # the flag of a point that something hides, its place estimated


def _read(root: Path) -> list[LabelledFace]:
    return [face for split in FILES for face in _faces(root, split)]


def _read_68(root: Path) -> list[LabelledFace]:
    file, folder = first_existing(root, FILES["test"]), first_existing(root, ANNOTATIONS)
    pictures, boxes = _pictures(file, "test"), _read_array(first_existing(root, BOXES), "bboxes")
    annotations = [f"{number}_points.mat" for number in range(1, len(pictures) + 1)]
    needed, found = set(annotations), {path.name for path in folder.glob("*_points.mat")}
    if needed != found or len(boxes) != len(pictures):
        raise PackError(
            f"{file} holds {len(pictures)} pictures; of their annotations in {folder} {len(needed - found)} are "
            f"missing and {len(found - needed)} are too many, and there are {len(boxes)} boxes",
            "they belong to different editions of the data set, or were unpacked in part",
            "unpack COFW and the 68-point annotations again",
        )
    faces = []
    for (name, picture), box, annotation in zip(pictures.items(), boxes, annotations, strict=True):
        points, occluded = _annotated(folder / annotation)
        faces.append(_face(f"{folder.name}/{annotation}", picture, name, points, occluded, box, "test"))
    require_faces(faces, file)
    return faces


def _pictures(file: Path, split: str) -> dict[str, Picture]:
    """Return the pictures of a half by their names; each is read when it is called."""
    field = f"Is{FIELD_ENDINGS[split]}"
    return {
        f"{split}/{index + 1:04d}.png": partial(_read_picture_cell, file, field, index)
        for index in range(_cell_count(file, field))
    }


def _faces(root: Path, split: str) -> list[LabelledFace]:
    file = first_existing(root, FILES[split])
    pictures = _pictures(file, split)
    labels, boxes = (_read_array(file, f"{name}{FIELD_ENDINGS[split]}") for name in ("phis", "bboxes"))
    for name, array, columns in (("phis", labels, 3 * COFW_29.points), ("bboxes", boxes, 4)):
        if pictures and array.shape != (len(pictures), columns):  # MATLAB's empty arrays have no shape to check
            raise PackError(
                f"The field {name}{FIELD_ENDINGS[split]} of {file} has the shape {array.shape}",
                f"{len(pictures)} pictures need {len(pictures)} rows of {columns} numbers",
                "unpack the file again",
            )
    faces = []
    for number, (name, picture) in enumerate(pictures.items(), 1):
        x, y, occluded = np.split(labels[number - 1], 3)
        where, points = f"{file.name}, face {number}", np.stack([x, y], 1)
        faces.append(_face(where, picture, name, points, occluded, boxes[number - 1], split))
    require_faces(faces, file)
    return faces


def _annotated(file: Path) -> tuple[NDArray, NDArray]:
    """Return the points `[68, 2]` of an annotation, counted from 1, and their flags of occlusion `[68]`."""
    points, occluded = _read_array(file, "Points"), _read_array(file, "Occ").ravel()
    if points.shape != (IBUG_68.points, 2) or occluded.shape != (IBUG_68.points,):
        raise PackError(
            f"{file} holds Points of the shape {points.shape} and Occ of {occluded.shape}",
            f"{IBUG_68.points} points with a flag each were expected",
            "unpack the annotations again",
        )
    return points, occluded


def _face(
    where: str, picture: Picture, name: str, points: NDArray, occluded: NDArray, box: NDArray, split: str
) -> LabelledFace:
    """Return a face whose points `[K, 2]` and box `[4]` of x, y, width and height are counted from 1."""
    corner = np.asarray(box[:2], np.float64) - FIRST_PIXEL
    return LabelledFace(
        where=where,
        picture=picture,
        picture_name=name,
        landmarks=(points - float(FIRST_PIXEL)).astype(np.float32),
        split=split,
        visibility=np.where(occluded > 0, OCCLUDED, VISIBLE).astype(np.uint8),
        det_box=np.concatenate([corner, corner + box[2:4]]).astype(np.float32),
    )


def _read_array(path: Path, name: str) -> NDArray:
    """Read an array of numbers in MATLAB's order of axes from a file of any version."""
    with _damage_named(path, name):
        if h5py.is_hdf5(path):
            with h5py.File(path, "r") as file:
                array = np.asarray(file[name]).T  # HDF5 has MATLAB's axes in reverse
        else:
            array = np.asarray(scipy.io.loadmat(path, variable_names=[name])[name])
    if array.dtype.kind not in "fiub":
        raise PackError(f"The field {name} of {path} holds no numbers", "it is another file", "unpack it again")
    return array


def _cell_count(path: Path, name: str) -> int:
    """Return how many cells the cell array `name` of a file of version 7.3 has."""
    with _damage_named(path, name), h5py.File(path, "r") as file:
        cells = file[name]
        return int(cells.size) if cells.dtype == h5py.ref_dtype else 0  # MATLAB stores an empty one as its size


def _read_picture_cell(path: Path, name: str, index: int) -> NDArray[np.uint8]:
    """Read picture `index` (from 0) of a cell array as RGB `[H, W, 3]`; a grey one gets three equal channels."""
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
            f"{path} cannot be read ({reason(error)})",
            "the file was cut off while it was copied, or is of another version of MATLAB's format",
            "download or unpack it again",
        ) from error


COFW = Dataset("cofw", "COFW", tuple(FILES.values()), OFFICIAL, META, _read)
COFW_68 = Dataset(
    "cofw68", "COFW-68", (FILES["test"], ANNOTATIONS, BOXES), {"test": OFFICIAL["test"]}, META_68, _read_68
)
