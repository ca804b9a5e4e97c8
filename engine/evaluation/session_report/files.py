"""The folder of a session report: the page, every number as JSON, and each frame of each lane as CSV."""

from __future__ import annotations

import math
from pathlib import Path

from engine.core.files import partial_path
from engine.evaluation.files import as_json, unwritable, write_texts
from engine.evaluation.session_report.page import as_html
from engine.evaluation.session_report.report import SessionReport, as_values
from engine.evaluation.tables import csv_table

PAGE, NUMBERS, FRAMES = "report.html", "report.json", "frames.csv"
FILES = (PAGE, NUMBERS, FRAMES)
DIGITS = {"latency": 3, "detect": 3, "landmark": 3, "faces": 0, "lost": 0, "confidence": 4, "nme": 6, "jitter": 6}
HEADINGS = {"latency": "latency_ms", "detect": "detect_ms", "landmark": "landmark_ms"}


def write_report(report: SessionReport, folder: Path) -> None:
    """Write the files of a report into `folder`, which is made where it is missing.

    Raises:
        RecordingError: they cannot be written.
    """
    write_texts(folder, {FRAMES: as_csv(report), NUMBERS: as_json(as_values(report)), PAGE: as_html(report)})


def as_csv(report: SessionReport) -> str:
    """Return a row for each frame and lane; a cell is empty where a number is missing.

    NME, jitter and distances are in percent of the eye distance; the distance is the mean one from the landmarks of
    another lane on the same faces. An NME is missing too where the lane missed the true face.
    """
    meter = report.meter
    names = [model.name for model in report.models]
    heading = ["frame", "picture", "seconds", "lane", *(HEADINGS.get(name, name) for name in DIGITS)]
    heading += [f"distance from {name}" for name in names]
    rows = []
    for place, (number, name, moment) in enumerate(zip(meter.numbers, meter.names, meter.moments, strict=True)):
        for index, lane in enumerate(meter.lanes):
            values = [_cell(lane.columns[column][place], digits) for column, digits in DIGITS.items()]
            distances = [
                None if other == index else _cell(meter.distances[min(index, other), max(index, other)][place], 6)
                for other in range(len(names))
            ]
            seconds = round(moment, 4) if meter.continuous else None
            rows.append([number, name, seconds, names[index], *values, *distances])
    return csv_table(heading, rows)


def ensure_writable(folder: Path) -> None:
    """Make a folder and try to write there, so that a session is not measured in vain.

    Raises:
        RecordingError: that is impossible.
    """
    trial = partial_path(folder / NUMBERS)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trial.touch()
        trial.unlink()
    except OSError as error:
        raise unwritable(folder, error) from error


def _cell(value: float, digits: int) -> float | int | None:
    if not math.isfinite(value):
        return None
    return round(value, digits) if digits else round(value)
