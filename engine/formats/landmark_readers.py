"""Reading landmarks from files, and assigning predicted ones to the labelled faces of a pack."""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import PackError, UsageError
from engine.core.files import open_regular
from engine.core.geometry import FRACTIONS, are_fractions, landmark_box
from engine.core.records import LONGEST_SHOWN
from engine.core.schemes import SCHEMES, Scheme
from engine.core.texts import cell_name, open_text, parse_json, parse_number, read_text, reason, same_name
from engine.formats.arrays import read_npz
from engine.formats.landmark_writers import PTS_ORIGIN
from engine.formats.packs import FARTHEST_PIXEL, Pack, read_arrays

PREDICTION_SUFFIXES = (".npz", ".jsonl", ".csv")
# A second prediction that overlaps a labelled face by more than this is a duplicate.
SAME_FACE = 0.5
PTS_FORM = re.compile(r"\s*version\s*:[^\n{]*\n\s*n_points\s*:\s*([0-9]{1,9})\s*\{([^{}]*)\}\s*", re.IGNORECASE)
LARGEST_PTS = 1_000_000  # bytes
LARGEST_TABLE, MOST_ROWS = 200_000_000, 500_000  # bytes; rows of a CSV, lines of JSON
LONGEST_LINE = 10_000_000  # characters
UNKNOWN = ("", "na", "n/a", "null", "none")  # cells, as other programs leave them empty; “nan” too
POINT_COLUMN = re.compile(r"[xyc][0-9]+")
# Before version 2, `understudy predict` named the corners of the box as the first two points, which came after them;
# what pandas wrote again has a “.1” behind the second.
OLD_BOX = ("x0", "y0", "x1", "y1")

Faces = list[tuple[str, Any]]  # picture and landmarks, not checked yet


@dataclass(frozen=True)
class Predictions:
    """The landmarks that a tool predicted, named after their file.

    Attributes:
        images: picture of each face.
        landmarks: `[N, K, 2]` float32, pixels of the picture.
    """

    name: str
    scheme: Scheme
    images: tuple[str, ...]
    landmarks: NDArray[np.float32]


def read_predictions(path: Path) -> Predictions:
    """Read predictions.

    Args:
        path: `.npz` with the arrays `image` (N,) and `landmarks` (N, K, 2); `.jsonl` with the fields `image` and
            `landmarks`, or `faces` that have such; `.csv` with the columns `image` and `x0, y0, x1, y1 …`. The latter
            two also as `understudy predict` writes them.

    Raises:
        UsageError: the file is missing or of another form, or the landmarks are no finite numbers of a known markup,
            or fractions instead of pixels.
    """
    readers: dict[str, Callable[[Path], Faces]] = dict(
        zip(PREDICTION_SUFFIXES, (_read_npz, _read_jsonl, _read_csv), strict=True)
    )
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise UsageError(
            f"Landmarks cannot be read from {path.name}", f"known are {', '.join(readers)}", "write one of these"
        )
    try:
        faces = reader(path)
    except FileNotFoundError as error:
        raise UsageError(
            f"There is no file {path}", "it was moved or its name is mistyped", "check the path"
        ) from error
    except (OSError, ValueError, TypeError, LookupError, MemoryError, csv.Error) as error:
        raise UsageError(
            f"The landmarks {path} cannot be read ({reason(error)})",
            "the file was cut off, or written in another form",
            "the forms are described by “understudy evaluate --help”",
        ) from error
    if not faces:
        raise UsageError(f"{path} holds no landmarks", "the tool found no face, or was stopped", "run it again")
    return _checked(path, faces)


def is_prediction_log(path: Path) -> bool:
    """Return whether a file is a `.jsonl` of predictions, as `as_record` forms their lines: no work of hands."""
    if path.suffix.lower() != ".jsonl":
        return False
    try:
        with open_regular(path, LARGEST_TABLE) as stream:
            record = parse_json(stream.readline(LONGEST_LINE).decode())
    except (OSError, ValueError):
        return False
    return isinstance(record, dict) and {"width", "height", "faces", "model"} <= record.keys()


def assigned(predictions: Predictions, pack: Pack) -> list[NDArray[np.float32] | None]:
    """Return the landmarks `[K, 2]` of each face of `pack`; None where there are none.

    The only prediction of a picture with one labelled face belongs to that face, however far off it is. Elsewhere the
    pairs of landmark boxes that overlap most belong together. The rest are faces that the pack does not
    label.

    Raises:
        PackError: a picture is not in the pack, or a labelled face has two predictions.
    """
    places = _places(predictions, pack)
    found: list[NDArray[np.float32] | None] = [None] * len(pack.faces)
    labelled: dict[str, list[int]] = {}
    for index, face in enumerate(pack.faces):
        labelled.setdefault(face.image.relative_to(pack.folder).as_posix(), []).append(index)
    for image, faces in labelled.items():
        candidates = [predictions.landmarks[index] for index in places.get(image, ())]
        for index, points in _paired(pack, image, faces, candidates):
            found[index] = points
    return found


def read_pts(path: Path, *points: int, unknown: bool = False) -> NDArray[np.float32]:
    """Read the landmarks `[K, 2]` of a `.pts` file, pixels counted from 0.

    Args:
        path: the file.
        points: the accepted numbers K.
        unknown: whether points may be unknown: “nan nan” in the file, NaN in the result.

    Raises:
        PackError: the file cannot be read, is no `.pts` file, has another number of points, or one is no number.
    """
    try:
        match = PTS_FORM.fullmatch(read_text(path, LARGEST_PTS))
    except (OSError, UnicodeDecodeError) as error:
        why = "the file is damaged, written in another form, or no file at all"
        raise PackError(f"{path} cannot be read ({reason(error)})", why, "write or unpack it again") from error
    if match is None:
        raise PackError(
            f"{path} is no .pts file",
            "it should say “version: 1” and “n_points: …”, and then the points within { and }",
            "unpack it again",
        )
    said, lines = int(match[1]), [line.split() for line in match[2].splitlines() if line.strip()]
    found = len(lines)
    if found not in points or said != found:
        count = f"{found} points" if found == said else f"{found} points, though it says {said}"
        raise PackError(
            f"{path} holds {count}; {' or '.join(map(str, points))} are needed",
            "it was cut off, edited, or labelled by another markup",
            "unpack it again, or remove it together with its picture",
        )
    numbers = []
    for number, line in enumerate(lines, 1):
        try:
            values = np.array([parse_number(text) for text in line])
        except ValueError:
            values = np.empty(0)
        if len(values) == 2 and np.isnan(values).any() and not unknown:
            raise PackError(
                f"Point {number} of {path} is “{' '.join(line)}”, so it is not known",
                "the tool that wrote it left hidden points out, but here all of them are needed",
                "label this point, or remove the file together with its picture",
            )
        if len(values) != 2 or (np.abs(values) > FARTHEST_PIXEL).any():
            raise PackError(
                f"Point {number} of {path} is “{' '.join(line)[:LONGEST_SHOWN]}”",
                "two numbers were expected: x and y, in pixels",
                "unpack it again, or remove it together with its picture",
            )
        numbers.append(values)
    return np.array(numbers).astype(np.float32) - np.float32(PTS_ORIGIN)


@dataclass(frozen=True)
class LandmarkRow:
    """One face: its points `[K, 2]`, NaN where a cell is empty, and its other cells by the names of their columns."""

    cells: Mapping[str, str]
    points: NDArray[np.float64]


def read_landmark_table(path: Path, *keys: str) -> list[LandmarkRow]:
    """Read a table with the columns `x0, y0, x1, y1 …` and one of `keys`, as `understudy predict` writes it.

    Its cells may be separated by commas, semicolons or tabs, and its numbers have a decimal comma.

    Raises:
        OSError, ValueError, csv.Error: the file cannot be read, a column is missing, or a cell is no number.
    """
    with open_text(path, LARGEST_TABLE) as text:
        return list(_table_rows(text, keys))


def _table_rows(lines: Iterator[str], keys: Sequence[str]) -> Iterator[LandmarkRow]:
    """Yield the rows of a table; its heading is the first line with text but for `sep=;`, which is Excel's own."""
    heading = next((line for line in lines if line.strip() and not line.lower().startswith("sep=")), "")
    rows = csv.reader(chain([heading], lines), delimiter=max(",;\t", key=heading.count))
    names = [name.strip().lower() for name in next(rows, [])]
    while names and not names[-1]:
        names.pop()  # commas behind the last column
    if not names:
        return
    columns = {name: index for index, name in enumerate(names)}
    twice = [name for name, times in Counter(names).items() if times > 1 and name not in ("", *OLD_BOX)]
    if twice:
        raise ValueError(f"the column “{twice[0]}” is there twice")
    columns |= {name: columns[f"{name}.1"] for name in OLD_BOX if f"{name}.1" in columns}
    count = sum(re.fullmatch(r"x[0-9]+", name) is not None for name in columns)
    points = [f"{axis}{index}" for index in range(max(1, count)) for axis in "xy"]
    missing = [name for name in points if name not in columns]
    if not any(key in columns for key in keys):
        missing.insert(0, "” or “".join(keys))
    if missing:
        raise ValueError(f"the column “{missing[0]}” is missing")
    order = [columns[name] for name in points]
    others = {name: index for name, index in columns.items() if not POINT_COLUMN.fullmatch(name)}
    found = 0
    for row in rows:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) < len(names) or any(cell.strip() for cell in row[len(names) :]):
            raise ValueError(f"line {rows.line_num} has fewer or more cells than the heading")
        if (found := found + 1) > MOST_ROWS:
            raise ValueError(f"it has more than {MOST_ROWS} rows")
        cells = {name: row[index].strip() for name, index in others.items()}
        try:
            numbers = [cell_number(row[index]) for index in order]
        except ValueError as error:
            raise ValueError(f"line {rows.line_num}: {error}") from None
        yield LandmarkRow(cells, np.reshape(numbers, (-1, 2)))


def is_of_first_lane(row: LandmarkRow) -> bool:
    """Return whether a row of a log is of its first lane, as all are in tables without lanes."""
    return row.cells.get("lane", "") in ("", "0")


def cell_number(cell: str) -> float:
    """Return the number in a cell of a table; NaN where it is empty or says that none is known.

    Raises:
        ValueError: the cell holds something else.
    """
    text = cell.strip()
    return math.nan if text.lower() in UNKNOWN else parse_number(text.replace(",", "."))


def _read_npz(path: Path) -> Faces:
    arrays = read_npz(path, ("image", "landmarks"))
    images, landmarks = arrays["image"], arrays["landmarks"]
    if images.ndim != 1 or not landmarks.ndim or len(landmarks) != len(images):
        raise ValueError(f"“image” has the shape {images.shape}, “landmarks” {landmarks.shape}; N must be the same")
    if landmarks.dtype.kind not in "fiu":
        raise ValueError(f"“landmarks” holds no numbers but {landmarks.dtype}")
    return list(zip(images.astype(str).tolist(), landmarks, strict=True))


def _read_jsonl(path: Path) -> Faces:
    faces: Faces = []
    with open_text(path, LARGEST_TABLE) as text:
        for number, line in enumerate(_short_lines(text), 1):
            if not line.strip():
                continue
            record = parse_json(line)
            if not isinstance(record, dict) or "image" not in record:
                raise ValueError(f"line {number} has no field “image”")
            if not isinstance(record["image"], str):
                raise ValueError(f"in line {number} “image” is no text")
            if record.get("lane"):  # of a log's lanes the first counts
                continue
            found = record.get("faces", [record])
            if not isinstance(found, list) or not all(isinstance(face, dict) for face in found):
                raise ValueError(f"in line {number} “faces” is no list of faces")
            if not all("landmarks" in face for face in found):
                raise ValueError(f"line {number} has no field “landmarks”")
            faces += [(record["image"], face["landmarks"]) for face in found]
    return faces


def _short_lines(text: TextIO) -> Iterator[str]:
    while line := text.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise ValueError(f"a line has more than {LONGEST_LINE} characters")
        yield line


def _read_csv(path: Path) -> Faces:
    rows = read_landmark_table(path, "image")
    return [(cell_name(row.cells["image"]), row.points) for row in rows if is_of_first_lane(row)]


def _checked(path: Path, faces: Faces) -> Predictions:
    checked: list[NDArray[np.float32]] = []
    for image, landmarks in faces:
        points = _points(path, image, landmarks)
        if checked and len(points) != len(checked[0]):
            raise UsageError(
                f"{path.name} has {len(checked[0])} points for one face and {len(points)} in {image}",
                "results of two tools were mixed",
                "keep them in files of their own",
            )
        checked.append(points)
    if are_fractions(np.stack(checked)):
        raise UsageError(f"The landmarks in {path.name} are fractions, not pixels", *FRACTIONS)
    scheme = SCHEMES[len(checked[0])]
    return Predictions(path.stem, scheme, tuple(image for image, _ in faces), np.stack(checked))


def _points(path: Path, image: str, landmarks: Any) -> NDArray[np.float32]:
    """Return the landmarks of one face as `[K, 2]` float32."""
    points: NDArray[np.float64] = np.empty(0)
    with suppress(ValueError, TypeError, OverflowError):
        given = np.asarray(landmarks)
        if given.dtype.kind in "USb" or _holds_truth_value(landmarks):  # which numpy would convert
            raise UsageError(
                f"The landmarks of {image} in {path.name} hold texts or truth values",
                "numbers were expected, without quotation marks",
                "write them as numbers",
            )
        points = given.astype(np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) not in SCHEMES:
        raise UsageError(
            f"The landmarks of {image} in {path.name} have the shape {points.shape}",
            f"{' or '.join(map(str, SCHEMES))} points of x and y were expected",
            "convert them to one of these markups",
        )
    if not (np.abs(points) <= FARTHEST_PIXEL).all():  # NaN fails too
        raise UsageError(
            f"The landmarks of {image} in {path.name} hold NaN, infinite or absurdly large numbers",
            "the tool failed on this face, or does not write pixels",
            "leave out faces that were not found: they count as failures",
        )
    return points.astype(np.float32)


def _holds_truth_value(values: Any) -> bool:
    return isinstance(values, bool) or (isinstance(values, list) and any(map(_holds_truth_value, values)))


def _places(predictions: Predictions, pack: Pack) -> dict[str, list[int]]:
    """Return for each picture of the pack which predictions are of it; a bare file name is enough if it is unique."""
    pictures = set(read_arrays(pack.folder, ("image",))["image"].tolist())
    spelt, bare = (_by_name(pictures, form) for form in (same_name, _bare_name))
    places: dict[str, list[int]] = {}
    unknown = []
    for index, image in enumerate(predictions.images):
        known = [image] if image in pictures else spelt.get(same_name(image)) or bare.get(_bare_name(image), [])
        if len(known) == 1:
            places.setdefault(known[0], []).append(index)
        else:
            unknown.append(image)
    if unknown:
        raise PackError(
            f"{len(unknown)} prediction(s) are of pictures that the pack {pack.name} lacks, the first is {unknown[0]}",
            "they were made on other data, or their names were changed",
            "name pictures as the array “image” of the pack does",
        )
    return places


def _bare_name(picture: str) -> str:
    return same_name(PurePosixPath(picture.replace("\\", "/")).name)


def _by_name(pictures: Iterable[str], form: Callable[[str], str]) -> dict[str, list[str]]:
    """Return the pictures of each name, in a form that several may share."""
    named: dict[str, list[str]] = {}
    for picture in sorted(pictures):
        named.setdefault(form(picture), []).append(picture)
    return named


def _paired(
    pack: Pack, image: str, faces: Sequence[int], candidates: Sequence[NDArray[np.float32]]
) -> list[tuple[int, NDArray[np.float32]]]:
    """Return pairs of a face of the pack and its landmarks."""
    if len(faces) == len(candidates) == 1:
        return [(faces[0], candidates[0])]
    boxes = [landmark_box(points) for points in candidates]
    truths = [landmark_box(pack.faces[index].landmarks) for index in faces]
    overlaps = np.array([[truth.overlap(box) for box in boxes] for truth in truths]).reshape(len(faces), len(boxes))
    pairs, remaining = [], overlaps.copy()
    while remaining.size and remaining.max() > 0:
        face, candidate = divmod(int(remaining.argmax()), len(candidates))
        pairs.append((faces[face], candidates[candidate]))
        remaining[face], remaining[:, candidate] = 0, 0
        overlaps[:, candidate] = 0
    if overlaps.size and overlaps.max() > SAME_FACE:
        raise PackError(
            f"A face of {image} has two predictions",
            "results were written twice, or the tool answers several times",
            "keep one prediction for each face",
        )
    return pairs
