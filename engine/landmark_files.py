"""Writing predictions: JSON lines, CSV, or one `.pts` file a face."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import RecordingError, UsageError
from engine.files import replaced
from engine.prediction import Prediction
from engine.result import Face

# The .pts format counts pixels from 1.
PTS_ORIGIN = 1


def write_predictions(predictions: Iterable[Prediction], target: Path) -> int:
    """Write predictions in the format that `target` names, all of them or none; return how many there were.

    Args:
        predictions: consumed one by one.
        target: `FILE.jsonl`, `FILE.csv`, or a folder (no ending) for `.pts` files.

    Raises:
        UsageError: the ending is unknown.
        RecordingError: the file cannot be written.
    """
    writers = {".jsonl": _write_jsonl, ".csv": _write_csv, "": _write_pts_folder}
    if target.suffix.lower() not in writers:
        raise UsageError(
            f"Landmarks cannot be written as {target.suffix}",
            "known are .jsonl, .csv, and a folder for .pts files",
            "change the name given with --out",
        )
    try:
        return writers[target.suffix.lower()](predictions, target)
    except OSError as error:
        raise RecordingError(
            f"{target} cannot be written ({error.strerror})",
            "the folder forbids writing, the disk is full, or another program holds the file",
            "choose another place with --out",
        ) from error


def as_record(prediction: Prediction) -> dict[str, Any]:
    """Return a prediction as plain values for JSON."""
    place: dict[str, Any] = {"image": prediction.image}
    if prediction.image is None:
        place = {"source": prediction.source, "frame": prediction.frame}
    return {
        **place,
        "width": prediction.width,
        "height": prediction.height,
        "faces": [_face_record(face) for face in prediction.faces],
        "model": prediction.model,
    }


def pts_text(landmarks: NDArray[np.floating]) -> str:
    """Return landmarks `[K, 2]` (pixel centres counted from 0) as the text of a `.pts` file, which counts from 1."""
    lines = [f"{x + PTS_ORIGIN:.3f} {y + PTS_ORIGIN:.3f}" for x, y in landmarks]
    return "\n".join(["version: 1", f"n_points: {len(landmarks)}", "{", *lines, "}", ""])


def _face_record(face: Face) -> dict[str, Any]:
    return {
        "id": face.id,
        "box": face.box.as_list(),
        "score": round(face.score, 4),
        "landmarks": [[round(float(x), 3), round(float(y), 3)] for x, y in face.landmarks],
        "confidence": [round(float(value), 3) for value in face.confidence],
        "scheme": face.scheme.points,
    }


def _write_jsonl(predictions: Iterable[Prediction], target: Path) -> int:
    count = 0
    with _replacing(target) as stream:
        for prediction in predictions:
            count += 1
            stream.write(json.dumps(as_record(prediction), ensure_ascii=False) + "\n")
    return count


def _write_csv(predictions: Iterable[Prediction], target: Path) -> int:
    """One row a face; pictures without a face leave no row. The header follows the first face's markup."""
    count, header = 0, False
    with _replacing(target) as stream:
        writer = csv.writer(stream)
        for prediction in predictions:
            count += 1
            for face in prediction.faces:
                if not header:
                    points = [f"{axis}{index}" for index in range(face.scheme.points) for axis in "xy"]
                    confidence = [f"c{index}" for index in range(face.scheme.points)]
                    writer.writerow(["image", "frame", "face", "score", "x0", "y0", "x1", "y1", *points, *confidence])
                    header = True
                writer.writerow(_csv_row(prediction, face))
    return count


def _csv_row(prediction: Prediction, face: Face) -> list[object]:
    record = _face_record(face)
    points = [value for point in record["landmarks"] for value in point]
    frame = "" if prediction.frame is None else prediction.frame
    name = prediction.image if prediction.image is not None else prediction.source
    return [name, frame, face.id, record["score"], *record["box"], *points, *record["confidence"]]


def _write_pts_folder(predictions: Iterable[Prediction], target: Path) -> int:
    """Write `NAME.pts` for the largest face, `NAME_2.pts` and on for the others; `NAME_000012.pts` for a video's frame.

    Pictures in sub-folders stay in them. Where two pictures differ only in their ending, the second keeps it in front
    of `.pts`.
    """
    count, taken = 0, set()
    for prediction in predictions:
        count += 1
        picture = PurePosixPath(str(prediction.image if prediction.image is not None else prediction.source))
        for number, face in enumerate(prediction.faces, 1):
            ending = "" if prediction.frame is None else f"_{prediction.frame:06d}"
            ending += "" if number == 1 else f"_{number}"
            file = picture.with_name(f"{picture.stem}{ending}.pts")
            if file in taken:
                file = picture.with_name(f"{picture.name}{ending}.pts")
            taken.add(file)
            with replaced(target / file) as temporary:
                temporary.write_text(pts_text(face.landmarks), encoding="utf-8")
    return count


@contextmanager
def _replacing(target: Path) -> Iterator[IO[str]]:
    with replaced(target) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        yield stream
