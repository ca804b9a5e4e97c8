"""Reading COFW: two `.mat` files that hold pictures, 29 landmarks, their occlusion and face boxes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import PackError
from engine.core.schemes import COFW_29
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
from trainer.data.importing.mat import cell_count, read_array, read_picture_cell


@dataclass(frozen=True)
class Half:
    """The training or test half: its file, in colour or grey, and its fields."""

    split: str
    files: tuple[str, ...]
    pictures: str
    labels: str
    boxes: str


TRAIN = Half("train", ("COFW_train_color.mat", "COFW_train.mat"), "IsTr", "phisTr", "bboxesTr")
TEST = Half("test", ("COFW_test_color.mat", "COFW_test.mat"), "IsT", "phisT", "bboxesT")
LAYOUT = Layout("cofw", "COFW", (TRAIN.files, TEST.files))
OFFICIAL = {"train": 1345, "test": 507}
META = {
    "markup": "COFW-29",
    "labels": "manual, COFW (Burgos-Artizzu et al., ICCV 2013), with occlusion flags",
    "coords": "0-based pixel centres (1 subtracted from MATLAB's)",
    "visibility": "1 occluded, 2 visible",
    "note": "of the 1,345 official training faces the first 845 come from LFPW",
    "licence": "COFW: for research. Pictures: gathered from the web, copyright with their owners",
}


def read_cofw(root: Path) -> Dataset:
    """Read COFW with its own 29 points.

    Raises:
        PackError: a file is damaged, has no face, or its fields do not fit together.
    """
    return Dataset([face for half in (TRAIN, TEST) for face in _faces(root, half)], OFFICIAL, META)


def mat_file(root: Path, half: Half) -> Path:
    """Return the file of a half; the one in colour where both are there."""
    return first_existing(root, half.files) or root / half.files[0]


def stored_pictures(file: Path, half: Half) -> list[tuple[Picture, str]]:
    """Return the pictures of a half with their names; each is read when it is called.

    Raises:
        PackError: the file is damaged.
    """
    count = cell_count(file, half.pictures)
    return [
        (partial(read_picture_cell, file, half.pictures, index), f"{half.split}/{index + 1:04d}.png")
        for index in range(count)
    ]


def _faces(root: Path, half: Half) -> list[LabelledFace]:
    file = mat_file(root, half)
    pictures = stored_pictures(file, half)
    labels, boxes = read_array(file, half.labels), read_array(file, half.boxes)
    if pictures:  # MATLAB's empty arrays have no shape to check
        _check_shapes(file, half, len(pictures), labels, boxes)
    faces = [
        LabelledFace(
            where=f"{file.name}, face {index + 1}",
            picture=picture,
            picture_name=name,
            landmarks=_landmarks(labels[index]),
            split=half.split,
            visibility=visibility_of(np.split(labels[index], 3)[2]),
            det_box=box_of_corner_and_size(boxes[index]),
        )
        for index, (picture, name) in enumerate(pictures)
    ]
    require_faces(faces, file)
    return faces


def _check_shapes(file: Path, half: Half, count: int, labels: NDArray, boxes: NDArray) -> None:
    for field, array, columns in ((half.labels, labels, 3 * COFW_29.points), (half.boxes, boxes, 4)):
        if array.shape != (count, columns):
            raise PackError(
                f"The field {field} of {file} has the shape {array.shape}",
                f"{count} pictures need {count} rows of {columns} numbers",
                "unpack the file again",
            )


def _landmarks(label: NDArray) -> NDArray[np.float32]:
    """Return the landmarks `[29, 2]` of a row of 29 x, 29 y and 29 occlusion flags."""
    points = np.stack(np.split(label, 3)[:2], axis=1)
    return (points - FIRST_PIXEL).astype(np.float32)
