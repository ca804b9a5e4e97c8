"""Reading COFW, `.mat` files of pictures with 29 landmarks, and COFW-68, its test pictures annotated again with 68."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import PackError
from engine.core.schemes import COFW_29, IBUG_68
from engine.formats.packs import VISIBLE
from trainer.data.importing.dataset import Dataset, LabelledFace, Layout, Picture, first_existing, require_faces
from trainer.data.importing.mat import cell_count, read_array, read_picture_cell

# Of each half the file in colour or in grey, and how the names of its fields end.
FILES = {split: (f"COFW_{split}_color.mat", f"COFW_{split}.mat") for split in ("train", "test")}
FIELD_ENDINGS = {"train": "Tr", "test": "T"}
LAYOUT = Layout("cofw", "COFW", tuple(FILES.values()))
# The folder of COFW-68, with COFW_test.mat moved into it or left beside it.
ANNOTATIONS = ("test_annotations", "COFW68_Data/test_annotations")
BOXES = ("cofw68_test_bboxes.mat", "COFW68_Data/cofw68_test_bboxes.mat")
LAYOUT_68 = Layout("cofw68", "COFW-68", (FILES["test"], ANNOTATIONS, BOXES))
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


def read_cofw(root: Path) -> Dataset:
    """Read COFW with its own 29 points.

    Raises:
        PackError: a file is damaged, has no face, or its fields do not fit together.
    """
    return Dataset([face for split in FILES for face in _faces(root, split)], OFFICIAL, META)


def read_cofw68(root: Path) -> Dataset:
    """Read the test faces of COFW with their 68 points.

    Raises:
        PackError: a file is damaged or missing, there is no face, or pictures and annotations differ in number.
    """
    file, folder = first_existing(root, FILES["test"]), first_existing(root, ANNOTATIONS)
    pictures, boxes = _pictures(file, "test"), read_array(first_existing(root, BOXES), "bboxes")
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
    return Dataset(faces, {"test": OFFICIAL["test"]}, META_68)


def _pictures(file: Path, split: str) -> dict[str, Picture]:
    """Return the pictures of a half by their names; each is read when it is called."""
    field = f"Is{FIELD_ENDINGS[split]}"
    return {
        f"{split}/{index + 1:04d}.png": partial(read_picture_cell, file, field, index)
        for index in range(cell_count(file, field))
    }


def _faces(root: Path, split: str) -> list[LabelledFace]:
    file = first_existing(root, FILES[split])
    pictures = _pictures(file, split)
    labels, boxes = (read_array(file, f"{name}{FIELD_ENDINGS[split]}") for name in ("phis", "bboxes"))
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
    points, occluded = read_array(file, "Points"), read_array(file, "Occ").ravel()
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
