"""Ground truth next to a video or a picture; docs/ground-truth.md says where and in which form."""

from __future__ import annotations

import csv
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from glob import escape
from pathlib import Path, PurePosixPath
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import PackError, UnderstudyError
from engine.core.frame import Truth
from engine.core.schemes import SCHEMES
from engine.formats.landmark_readers import LandmarkRow, read_landmark_table, read_pts
from engine.formats.packs import is_pack, read_arrays, read_pack

# The table of a whole folder of pictures.
FOLDER_TABLE = "landmarks.csv"
# In 300-VW each video has a folder with a .pts file for each frame, counted from 1.
FOLDER_300VW = "annot"

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Label:
    """The labelled points `[K, 2]` of the one face of an upright picture, NaN where unknown; and the size of it."""

    points: NDArray[np.floating]
    size: tuple[float, float] | None = None


class GroundTruth(Generic[Key]):
    """Looks up the ground truth of a picture, if it fits the picture.

    `look_up` may raise an `UnderstudyError`; `broken` is why the ground truth that is there cannot be used at all.
    """

    def __init__(self, look_up: Callable[[Key], Label | None], broken: UnderstudyError | None = None) -> None:
        self._look_up = look_up
        self._first, self._failed = broken, 0

    @property
    def remark(self) -> str:
        """A sentence on ground truth that had to be left out; "" if there was none."""
        if self._first is None:
            return ""
        which = "The" if not self._failed else "A" if self._failed == 1 else f"{self._failed}"
        return f"{which} picture{'' if self._failed == 1 else 's'} had to do without ground truth. {self._first}"

    def of(self, key: Key, image: NDArray[np.uint8]) -> Truth | None:
        """Return the ground truth of a picture `[H, W, 3]`; None where there is none or it cannot be used."""
        try:
            label = self._look_up(key)
            name = f"frame {key}" if isinstance(key, int) else str(key)
            return None if label is None else _checked(label, name, image.shape[1], image.shape[0])
        except UnderstudyError as error:
            self._failed += 1
            self._first = self._first or error
            return None


def truth_of_video(path: Path) -> GroundTruth[int]:
    """Return the ground truth next to a video, by frame, counted from 0."""
    try:
        return GroundTruth(_video_look_up(path))
    except UnderstudyError as error:
        return GroundTruth(lambda _: None, error)


def truth_of_pictures(path: Path) -> GroundTruth[Path]:
    """Return the ground truth next to the pictures of a folder, or to a single picture."""
    try:
        elsewhere = _pictures_look_up(path)
    except UnderstudyError as error:
        return GroundTruth(_beside, error)
    return GroundTruth(lambda picture: _beside(picture) or elsewhere(picture))


def truth_of_pack(folder: Path) -> tuple[GroundTruth[Path], list[Path]]:
    """Return the ground truth of a pack's pictures with one labelled face, and all its pictures.

    Raises:
        PackError: the pack is damaged.
    """
    labels, pictures = _pack_labels(folder, need_pictures=True)
    return GroundTruth(labels.get), pictures


def _video_look_up(path: Path) -> Callable[[int], Label | None]:
    if (table := path.with_suffix(".csv")).is_file():
        rows = _read(table, "frame")
        return _one_each((_number(table, row), _label(row)) for row in rows).get
    if is_pack(path.parent) and (labels := _pack_frames(path)):
        return labels.get
    for folder in (path.parent, path.with_suffix("")):
        if next(folder.glob(f"{escape(path.stem)}_??????.pts"), None) is not None:
            return lambda number: _pts(folder / f"{path.stem}_{number:06d}.pts")
    annotations = path.parent / FOLDER_300VW
    return lambda number: _pts(annotations / f"{number + 1:06d}.pts")


def _pictures_look_up(path: Path) -> Callable[[Path], Label | None]:
    if path.is_file():
        for folder in (path.parent, *path.parent.parents[:2]):
            if is_pack(folder):
                labels, _ = _pack_labels(folder, need_pictures=False)
                return labels.get
    tables = (
        [path.parent / FOLDER_TABLE] if path.is_file() else [path / FOLDER_TABLE, path.with_name(f"{path.name}.csv")]
    )
    table = next((table for table in tables if table.is_file()), None)
    if table is None:
        return lambda _: None
    rows = _read(table, "image", "file")
    named = _one_each((_file_name(row.cells.get("image") or row.cells.get("file", "")), _label(row)) for row in rows)
    return lambda picture: named.get(picture.name)


def _beside(picture: Path) -> Label | None:
    """Return what `NAME.jpg.pts` or `NAME.pts` says of the picture `NAME.jpg`; the latter may mean `NAME.png`."""
    return _pts(picture.with_name(f"{picture.name}.pts")) or _pts(picture.with_suffix(".pts"))


def _pts(path: Path) -> Label | None:
    return Label(read_pts(path, *SCHEMES)) if path.is_file() else None


def _pack_labels(folder: Path, need_pictures: bool) -> tuple[dict[Path, Label | None], list[Path]]:
    pack = read_pack(folder, skip_unlabelled=True, need_pictures=need_pictures)
    labels = _one_each((face.image, Label(face.landmarks)) for face in pack.faces)
    return labels, list(labels)


def _pack_frames(path: Path) -> dict[int, Label | None]:
    """Return the labels that a pack has of a video: rows whose image is the video and that have a number in `frame`."""
    arrays = read_arrays(path.parent)
    chosen = [index for index, name in enumerate(arrays["image"].astype(str)) if _file_name(name) == path.name]
    if not chosen:
        return {}
    pack = path.parent / "annotations.npz"
    if "frame" not in arrays or arrays["frame"].dtype.kind not in "iu":
        raise PackError(
            f"{pack} has faces of {path.name}, but no whole numbers “frame”",
            "it is not known to which frame of the video a face belongs",
            "write the array “frame”, counted from 0",
        )
    landmarks = arrays.get("landmarks", np.empty(0))
    if landmarks.ndim != 3 or landmarks.shape[2] != 2 or landmarks.dtype.kind not in "fiu":
        raise PackError(
            f"The landmarks of {pack} have the shape {landmarks.shape}",
            "(N, K, 2) numbers were expected",
            "write the pack again",
        )
    return _one_each((int(arrays["frame"][index]), Label(landmarks[index])) for index in chosen)


def _read(table: Path, *keys: str) -> list[LandmarkRow]:
    try:
        return read_landmark_table(table, *keys)
    except (OSError, ValueError, csv.Error) as error:
        raise PackError(
            f"The ground truth {table} cannot be read ({error})",
            "it is damaged, or a table of another kind",
            f"it needs the columns {' or '.join(keys)} and x0, y0, x1, y1 …; if it is not meant, give it another name",
        ) from error


def _label(row: LandmarkRow) -> Label:
    try:
        size = float(row.cells["width"]), float(row.cells["height"])
    except (KeyError, ValueError):
        return Label(row.points)
    return Label(row.points, size)


def _number(table: Path, row: LandmarkRow) -> int:
    text = row.cells["frame"].strip()
    if not text.isdecimal():
        raise PackError(
            f"The ground truth {table} has a frame “{text}”", "frames are counted 0, 1, 2 …", "correct this row"
        )
    return int(text)


def _one_each(labels: Iterable[tuple[Key, Label]]) -> dict[Key, Label | None]:
    """Return the labels by their picture; None for pictures with several faces, of which any may be meant."""
    found: dict[Key, Label | None] = {}
    for key, label in labels:
        found[key] = None if key in found else label
    return found


def _checked(label: Label, name: str, width: int, height: int) -> Truth | None:
    """Return a label as ground truth; None if not one point is known.

    Raises:
        PackError: the number of points is no known markup, or they are those of a picture of another size.
    """
    points = label.points
    if len(points) not in SCHEMES:
        raise PackError(
            f"The ground truth of {name} has {len(points)} points",
            f"{', '.join(map(str, SCHEMES))} points are known",
            "convert it to one of these markups",
        )
    known = points[~np.isnan(points).any(1)]
    if not len(known):
        return None
    inside = ((known > -0.5) & (known < (width - 0.5, height - 0.5))).all(1)
    if (label.size is not None and label.size != (width, height)) or inside.mean() < 0.5:
        raise PackError(
            f"The ground truth of {name} does not fit its picture of {width} x {height} pixels",
            "the picture was scaled, cropped or turned after it was labelled",
            "label it as it is shown, upright",
        )
    return Truth(SCHEMES[len(points)], points.astype(np.float32))


def _file_name(text: str) -> str:
    """Return the last part of a path of any system."""
    return PurePosixPath(text.strip().replace("\\", "/")).name
