"""Reading WFLW: two lists with one line a face."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np

from engine.core.errors import PackError
from engine.core.schemes import WFLW_98
from engine.core.texts import parse_number, read_text, reason
from engine.formats.packs import ATTRIBUTES
from trainer.data.importing.dataset import Dataset, LabelledFace, require_faces

LARGEST_LIST = 100_000_000  # bytes
PICTURES = "WFLW_images"
LISTS = {
    split: f"WFLW_annotations/list_98pt_rect_attr_train_test/list_98pt_rect_attr_{split}.txt"
    for split in ("train", "test")
}
# A line: the landmarks, the face box x0 y0 x1 y1, the attributes, and the name of the picture.
COORDINATES, BOX = 2 * WFLW_98.points, 4
NUMBERS = COORDINATES + BOX + len(ATTRIBUTES)
OFFICIAL = {"train": 7500, "test": 2500}
META = {
    "markup": "WFLW-98",
    "labels": "manual, WFLW (Wu et al., CVPR 2018)",
    "coords": "0-based pixel centres, as in the WFLW lists",
    "attributes_order": list(ATTRIBUTES),
    "licence": "WFLW: for research only. Pictures: WIDER FACE, gathered from the web, copyright with their owners",
}


def _read(root: Path) -> list[LabelledFace]:
    faces = [face for split, path in LISTS.items() for face in _faces(root, root / path, split)]
    missing = [face for face in faces if isinstance(face.picture, Path) and not face.picture.is_file()]
    if missing:
        raise PackError(
            f"The picture {missing[0].picture} is missing ({missing[0].where}; {len(missing)} faces lack theirs)",
            f"the pictures were unpacked in part, or not into {PICTURES}",
            "unpack WFLW_images.tar.gz again",
        )
    return faces


def _faces(root: Path, file: Path, split: str) -> list[LabelledFace]:
    try:
        lines = read_text(file, LARGEST_LIST).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise PackError(f"{file} cannot be read ({reason(error)})", "the file is damaged", "unpack it again") from error
    faces = [_face(root, file, number, line, split) for number, line in enumerate(lines, 1) if line.strip()]
    require_faces(faces, file)
    return faces


def _face(root: Path, file: Path, number: int, line: str, split: str) -> LabelledFace:
    fields = line.split(maxsplit=NUMBERS)
    try:
        values = np.array([parse_number(text) for text in fields[:NUMBERS]])
    except ValueError:
        values = np.array([np.nan])
    attributes = values[COORDINATES + BOX :]
    if len(fields) != NUMBERS + 1 or not np.isfinite(values).all() or not np.isin(attributes, (0, 1)).all():
        raise PackError(
            f"Line {number} of {file} cannot be understood",
            f"{NUMBERS} numbers were expected and then the name of a picture: {COORDINATES} coordinates, a box of "
            f"{BOX}, and {len(ATTRIBUTES)} attributes that are 0 or 1",
            "unpack the file again",
        )
    name = PurePosixPath(fields[NUMBERS].strip())
    if name.is_absolute() or ".." in name.parts:
        raise PackError(
            f"Line {number} of {file} names the picture {name}", f"pictures lie in {PICTURES}", "unpack the file again"
        )
    return LabelledFace(
        where=f"{file.name}, line {number}",
        picture=root / PICTURES / name,
        picture_name=name.as_posix(),
        landmarks=values[:COORDINATES].reshape(-1, 2).astype(np.float32),
        split=split,
        attributes=attributes.astype(np.uint8),
        det_box=values[COORDINATES : COORDINATES + BOX].astype(np.float32),
    )


WFLW = Dataset("wflw", "WFLW", ((PICTURES,), *((path,) for path in LISTS.values())), OFFICIAL, META, _read)
