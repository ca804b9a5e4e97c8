"""Reading 300-W: folders of pictures, each with its `.pts` file."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from engine.core.errors import PackError
from engine.core.schemes import IBUG_68
from engine.formats.images import PICTURE_SUFFIXES
from engine.formats.landmark_readers import read_pts
from trainer.data.importing.dataset import Dataset, LabelledFace, Layout, require_faces


class Folder(NamedTuple):
    """A folder of 300-W and the part of the data set that its faces belong to."""

    path: str
    split: str
    subset: str


# The usual division: Ren et al., “Face Alignment at 3000 FPS via Regressing Local Binary Features”, CVPR 2014.
FOLDERS = (
    Folder("afw", "train", "train"),
    Folder("helen/trainset", "train", "train"),
    Folder("lfpw/trainset", "train", "train"),
    Folder("helen/testset", "test", "common"),
    Folder("lfpw/testset", "test", "common"),
    Folder("ibug", "test", "challenging"),
)
LAYOUT = Layout("300w", "300-W", tuple((folder.path,) for folder in FOLDERS))
OFFICIAL = {"train": 3148, "common": 554, "challenging": 135}
META = {
    "markup": "iBUG-68",
    "labels": "manual or semi-automatic, 300-W (Sagonas et al.)",
    "coords": "0-based pixel centres (1 subtracted from the .pts values)",
    "subset": "train: afw, helen/trainset, lfpw/trainset; common: helen/testset, lfpw/testset; challenging: ibug; "
    "common and challenging together are the full test set",
    "licence": "300-W annotations: iBUG group, Imperial College London; for academic research only. "
    "Pictures: gathered from the web, copyright with their owners",
}


def read_300w(root: Path) -> Dataset:
    """Read 300-W.

    Raises:
        PackError: a folder has no face, a `.pts` file is wrong, or its picture is missing.
    """
    faces: list[LabelledFace] = []
    for folder in FOLDERS:
        found = [_face(root, file, folder) for file in sorted((root / folder.path).glob("*.pts"))]
        require_faces(found, root / folder.path)
        faces += found
    return Dataset(faces, OFFICIAL, META)


def _face(root: Path, file: Path, folder: Folder) -> LabelledFace:
    picture = _picture_of(file)
    return LabelledFace(
        where=file.relative_to(root).as_posix(),
        picture=picture,
        picture_name=picture.relative_to(root).as_posix(),
        landmarks=read_pts(file, IBUG_68.points),
        split=folder.split,
        subset=folder.subset,
    )


def _picture_of(file: Path) -> Path:
    for suffix in sorted(PICTURE_SUFFIXES):
        for spelling in (suffix, suffix.upper()):
            picture = file.with_name(file.stem + spelling)
            if picture.is_file():
                return picture
    raise PackError(
        f"The picture of {file} is missing",
        "beside a .pts file lies a picture of the same name, such as .jpg or .png",
        "unpack the data set again, pictures included",
    )
