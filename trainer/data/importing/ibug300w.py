"""Reading 300-W: folders of pictures, each with its `.pts` file."""

from __future__ import annotations

from pathlib import Path

from engine.core.schemes import IBUG_68
from engine.formats.landmark_readers import read_pts
from trainer.data.importing.dataset import Dataset, LabelledFace, picture_of, require_faces

# Folders with the split and subset of their faces, in the usual division:
# Ren et al., “Face Alignment at 3000 FPS via Regressing Local Binary Features”, CVPR 2014.
FOLDERS = (
    ("afw", "train", "train"),
    ("helen/trainset", "train", "train"),
    ("lfpw/trainset", "train", "train"),
    ("helen/testset", "test", "common"),
    ("lfpw/testset", "test", "common"),
    ("ibug", "test", "challenging"),
)
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


def _read(root: Path) -> list[LabelledFace]:
    faces: list[LabelledFace] = []
    for path, split, subset in FOLDERS:
        found = [_face(root, file, split, subset) for file in sorted((root / path).glob("*.pts"))]
        require_faces(found, root / path)
        faces += found
    return faces


def _face(root: Path, file: Path, split: str, subset: str) -> LabelledFace:
    picture = picture_of(file)
    return LabelledFace(
        where=file.relative_to(root).as_posix(),
        picture=picture,
        picture_name=picture.relative_to(root).as_posix(),
        landmarks=read_pts(file, IBUG_68.points),
        split=split,
        subset=subset,
    )


IBUG_300W = Dataset("300w", "300-W", tuple((path,) for path, _, _ in FOLDERS), OFFICIAL, META, _read)
