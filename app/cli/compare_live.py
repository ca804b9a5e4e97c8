"""`understudy compare-live`: several models on each frame of one source, and a report of the session."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from app.cli.options import add_detector, add_json, add_max_faces, positive, split_names
from app.cli.terminal import INTERRUPTED, number, report, say, table
from engine.batch.compare_live import Lane, compare_live
from engine.core.errors import UsageError
from engine.core.interruption import interruption_watch
from engine.evaluation.session_report.figures import Distance, LaneFigures
from engine.evaluation.session_report.files import FILES, PAGE, ensure_writable, write_report
from engine.evaluation.session_report.report import (
    SessionReport,
    Setting,
    as_values,
    lane_model,
    lane_name,
    make_report,
)
from engine.inference.detector import make_detector
from engine.inference.library import ModelLibrary
from engine.inference.pipeline import DEFAULT_SMOOTHING, Pipeline
from engine.live.camera_reader import open_guarded
from engine.live.settings import MOST_LANES
from engine.sources.opening import open_source

FEWEST = 2  # models


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("source", metavar="SOURCE", help="camera number or name, file, folder, or “sample”")
    parser.add_argument(
        "--models",
        required=True,
        metavar="A,B,...",
        help=f"{FEWEST} to {MOST_LANES} models, by name or file, between commas",
    )
    parser.add_argument("--out", required=True, metavar="DIR", help=f"folder for the report: {', '.join(FILES)}")
    parser.add_argument("--frames", type=positive, metavar="N", help="stop after N frames")
    add_detector(parser)
    add_max_faces(parser)
    parser.add_argument(
        "--smoothing",
        type=_share,
        default=DEFAULT_SMOOTHING,
        metavar="S",
        help=f"strength of the smoothing, 0 for none to 1 (default: {DEFAULT_SMOOTHING})",
    )
    parser.add_argument(
        "--as-labelled",
        action="store_true",
        help="leave the points where the labels of the training data lie beside what they mark, as “evaluate” does",
    )
    add_json(parser)


def main(options: argparse.Namespace) -> int:
    """Run the models side by side and write the report; the exit code is 1 where one failed or the source broke off.

    Raises:
        UsageError: there are too few or too many models, or one twice.
        ModelError: there is no such model, or it cannot be used.
        RecordingError: the folder cannot be written.
        SourceError: the source cannot be opened, or gave no frame.
    """
    folder, names = Path(options.out), split_models(options.models)
    for name in FILES:
        options.guard.check(folder / name, is_report=True)
    lanes = _lanes(names, options)
    ensure_writable(folder)
    source = open_guarded(lambda: open_source(options.source))
    began = datetime.now()
    with interruption_watch() as noted:
        try:
            meter, remark = compare_live(source, lanes, options.frames, noted.is_set)
        finally:
            source.close()
    if noted.is_set():
        say(INTERRUPTED, error=True)
        if not meter.moments:
            return noted.exit_code
    setting = Setting(
        source.name, source.kind.value, began, options.detector, options.smoothing, options.as_labelled, remark
    )
    models = [lane_model(lane.name, lane.pipeline.landmarker.card, lane.failure) for lane in lanes]
    made = make_report(meter, models, setting)
    write_report(made, folder)
    report(as_values(made), _text(made), options.json)
    failures = [lane.failure for lane in lanes if lane.failure]
    for problem in filter(None, (*failures, remark)):
        say(problem, error=True)
    say(f"Written to {folder / PAGE}", error=True)
    return noted.exit_code or (1 if failures or remark else 0)


def split_models(text: str) -> tuple[str, ...]:
    """Return the models that `--models` names, each once.

    Raises:
        UsageError: there are too few or too many, or one twice.
    """
    names = split_names(text)
    if not FEWEST <= len(names) <= MOST_LANES:
        raise UsageError(
            f"--models names {len(names)} of {FEWEST} to {MOST_LANES} models",
            "one alone has nothing to be compared with" if len(names) < FEWEST else "each frame goes through all",
            "write --models A,B; “understudy models” lists them",
        )
    library = ModelLibrary()
    files = [library.find(name).resolve() for name in names]
    twice = next((name for place, name in enumerate(names) if files[place] in files[:place]), None)
    if twice is not None:
        raise UsageError(f"“{twice}” is named twice in --models", "a model agrees with itself", "name each model once")
    return names


def _lanes(models: Sequence[str], options: argparse.Namespace) -> list[Lane]:
    library, lanes = ModelLibrary(), list[Lane]()
    for model in models:
        landmarker = library.load(model)
        landmarker.as_labelled = options.as_labelled
        pipeline = Pipeline(make_detector(options.detector), landmarker, options.smoothing, max_faces=options.max_faces)
        lanes.append(Lane(lane_name(landmarker.name, [lane.name for lane in lanes]), pipeline))
    return lanes


def _text(made: SessionReport) -> str:
    meter, names = made.meter, [model.name for model in made.models]
    heading = ("lane", "frames/s", "ms (p50)", "p95", "NME %", "jitter %", "lag ms", "found", "lost")
    rows = [_row(name, figures) for name, figures in zip(names, made.lanes, strict=True)]
    matrix = [[name, *map(_cell, cells)] for name, cells in zip(names, made.matrix, strict=True)]
    lines = [
        f"{made.setting.source}: {len(meter.moments)} frames through {len(names)} models",
        table([heading, *rows]),
        "",
        "How far apart the models are, mean distance in % of the eye distance:",
        table([("", *names), *matrix]),
    ]
    return "\n".join(lines)


def _row(name: str, figures: LaneFigures) -> tuple[str, ...]:
    latency = figures.latency
    return (
        name,
        number(figures.throughput, 1),
        number(latency.p50 if latency else None),
        number(latency.p95 if latency else None),
        number(figures.accuracy.nme if figures.accuracy else None),
        number(figures.jitter, 3),
        number(figures.lag, 1),
        number(None if figures.found is None else figures.found * 100, 1, " %"),
        str(figures.lost),
    )


def _cell(cell: Distance | None) -> str:
    return number(cell.mean if cell else None)


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError("must be from 0 to 1")
    return value
