"""Predictions, the faces of one picture or frame, and writing them: JSON lines, CSV, or one `.pts` file a face."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path, PurePosixPath
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import RecordingError, UsageError, refusal
from engine.core.face_signals import SIGNALS, FaceSignals
from engine.core.faces import Face, Result
from engine.core.files import replaced
from engine.core.platforms import safe_name
from engine.core.texts import safe_cell

# The .pts format counts pixels from 1.
PTS_ORIGIN = 1
# Columns of a CSV with the corners of a face's box.
BOX = ("box_x0", "box_y0", "box_x1", "box_y1")


LOG_VERSION = 3  # of logs, see docs/formats.md
LOG_COLUMNS = ("version", "lane", "model", "clip", "latency_ms", "nme", "width", "height")  # of a CSV, only in logs


@dataclass(frozen=True)
class LoggedFacts:
    """What a log says of a result besides its landmarks.

    Attributes:
        lane: number of the lane, counted from 0.
        latency: milliseconds from the arrival of the frame to its landmarks.
        nme: error against ground truth in percent of the eye distance; None without one.
        clip: the `quick_checksum` of the video; "" for all else.
    """

    lane: int
    latency: float
    nme: float | None = None
    clip: str = ""


@dataclass(frozen=True)
class Written:
    """How many predictions were written, and the files that hold them, or their folder."""

    count: int
    paths: tuple[Path, ...]


@dataclass(frozen=True)
class Prediction:
    """All faces of one picture or frame.

    Attributes:
        image: file name of the picture, None for a frame of a video.
        source, frame: name of the video or camera and number of the frame, None for a picture; see `Frame.number`.
        width, height: of the picture in pixels.
        faces: largest first, or in the order of a pack, where `id` is the label's place in it; empty if none was found.
        model: name of the model.
        signals: of each face; None for a face that has none, empty if they were not requested.
        time: position of the frame in seconds; None if it is not to be written.
        count: of the frames of the session, see `Frame.id`; None if it is not to be written.
        facts: what a log says of the lane; None outside logs.
    """

    image: str | None
    source: str | None
    frame: int | None
    width: int
    height: int
    faces: tuple[Face, ...]
    model: str
    signals: tuple[FaceSignals | None, ...] = ()
    time: float | None = None
    count: int | None = None
    facts: LoggedFacts | None = None


def as_prediction(
    result: Result,
    signals: Sequence[FaceSignals | None],
    time: float | None = None,
    count: int | None = None,
    facts: LoggedFacts | None = None,
) -> Prediction:
    """Return a result without its picture, with the signals of its faces, `time` and so on, see `Prediction`."""
    frame = result.frame
    still = bool(frame.name)
    return Prediction(
        image=frame.name if still else None,
        source=None if still else frame.source,
        frame=None if still else frame.number,
        width=frame.width,
        height=frame.height,
        faces=result.faces,
        model=result.model,
        time=time,
        count=count,
        facts=facts,
        signals=tuple(signals[: len(result.faces)]),
    )


# How a file's name that is no UTF-8 is written: in JSON it is read back as it was.
ODD_NAMES = "backslashreplace"


def write_predictions(predictions: Iterable[Prediction], target: Path) -> Written:
    """Write predictions, consumed one by one, all of them or none.

    The target is `FILE.jsonl`, `FILE.csv`, or a folder (no ending) for `.pts` files. Faces that need other columns than
    the first go into `FILE_2.csv` and so on.

    Raises:
        UsageError: the ending is unknown.
        RecordingError: the file cannot be written.
    """
    check_format(target)
    writers = {".jsonl": _write_jsonl, ".csv": _write_csv, "": _write_pts_folder}
    try:
        return writers[ending_of(target)](predictions, target)
    except OSError as error:
        raise RecordingError(
            f"{error.filename or target} cannot be written ({error.strerror})",
            *refusal(
                error,
                "the folder forbids writing, the disk is full, or another program holds the file",
                "choose another place",
            ),
        ) from error


def ending_of(target: Path) -> str:
    """Return the ending by which `target` names a format; "" for a folder, as “2026-11-21 12.00.08 landmarks” is."""
    ending = target.suffix.lower()
    return "" if " " in ending else ending


def check_format(target: Path) -> None:
    """Raise `UsageError` unless landmarks can be written in the format that `target` names."""
    if ending_of(target) not in (".jsonl", ".csv", ""):
        raise UsageError(
            f"Landmarks cannot be written as {target.suffix}",
            "known are .jsonl, .csv, and a folder for .pts files",
            "choose another name",
        )


def as_record(prediction: Prediction) -> dict[str, Any]:
    """Return a prediction as plain values for JSON: a line of a `.jsonl` file.

    Its keys: `image`, or `source` and `frame` of a video; `count` and `time` in seconds where they are known; in logs
    `version`, `lane`, `clip`, `latency_ms` and `nme`, see `LoggedFacts`; `width` and `height` in pixels; `faces`, each
    with `id`, `box` (x0, y0, x1, y1), `score`, `landmarks` (x, y), `confidence`, `scheme` (number of points) and
    `signals`; `model`. `signals` holds `yaw`, `pitch` and `roll` in degrees,
    `eye_left`, `eye_right` and `mouth` in [0, 1], and `blinks`, see `FaceSignals`; what is unknown is null, and so are
    the signals of a face that has none.
    """
    place: dict[str, Any] = {"image": prediction.image}
    if prediction.image is None:
        place = {"source": prediction.source, "frame": prediction.frame}
    if prediction.count is not None:
        place["count"] = prediction.count
    if prediction.time is not None:
        place["time"] = round(prediction.time, 4)
    return {
        **place,
        **({} if prediction.facts is None else _facts_record(prediction.facts)),
        "width": prediction.width,
        "height": prediction.height,
        "faces": [
            {**_face_record(face), "signals": None if signals is None else signals.as_record()}
            for face, signals in zip_longest(prediction.faces, prediction.signals)
        ],
        "model": prediction.model,
    }


def pts_text(landmarks: NDArray[np.floating]) -> str:
    """Return landmarks `[K, 2]` (pixel centres counted from 0) as the text of a `.pts` file, which counts from 1."""
    lines = [f"{x + PTS_ORIGIN:.3f} {y + PTS_ORIGIN:.3f}" for x, y in landmarks]
    return "\n".join(["version: 1", f"n_points: {len(landmarks)}", "{", *lines, "}", ""])


def _facts_record(facts: LoggedFacts) -> dict[str, Any]:
    return {
        "version": LOG_VERSION,
        "lane": facts.lane,
        "clip": facts.clip or None,
        "latency_ms": round(facts.latency, 3),
        "nme": None if facts.nme is None else round(facts.nme, 4),
    }


def _face_record(face: Face) -> dict[str, Any]:
    return {
        "id": face.id,
        "box": face.box.as_list(),
        "score": round(face.score, 4),
        "landmarks": [[round(float(x), 3), round(float(y), 3)] for x, y in face.landmarks],
        "confidence": [round(float(value), 3) for value in face.confidence],
        "scheme": face.scheme.points,
    }


def _write_jsonl(predictions: Iterable[Prediction], target: Path) -> Written:
    count = 0
    with _replacing(target) as stream:
        for prediction in predictions:
            count += 1
            stream.write(json.dumps(as_record(prediction), ensure_ascii=False) + "\n")
    return Written(count, (target,))


def _write_csv(predictions: Iterable[Prediction], target: Path) -> Written:
    """One row a face; pictures without a face leave no row. Faces with the same columns share a file."""
    count = 0
    paths: list[Path] = []
    writers: dict[tuple[str, ...], csv.DictWriter[str]] = {}
    with ExitStack() as files:
        for prediction in predictions:
            count += 1
            record = as_record(prediction)
            for row in (_csv_row(record, face) for face in record["faces"]):
                columns = tuple(row)
                if columns not in writers:
                    paths.append(
                        target.with_name(f"{target.stem}_{len(paths) + 1}{target.suffix}") if paths else target
                    )
                    writers[columns] = csv.DictWriter(files.enter_context(_replacing(paths[-1])), columns)
                    writers[columns].writeheader()
                writers[columns].writerow(row)
        if not paths:
            paths.append(target)
            files.enter_context(_replacing(target))
    return Written(count, tuple(paths))


@contextmanager
def _replacing(path: Path) -> Iterator[TextIO]:
    """Yield a text that gets its name once it is complete."""
    with replaced(path) as temporary, _opened(temporary) as stream:
        yield stream


def _opened(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8", errors=ODD_NAMES, newline="")


def _csv_row(record: dict[str, Any], face: dict[str, Any]) -> dict[str, object]:
    """Return the cells of a face by the names of their columns, of which none is there twice; docs/formats.md."""
    points = enumerate(face["landmarks"])
    return {
        "image": safe_cell(record.get("image") or record["source"]),
        "frame": record.get("frame", ""),
        **{name: record[name] for name in ("time", "count") if name in record},
        **({name: record[name] for name in LOG_COLUMNS} if "lane" in record else {}),
        "face": face["id"],
        "score": face["score"],
        **dict(zip(BOX, face["box"], strict=True)),
        **{f"{axis}{index}": value for index, point in points for axis, value in zip("xy", point, strict=True)},
        **{f"c{index}": value for index, value in enumerate(face["confidence"])},
        **(face["signals"] or dict.fromkeys(SIGNALS)),
    }


def _write_pts_folder(predictions: Iterable[Prediction], target: Path) -> Written:
    """Write `NAME.pts` for the largest face, `NAME_2.pts` and on for the others; `NAME_000012.pts` for a video's frame.

    Files of lanes after the first are in folders such as `lane 1 student-68`. Pictures in sub-folders stay in them.
    Where two pictures differ only in their ending, the second keeps it in front of `.pts`.
    """
    count, taken = 0, set()
    for prediction in predictions:
        count += 1
        facts, picture = prediction.facts, PurePosixPath(prediction.image or safe_name(str(prediction.source)))
        folder = target / safe_name(f"lane {facts.lane} {prediction.model}") if facts and facts.lane else target
        for number, face in enumerate(prediction.faces, 1):
            ending = "" if prediction.frame is None else f"_{prediction.frame:06d}"
            ending += "" if number == 1 else f"_{number}"
            file = picture.with_name(f"{picture.stem}{ending}.pts")
            if prediction.frame is None:  # the numbers of frames make names unique
                if folder / file in taken:
                    file = picture.with_name(f"{picture.name}{ending}.pts")
                taken.add(folder / file)
            with replaced(folder / file) as temporary:
                temporary.write_text(pts_text(face.landmarks), encoding="utf-8")
    return Written(count, (target,))
