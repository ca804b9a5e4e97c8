"""Writing predictions: JSON lines, CSV, or one `.pts` file a face."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import RecordingError, UsageError
from engine.prediction import PredictedFace, Prediction

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


def _face_record(face: PredictedFace) -> dict[str, Any]:
    return {
        "id": face.id,
        "box": face.box.as_list(),
        "score": round(face.score, 4),
        "landmarks": [[round(float(x), 3), round(float(y), 3)] for x, y in face.landmarks],
        "confidence": [round(float(value), 3) for value in face.confidence],
        "scheme": face.scheme,
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
                    points = [f"{axis}{index}" for index in range(face.scheme) for axis in "xy"]
                    confidence = [f"c{index}" for index in range(face.scheme)]
                    writer.writerow(["image", "frame", "face", "score", "x0", "y0", "x1", "y1", *points, *confidence])
                    header = True
                writer.writerow(_csv_row(prediction, face))
    return count


def _csv_row(prediction: Prediction, face: PredictedFace) -> list[object]:
    record = _face_record(face)
    points = [value for point in record["landmarks"] for value in point]
    frame = "" if prediction.frame is None else prediction.frame
    name = prediction.image if prediction.image is not None else prediction.source
    return [name, frame, face.id, record["score"], *record["box"], *points, *record["confidence"]]


def _write_pts_folder(predictions: Iterable[Prediction], target: Path) -> int:
    """`NAME.pts` for the largest face of a picture, `NAME_2.pts` and on for the others, `NAME_FRAME.pts` for videos."""
    count = 0
    target.mkdir(parents=True, exist_ok=True)
    for prediction in predictions:
        count += 1
        name = prediction.image if prediction.image is not None else prediction.source
        stem = Path(str(name)).stem
        if prediction.frame is not None:
            stem = f"{stem}_{prediction.frame:06d}"
        for number, face in enumerate(prediction.faces, 1):
            file = target / (f"{stem}.pts" if number == 1 else f"{stem}_{number}.pts")
            with _replacing(file) as stream:
                stream.write(pts_text(face.landmarks))
    return count


@contextmanager
def _replacing(target: Path) -> Iterator[IO[str]]:
    """Open a file to be written beside `target`, and put it in its place only if all went well."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.part")
    try:
        with temporary.open("w", encoding="utf-8", newline="") as stream:
            yield stream
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
