"""Ground truth next to a video or a picture; docs/ground-truth.md says where and in which form."""

from __future__ import annotations

import csv
import math
import os
import re
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import PackError, UnderstudyError
from engine.core.frame import Truth
from engine.core.geometry import FRACTIONS, are_fractions, in_picture
from engine.core.records import LONGEST_SHOWN
from engine.core.schemes import SCHEMES
from engine.core.texts import cell_name, reason, same_name
from engine.formats.landmark_readers import (
    LandmarkRow,
    cell_number,
    is_of_first_lane,
    read_landmark_table,
    read_pts,
)
from engine.formats.packs import ANNOTATIONS, is_pack, read_arrays, read_pack

# The table of a whole folder of pictures.
FOLDER_TABLE = "landmarks.csv"
# In 300-VW each video has a folder with a .pts file for each frame, counted from 1.
FOLDER_300VW = "annot"
PTS = ".pts"
# Seconds by which the time of a label may miss that of its frame, as times are written with few digits.
TIME_TOLERANCE = 0.01
MOST_FRAMES = 10**9

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Label:
    """The labelled points `[K, 2]` of the one face of an upright picture, NaN where unknown; its size and seconds."""

    points: NDArray[np.floating]
    size: tuple[float, float] | None = None
    time: float | None = None


class GroundTruth(Generic[Key]):
    """Looks up the ground truth of a picture, if it fits the picture.

    `look_up` may raise an `UnderstudyError`; `broken` is why the ground truth that is there cannot be used at all,
    `note` a sentence on a part of it.

    Attributes:
        last: number of the last frame of a video that is labelled; -1 where none is.
        times: of a video's labels that say one, the seconds by the number of the frame.
    """

    def __init__(
        self,
        look_up: Callable[[Key], Label | None],
        broken: UnderstudyError | None = None,
        last: int = -1,
        note: str = "",
        times: Mapping[int, float] | None = None,
    ) -> None:
        self._look_up, self._note, self.last, self.times = look_up, note, last, times or {}
        self._first, self._failed = broken, 0

    @property
    def remark(self) -> str:
        """Sentences on ground truth that had to be left out; "" if there was none."""
        if self._first is None:
            return self._note
        which = "The" if not self._failed else "A" if self._failed == 1 else f"{self._failed}"
        without = f"{which} picture{'' if self._failed == 1 else 's'} had to do without ground truth. {self._first}"
        return f"{without} {self._note}".rstrip()

    def of(self, key: Key, image: NDArray[np.uint8], time: float | None = None) -> Truth | None:
        """Return the ground truth of a picture `[H, W, 3]`, shown at `time` seconds of a video.

        None where there is none or it cannot be used.
        """
        try:
            label = self._look_up(key)
            if label is None:
                return None
            name = f"frame {key}" if isinstance(key, int) else str(key)
            if label.time is not None and time is not None and _differ(label.time, time):
                raise _other_clip(_says(name, label.time, time))
            return _checked(label, name, image.shape[1], image.shape[0])
        except UnderstudyError as error:
            self._failed += 1
            self._first = self._first or error
            return None

    def agrees_with(self, time_of: Callable[[int], float | None]) -> bool:
        """Return whether each of `times` is known to be that of its frame."""
        shown = ((said, time_of(number)) for number, said in self.times.items())
        return all(time is not None and not _differ(said, time) for said, time in shown)

    def refuse_other_times(self, times: Iterable[float]) -> None:
        """Refuse all of it if a frame is shown at another time than it says, by the times of all frames in turn."""
        last = max(self.times, default=-1)
        for number, time in enumerate(islice(times, last + 1)):
            said = self.times.get(number, time)
            if _differ(said, time):
                self.refuse(_says(f"frame {number}", said, time))
                return

    def refuse_beyond(self, count: int) -> None:
        """Refuse all of it if it reaches past the end of a video of `count` frames."""
        if self.last >= count:
            self.refuse(f"reaches to frame {self.last}, but this clip has {count} frames, counted from 0")

    def refuse(self, what: str) -> None:
        """Use none of it from now on, because it does `what`."""
        self._look_up, self._failed, self.last, self.times = lambda _: None, 0, -1, {}
        self._first = _other_clip(what)


def _differ(said: float, time: float) -> bool:
    return abs(said - time) > TIME_TOLERANCE


def _says(name: str, said: float, time: float) -> str:
    return f"says that {name} is at {said:.3f} s, but in this clip it is at {time:.3f} s"


def _other_clip(what: str) -> PackError:
    return PackError(
        f"The ground truth next to this clip {what}",
        "it is that of another clip, or counts the frames of a session, as logs of former versions do",
        "write it again with “understudy predict”, or give it another name",
    )


def truth_of_video(path: Path) -> GroundTruth[int]:
    """Return the ground truth next to a video, by frame, counted from 0."""
    try:
        labels = _video_labels(path)
        times = {n: label.time for n, label in labels.items() if isinstance(label, Label) and label.time is not None}
        return GroundTruth(lambda number: _pts(labels.get(number)), last=max(labels, default=-1), times=times)
    except UnderstudyError as error:
        return GroundTruth(lambda _: None, error)


def truth_of_pictures(path: Path) -> GroundTruth[Path]:
    """Return the ground truth next to the pictures of a folder, or to a single picture."""
    folder = path.parent if path.is_file() else path
    files = _names(folder, PTS)

    def beside(picture: Path) -> Label | None:
        """Return what `NAME.jpg.pts` or `NAME.pts` says of a picture `NAME.jpg`; the latter may mean `NAME.png`."""
        for name in (f"{picture.name}{PTS}", picture.with_suffix(PTS).name):
            if label := _pts(folder / name) or _pts(files.get(same_name(name))):
                return label
        return None

    try:
        elsewhere, note = _pictures_look_up(path)
    except UnderstudyError as error:
        return GroundTruth(beside, error)
    return GroundTruth(lambda picture: beside(picture) or elsewhere(picture), note=note)


def truth_of_pack(folder: Path) -> tuple[GroundTruth[Path], list[Path]]:
    """Return the ground truth of a pack's pictures with one labelled face, and all its pictures.

    Raises:
        PackError: the pack is damaged.
    """
    labels, pictures = _pack_labels(folder, need_pictures=True)
    return GroundTruth(labels.get), pictures


def _video_labels(path: Path) -> Mapping[int, Label | Path | None]:
    """Return the labels of a video by the numbers of its frames, or the `.pts` files that hold them."""
    if table := _find(path.with_suffix(".csv")):
        rows = _last_pass([(_frame(table, row), row) for row in _read(table, "frame")])
        return _one_each((number, _label(table, row)) for number, row in rows)
    if is_pack(path.parent) and (labels := _pack_frames(path)):
        return labels
    for folder in (path.parent, path.with_suffix("")):
        if files := _numbered(folder, f"{path.stem}_"):
            return files
    return {number - 1: file for number, file in _numbered(path.parent / FOLDER_300VW, "").items()}


def _numbered(folder: Path, begin: str) -> dict[int, Path]:
    """Return the `.pts` files of a folder whose names are `begin` and a number, by that number."""
    form = re.compile(rf"{re.escape(same_name(begin))}([0-9]{{6,9}})\{PTS}")
    matches = ((form.fullmatch(name), file) for name, file in _names(folder, PTS).items())
    return {int(match[1]): file for match, file in matches if match}


def _find(path: Path) -> Path | None:
    """Return a file, or the one next to it whose name is another spelling of the same."""
    return path if _is_there(path) else _names(path.parent, path.suffix.lower()).get(same_name(path.name))


def _names(folder: Path, ending: str) -> dict[str, Path]:
    """Return the files of a folder that have an ending, by what all spellings of their names share."""
    try:
        files = sorted(folder.iterdir())
    except OSError:
        return {}
    return {name: file for file in files if (name := same_name(file.name)).endswith(ending) and _is_there(file)}


def _is_there(file: Path) -> bool:
    """Return whether there is something to read; what is no file, such as a pipe, is refused by what reads it."""
    return os.path.lexists(file) and not os.path.isdir(file)  # noqa: PTH112  Path raises where it may not look


def _last_pass(rows: list[tuple[Key, LandmarkRow]]) -> list[tuple[Key, LandmarkRow]]:
    """Return the rows of the last time that each frame or picture was shown: a log goes on when its source repeats."""
    last = {key: row.cells.get("count", "") for key, row in rows}
    return [(key, row) for key, row in rows if row.cells.get("count", "") == last[key]]


def _pictures_look_up(path: Path) -> tuple[Callable[[Path], Label | None], str]:
    """Return what finds the label of a picture in a pack or a table, and a sentence on rows that name none."""
    if path.is_file():
        for folder in (path.parent, *path.parent.parents[:2]):
            if is_pack(folder):
                labels, _ = _pack_labels(folder, need_pictures=False)
                return labels.get, ""
    folder = path.parent if path.is_file() else path
    whole = Path(os.path.abspath(path))  # noqa: PTH100  “.” has a name then; links stay
    table = _find(folder / FOLDER_TABLE) or (_find(whole.parent / f"{whole.name}.csv") if path.is_dir() else None)
    if table is None:
        return lambda _: None, ""
    rows = _read(table, "image", "file")
    names = [_file_name(cell_name(row.cells.get("image") or row.cells.get("file", ""))) for row in rows]
    pairs = _last_pass(list(zip(names, rows, strict=True)))
    exact = _one_each((name, _label(table, row)) for name, row in pairs)
    spelt = _one_each((same_name(name), _label(table, row)) for name, row in pairs)
    here = set(_names(folder, ""))
    strangers = [name for name, _ in pairs if same_name(name) not in here]
    count = f"{len(strangers)} row(s) of {table.name} name no picture here"
    note = f"{count}, the first “{strangers[0][:LONGEST_SHOWN]}”." if strangers else ""

    def look_up(picture: Path) -> Label | None:
        return exact[picture.name] if picture.name in exact else spelt.get(same_name(picture.name))

    return look_up, note


def _pts(file: Label | Path | None) -> Label | None:
    """Return the label in a `.pts` file; one that was read already stays as it is."""
    if not isinstance(file, Path):
        return file
    return Label(read_pts(file, *SCHEMES, unknown=True)) if _is_there(file) else None


def _pack_labels(folder: Path, need_pictures: bool) -> tuple[dict[Path, Label | None], list[Path]]:
    pack = read_pack(folder, skip_unlabelled=True, need_pictures=need_pictures)
    labels = _one_each((face.image, Label(face.landmarks)) for face in pack.faces)
    return labels, list(labels)


def _pack_frames(path: Path) -> dict[int, Label | None]:
    """Return the labels that a pack has of a video: rows whose image is the video and that have a number in `frame`."""
    arrays = read_arrays(path.parent, ("frame", "landmarks"))
    named = [same_name(_file_name(name)) for name in arrays["image"]]
    chosen = [index for index, name in enumerate(named) if name == same_name(path.name)]
    if not chosen:
        return {}
    pack = path.parent / ANNOTATIONS
    if "frame" not in arrays or arrays["frame"].dtype.kind not in "iu" or arrays["frame"].ndim != 1:
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
        return [row for row in read_landmark_table(table, *keys) if is_of_first_lane(row)]
    except (OSError, ValueError, MemoryError, csv.Error) as error:
        raise PackError(
            f"The ground truth {table} cannot be read ({reason(error)})",
            "it is damaged, or a table of another kind",
            f"it needs the columns {' or '.join(keys)} and x0, y0, x1, y1 …; if it is not meant, give it another name",
        ) from error


def _label(table: Path, row: LandmarkRow) -> Label:
    width, height, time = (_known(table, row, name) for name in ("width", "height", "time"))
    return Label(row.points, None if width is None or height is None else (width, height), time)


def _known(table: Path, row: LandmarkRow, name: str) -> float | None:
    """Return the number in a cell; None where there is no such column or the cell is empty.

    Raises:
        PackError: the cell holds something else.
    """
    try:
        number = cell_number(row.cells.get(name, ""))
    except ValueError:
        raise _wrong_cell(table, row, name, "a number was expected, or nothing where it is not known") from None
    return None if math.isnan(number) else number


def _frame(table: Path, row: LandmarkRow) -> int:
    number, why = _known(table, row, "frame"), "frames are counted 0, 1, 2 …"
    if number is None or not number.is_integer() or not 0 <= number < MOST_FRAMES:
        raise _wrong_cell(table, row, "frame", why)
    return int(number)


def _wrong_cell(table: Path, row: LandmarkRow, name: str, why: str) -> PackError:
    cell = row.cells[name][:LONGEST_SHOWN]
    return PackError(f"The ground truth {table} has a {name} “{cell}”", why, "correct this row")


def _one_each(labels: Iterable[tuple[Key, Label]]) -> dict[Key, Label | None]:
    """Return the labels by their picture; None for pictures with several faces, of which any may be meant."""
    found: dict[Key, Label | None] = {}
    for key, label in labels:
        before = found.setdefault(key, label)
        if before is None or not np.array_equal(before.points, label.points, equal_nan=True):
            found[key] = None
    return found


def _checked(label: Label, name: str, width: int, height: int) -> Truth | None:
    """Return a label as ground truth; None if not one point is known.

    Raises:
        PackError: the number of points is no known markup, they are fractions, or those of a picture of another size.
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
    if are_fractions(known):
        raise PackError(f"The ground truth of {name} counts fractions, not pixels", *FRACTIONS)
    outside = in_picture(known, width, height).mean() < 0.5
    if (label.size is not None and label.size != (width, height)) or outside:
        raise PackError(
            f"The ground truth of {name} does not fit its picture of {width} x {height} pixels",
            "the picture was scaled, cropped or turned after it was labelled",
            "label it as it is shown, upright",
        )
    return Truth(SCHEMES[len(points)], points.astype(np.float32))


def _file_name(text: str) -> str:
    """Return the last part of a path of any system."""
    return PurePosixPath(text.strip().replace("\\", "/")).name
