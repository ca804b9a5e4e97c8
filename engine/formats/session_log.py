"""Reading the log of a session: what each lane found on each frame."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import UsageError
from engine.core.faces import Face
from engine.core.foreign_schemes import foreign_scheme, known_markup
from engine.core.geometry import landmark_box
from engine.core.texts import cell_name, open_text, parse_json, plain_number, reason
from engine.formats.landmark_readers import LONGEST_LINE, cell_number
from engine.formats.landmark_writers import BOX, LOG_VERSION
from engine.formats.packs import FARTHEST_PIXEL

LARGEST_LOG = 1_000_000_000  # bytes: an hour of two lanes
LANES_READ = 16
ENDINGS = (".jsonl", ".csv")


@dataclass(frozen=True)
class LoggedFrame:
    """What a lane found on a frame; `latency` in milliseconds and `nme` in percent of the eye distance, or NaN."""

    faces: tuple[Face, ...]
    latency: float = math.nan
    nme: float = math.nan

    @property
    def confidence(self) -> float:
        """Mean over all points, in [0, 1]; NaN without a face."""
        return float(np.mean([face.confidence.mean() for face in self.faces])) if self.faces else math.nan


@dataclass(frozen=True)
class LoggedLane:
    """A lane: the name of its model, and what it found, by the number of the frame."""

    model: str
    frames: Mapping[int, LoggedFrame]


@dataclass(frozen=True)
class SessionLog:
    """What was logged of one source.

    Attributes:
        path: the log.
        source: name of the clip or camera.
        clip: `quick_checksum` of the video; "" where none is known.
        size: width and height of the pictures; None where they are not known.
        lanes: in their order.
        numbers: `[M]` int64, of the frames that any lane has, upwards; of pictures the order in which they came.
        times: `[M]` float64, seconds of each, NaN where there is none.
        pictures: their names by number; empty for videos and cameras.
        remark: sentences on what could not be read; "" if all could.
    """

    path: Path
    source: str
    clip: str
    size: tuple[int, int] | None
    lanes: tuple[LoggedLane, ...]
    numbers: NDArray[np.int64]
    times: NDArray[np.float64]
    pictures: tuple[str, ...]
    remark: str


@dataclass(frozen=True)
class Record:
    """One line of a log, or one row of a table, which holds one face."""

    source: str
    picture: str
    frame: int | None
    count: int
    time: float
    lane: int
    model: str
    clip: str
    size: tuple[int, int] | None
    version: int
    found: LoggedFrame


def read_session_log(path: Path) -> SessionLog:
    """Read a log, `.jsonl` or `.csv` of any version, and as much as can be read of one that is damaged.

    Of a table, those beside it that have the lanes of another markup (`NAME_2.csv`) are read too. Where a log holds
    several sources, the one with most lines counts. A frame that was logged several times counts as it was last.

    Raises:
        UsageError: the file is missing or no log, or holds no frame.
    """
    if path.suffix.lower() not in ENDINGS:
        raise UsageError(
            f"{path} is no log that can be reviewed",
            f"such logs end in {' or '.join(ENDINGS)}",
            "log in one of these formats; a folder of .pts files lacks the lanes",
        )
    records, problem = _read(path)
    if not records:
        why = problem or "it is empty, or the log was stopped before a face was found"
        raise UsageError(f"{path} holds no frame of a log", why, "choose another log")
    if path.suffix.lower() == ".csv":
        for number in count(2):
            beside = path.with_name(f"{path.stem}_{number}{path.suffix}")
            if not beside.is_file():
                break
            more, its_problem = _read(beside)
            records += [record for record in more if record.version >= LOG_VERSION]
            problem = problem or its_problem
    return _assembled(path, records, problem)


def _read(path: Path) -> tuple[list[Record], str]:
    """Return what can be read of a file, up to the first damage, and a sentence on that, "" if there is none."""
    records: list[Record] = []
    try:
        with open_text(path, LARGEST_LOG) as text:
            for record in _of_table(text) if path.suffix.lower() == ".csv" else _of_lines(text):
                records.append(record)  # noqa: PERF402  what came before the damage counts
    except FileNotFoundError as error:
        raise UsageError(
            f"There is no log {path}", "it was moved, or its name is mistyped", "check the path"
        ) from error
    except OSError as error:
        why = "it is a folder, its permissions forbid reading, or the drive fails"
        raise UsageError(f"The log {path} cannot be read ({reason(error)})", why, "choose another log") from error
    except (ValueError, TypeError, LookupError, ArithmeticError, MemoryError, csv.Error) as error:
        if not records:
            return records, reason(error)
        return records, f"{path.name} can be read up to {len(records)} entries: after that, {reason(error)}"
    return records, ""


def _of_lines(text: TextIO) -> Iterator[Record]:
    for number in count(1):
        line = text.readline(LONGEST_LINE)
        if not line:
            return
        if not line.strip():
            continue
        try:
            values = parse_json(line)
        except ValueError:
            raise ValueError(f"line {number} is cut off or no JSON") from None
        faces = values.get("faces") if isinstance(values, dict) else None
        if not isinstance(faces, list) or not all(isinstance(face, dict) for face in faces) or "model" not in values:
            raise ValueError(f"line {number} is none of a log")
        yield _of_line(values)


def _of_line(values: dict[str, Any]) -> Record:
    faces = tuple(
        _face(face.get("id", 0), face.get("score", 0.0), face["landmarks"], face["confidence"])
        for face in values["faces"]
    )
    size = (_whole(values["width"]), _whole(values["height"])) if "width" in values and "height" in values else None
    frame = None if "image" in values else _whole(values["frame"])
    return Record(
        source=str(values.get("source") or ""),
        picture=str(values.get("image") or ""),
        frame=frame,
        count=_whole(values.get("count", frame or 0)),
        time=_known(values.get("time")),
        lane=_lane(values.get("lane") or 0),
        model=str(values["model"]),
        clip=str(values.get("clip") or ""),
        size=size,
        version=_whole(values.get("version", 2)),
        found=LoggedFrame(faces, _known(values.get("latency_ms")), _known(values.get("nme"))),
    )


def _of_table(text: TextIO) -> Iterator[Record]:
    rows = csv.DictReader(text)
    names = rows.fieldnames or []
    if "x0" not in names or "image" not in names:
        raise ValueError("it has no columns “image” and “x0”, so it is another kind of table")
    points = sum(name.startswith("x") and name[1:].isdigit() for name in set(names))
    version = 2 if BOX[0] in names else 1
    for row in rows:
        if None in row or None in row.values():
            raise ValueError(f"line {rows.line_num} is cut off")
        yield _of_row(row, points, version)


def _of_row(row: Mapping[str, str], points: int, version: int) -> Record:
    number = {name: cell_number(row.get(name, "")) for name in ("frame", "count", "time", "width", "height")}
    frame = None if math.isnan(number["frame"]) else _whole(number["frame"])
    name = cell_name(row["image"])
    landmarks = [(cell_number(row[f"x{index}"]), cell_number(row[f"y{index}"])) for index in range(points)]
    confidence = [cell_number(row.get(f"c{index}", "1")) for index in range(points)]
    face = _face(cell_number(row.get("face", "0")), cell_number(row.get("score", "0")), landmarks, confidence)
    measured = cell_number(row.get("latency_ms", "")), cell_number(row.get("nme", ""))
    is_known = not math.isnan(number["width"]) and not math.isnan(number["height"])
    return Record(
        source="" if frame is None else name,
        picture=name if frame is None else "",
        frame=frame,
        count=_whole(frame or 0 if math.isnan(number["count"]) else number["count"]),
        time=number["time"],
        lane=_lane(float(row.get("lane") or 0)),
        model=row.get("model", ""),
        clip=row.get("clip", ""),
        size=(_whole(number["width"]), _whole(number["height"])) if is_known else None,
        version=_whole(float(row.get("version") or version)),
        found=LoggedFrame((face,), *measured),
    )


def _face(number: Any, score: Any, landmarks: Any, confidence: Any) -> Face:
    points = np.asarray(landmarks, np.float64)
    seen = np.asarray(confidence, np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or seen.shape != points.shape[:1] or not len(points):
        raise ValueError(f"landmarks of the shape {points.shape} with {seen.shape} confidences")
    # NaN fails both; it is what a value that is null or missing was read as.
    if not (np.abs(points) <= FARTHEST_PIXEL).all():
        raise ValueError("landmarks that are not finite")
    if not ((seen >= 0) & (seen <= 1)).all():
        raise ValueError("confidences that are not from 0 to 1")
    scheme = foreign_scheme(known_markup(len(points)), len(points))
    pixels = points.astype(np.float32)
    return Face(int(number), landmark_box(pixels), float(score), scheme, pixels, seen.astype(np.float32), 0.0)


def _assembled(path: Path, records: Sequence[Record], problem: str) -> SessionLog:
    sources = [(record.source, record.clip) if not record.picture else ("", "") for record in records]
    chosen = max(dict.fromkeys(sources), key=sources.count)
    its = [record for record, source in zip(records, sources, strict=True) if source == chosen]
    pictures = tuple(dict.fromkeys(record.picture for record in its if record.picture))
    place_of = {name: place for place, name in enumerate(pictures)}
    found: dict[int, dict[int, LoggedFrame]] = {}
    latest: dict[int, tuple[int, int]] = {}  # number and count of each lane's last row: rows of a frame are neighbours
    models: dict[int, str] = {}
    times: dict[int, float] = {}
    for record in its:
        number = place_of[record.picture] if record.picture else record.frame or 0
        frames, key = found.setdefault(record.lane, {}), (number, record.count)
        former = frames.get(number)
        if former is not None and path.suffix.lower() == ".csv" and latest[record.lane] == key:
            faces = (*former.faces, *record.found.faces)
            frames[number] = LoggedFrame(faces, former.latency, former.nme)
        else:
            frames[number] = record.found
        latest[record.lane], models[record.lane], times[number] = key, record.model, record.time
    numbers = np.array(sorted(times), np.int64)
    return SessionLog(
        path=path,
        source=chosen[0],
        clip=chosen[1],
        size=next((record.size for record in its if record.size is not None), None),
        lanes=tuple(LoggedLane(models[lane] or f"lane {lane + 1}", found[lane]) for lane in sorted(found)),
        numbers=numbers,
        times=np.array([times[number] for number in numbers.tolist()], np.float64),
        pictures=pictures,
        remark=_remark(its, len(set(sources)), problem),
    )


def _remark(records: Sequence[Record], sources: int, problem: str) -> str:
    """Return sentences on what is not as it should be."""
    said = [f"{problem}." if problem else ""]
    versions = {record.version for record in records}
    if max(versions) > LOG_VERSION:
        said.append(
            f"It was written by a newer version of the program, in form {max(versions)} where {LOG_VERSION} is known: "
            "what is known of it is shown."
        )
    if min(versions) < LOG_VERSION:
        said.append(
            "It has one model, without latency and error, as files of “predict” and logs of former versions do."
        )
    if min(versions) < 2:
        said.append("Its frames are counted as the session showed them, so landmarks may lie on other frames.")
    if sources > 1:
        said.append(f"It holds {sources} sources; the one with most entries is shown.")
    return " ".join(filter(None, said))


def _whole(value: Any) -> int:
    number = plain_number(value)
    if not number.is_integer() or not 0 <= number < 1e12:
        raise ValueError(f"“{value}” is no whole number from 0 on")
    return int(number)


def _lane(value: Any) -> int:
    lane = _whole(value)
    if lane >= LANES_READ:
        raise ValueError(f"a lane {lane}")
    return lane


def _known(value: Any) -> float:
    return math.nan if value is None else plain_number(value)
