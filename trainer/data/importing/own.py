"""Reading pictures of one's own with the labels beside them: `.pts` files, or a table `landmarks.csv` in a folder."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from engine.core.errors import PackError
from engine.core.geometry import FRACTIONS, are_fractions
from engine.core.schemes import SCHEMES
from engine.core.texts import cell_name, reason
from engine.formats.landmark_readers import is_of_first_lane, read_landmark_table, read_pts
from trainer.data.importing.dataset import Dataset, LabelledFace, picture_of

TABLE = "landmarks.csv"
TEST = "test"  # the folder of this name, or below one, whose faces no training sees
META = {"labels": "one's own", "coords": "0-based pixel centres"}


def _read(root: Path) -> list[LabelledFace]:
    folders = (root, *sorted(path for path in root.rglob("*") if path.is_dir() and not _is_hidden(root, path)))
    faces = [face for folder in folders for face in _of_folder(root, folder)]
    if not faces:
        raise PackError(
            f"There is no labelled picture in {root}",
            f"looked for were .pts files beside the pictures, and tables called {TABLE}",
            "write the labels in one of these forms",
        )
    if are_fractions(np.concatenate([face.landmarks for face in faces])):
        raise PackError(f"The labels in {root} are fractions, not pixels", *FRACTIONS)
    counts = {len(face.landmarks): face for face in faces}
    if len(counts) > 1:
        (points, one), (others, other) = list(counts.items())[:2]
        raise PackError(
            f"{one.where} has {points} points and {other.where} {others}",
            "a pack holds faces of one markup",
            "import them from folders of their own",
        )
    return sorted(faces, key=lambda face: face.split == TEST)


def _of_folder(root: Path, folder: Path) -> list[LabelledFace]:
    """Return the faces of the pictures in a folder; for each picture its `.pts` file counts before the table."""
    faces = list(_of_files(root, folder))
    with_file = {face.picture for face in faces}
    return faces + [face for face in _of_table(root, folder) if face.picture not in with_file]


def _is_hidden(root: Path, path: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(root).parts)


def _of_files(root: Path, folder: Path) -> Iterator[LabelledFace]:
    for file in sorted(folder.glob("[!.]*.pts")):  # macOS lays hidden ones, “._anna.pts”, on foreign drives
        picture = picture_of(file)
        first = picture.with_name(f"{picture.name}.pts")  # of two files of one picture this counts, as everywhere
        if file == first or not first.is_file():
            yield _face(root, file.relative_to(root).as_posix(), picture, read_pts(file, *SCHEMES, unknown=True))


def _of_table(root: Path, folder: Path) -> Iterator[LabelledFace]:
    table = folder / TABLE
    if not table.is_file():
        return
    try:
        rows = [row for row in read_landmark_table(table, "image", "file") if is_of_first_lane(row)]
    except (OSError, ValueError, csv.Error) as error:
        raise PackError(
            f"The table {table} cannot be read ({reason(error)})",
            "it is damaged, or a table of another kind",
            "it needs the columns image and x0, y0, x1, y1 …; if it is not meant, give it another name",
        ) from error
    for number, row in enumerate(rows, 1):
        name = Path(cell_name(row.cells.get("image") or row.cells.get("file", "")))
        picture = folder / name
        where = f"row {number} of {table.relative_to(root).as_posix()}"
        inside = picture.is_relative_to(folder) and ".." not in name.parts
        if not inside or not picture.is_file():
            raise PackError(
                f"The picture {picture} {'is missing' if inside else f'lies outside {folder}'} ({where})",
                "names in the table are paths below its folder",
                "correct the name, remove the row, or move the table",
            )
        if len(row.points) not in SCHEMES:
            known = ", ".join(map(str, SCHEMES))
            raise PackError(f"{table} has {len(row.points)} points a face", f"{known} are known", "convert them")
        yield _face(root, where, picture, row.points.astype(np.float32))


def _face(root: Path, where: str, picture: Path, landmarks: np.ndarray) -> LabelledFace:
    if not np.isfinite(landmarks).all(1).any():
        raise PackError(f"The face {where} has no known point", "all are empty or “nan”", "label or remove it")
    name = picture.relative_to(root)
    return LabelledFace(where, picture, name.as_posix(), landmarks, TEST if TEST in name.parts[:-1] else "train")


OWN = Dataset("own", "your own", (), {}, META, _read, unknown=True)
