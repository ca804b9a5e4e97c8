"""Reading COFW-68: the test pictures of COFW, annotated again with 68 landmarks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import PackError
from engine.core.schemes import IBUG_68
from trainer.data.importing.cofw import TEST, mat_file, stored_pictures
from trainer.data.importing.dataset import (
    FIRST_PIXEL,
    Dataset,
    LabelledFace,
    Picture,
    box_of_corner_and_size,
    require_faces,
    visibility_of,
)
from trainer.data.importing.layout import Layout, first_existing
from trainer.data.importing.mat import read_old_array

# The benchmark's folder, with COFW_test.mat moved into it or left beside it.
ANNOTATIONS = ("test_annotations", "COFW68_Data/test_annotations")
BOXES = ("cofw68_test_bboxes.mat", "COFW68_Data/cofw68_test_bboxes.mat")
LAYOUT = Layout("cofw68", "COFW-68", (TEST.files, ANNOTATIONS, BOXES))
OFFICIAL = {"test": 507}
META = {
    "markup": "iBUG-68",
    "labels": "manual, COFW-68 (Ghiasi and Fowlkes, arXiv 1506.08347), with occlusion flags",
    "coords": "0-based pixel centres (1 subtracted from MATLAB's)",
    "visibility": "1 occluded, 2 visible",
    "licence": "COFW: for research. Pictures: gathered from the web, copyright with their owners",
}


def read_cofw68(root: Path) -> Dataset:
    """Read the test faces of COFW with their 68 points.

    Raises:
        PackError: a file is damaged or missing, there is no face, or pictures and annotations differ in number.
    """
    file = mat_file(root, TEST)
    folder = first_existing(root, ANNOTATIONS) or root
    pictures = stored_pictures(file, TEST)
    boxes = read_old_array(first_existing(root, BOXES) or root, "bboxes")
    needed = {_annotation(number) for number in range(1, len(pictures) + 1)}
    found = {path.name for path in folder.glob("*_points.mat")}
    if needed != found or len(boxes) != len(pictures):
        raise PackError(
            f"{file} holds {len(pictures)} pictures; of their annotations in {folder} {len(needed - found)} are "
            f"missing and {len(found - needed)} are too many, and there are {len(boxes)} boxes",
            "they belong to different editions of the data set, or were unpacked in part",
            "unpack COFW and the 68-point annotations again",
        )
    faces = [
        _face(folder / _annotation(number), picture, name, box)
        for number, ((picture, name), box) in enumerate(zip(pictures, boxes, strict=True), 1)
    ]
    require_faces(faces, file)
    return Dataset(faces, OFFICIAL, META)


def _annotation(number: int) -> str:
    """Return the name of the file with the landmarks of picture `number`, from 1."""
    return f"{number}_points.mat"


def _face(file: Path, picture: Picture, name: str, box: NDArray) -> LabelledFace:
    points, occluded = read_old_array(file, "Points"), read_old_array(file, "Occ").ravel()
    if points.shape != (IBUG_68.points, 2) or occluded.shape != (IBUG_68.points,):
        raise PackError(
            f"{file} holds Points of the shape {points.shape} and Occ of {occluded.shape}",
            f"{IBUG_68.points} points with a flag each were expected",
            "unpack the annotations again",
        )
    return LabelledFace(
        where=f"{file.parent.name}/{file.name}",
        picture=picture,
        picture_name=name,
        landmarks=(points - float(FIRST_PIXEL)).astype(np.float32),
        split=TEST.split,
        visibility=visibility_of(occluded),
        det_box=box_of_corner_and_size(box),
    )
