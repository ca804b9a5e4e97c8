"""`understudy run`: the window, or the same without a window."""

from __future__ import annotations

import argparse
import os
import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from app.cli.display import display_problem, require_libraries
from app.cli.options import add_detector, add_flip, add_json, add_max_faces, add_model, positive, split_names
from app.cli.outputs import add_overwrite
from app.cli.terminal import INTERRUPTED, number, report, say
from engine.batch.run import HeadlessSettings, HeadlessSummary, run_headless
from engine.core.errors import UsageError
from engine.core.faces import SMALLEST_FACE
from engine.core.interruption import interruption_watch
from engine.evaluation.session_report.files import FILES, PAGE, ensure_writable, write_report
from engine.evaluation.session_report.meter import SessionMeter
from engine.evaluation.session_report.report import Setting, lane_model, make_report
from engine.formats.images import WRITABLE_SUFFIXES
from engine.inference.detector import make_detector
from engine.inference.library import DEFAULT_MODEL, ModelLibrary
from engine.inference.pipeline import DEFAULT_SMOOTHING, Pipeline
from engine.inference.tracking import LIVE_FACES
from engine.live.camera_reader import open_guarded
from engine.live.settings import MOST_LANES
from engine.output.rescue import rescue_recordings
from engine.output.sound import copy_sound
from engine.output.streaming.address import parse_address
from engine.output.streaming.streamer import Streamer
from engine.output.video_writer import CODECS
from engine.sources.base import FAST_PIXELS, TURNS, CameraFormat, SourceKind
from engine.sources.camera import DEFAULT_FORMAT
from engine.sources.opening import SAMPLE, open_source

# What only a run without a window does.
HEADLESS_OPTIONS = ("frames", "record", "picture", "json")
SCREENSHOT_AFTER = 6.0  # seconds: after the start, well inside the sample's motion


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument(
        "source",
        nargs="?",
        metavar="SOURCE",
        help="camera by number, name or address (http, rtsp), file, folder, numbered pictures (shot_%%04d.png), or "
        "“sample” (default: the first camera, else the sample)",
    )
    add_model(parser, default=None)
    parser.add_argument(
        "--models",
        metavar="A,B,...",
        help=f"up to {MOST_LANES} models on the same picture, by name or file, between commas (in the window)",
    )
    add_flip(parser, "; in the window for teachers only")
    add_detector(parser)
    add_max_faces(parser, f" in pictures, {LIVE_FACES} in cameras and videos")
    parser.add_argument(
        "--rotate",
        type=int,
        choices=TURNS,
        metavar="DEGREES",
        help="turn a camera clockwise: 90, 180 or 270",
    )
    parser.add_argument(
        "--camera-format",
        type=pixel_format,
        metavar="FORMAT",
        help=f"what a camera is asked to send, in four letters (default: {FAST_PIXELS}; YUYV is uncompressed)",
    )
    parser.add_argument("--headless", action="store_true", help="without a window; report to the terminal")
    parser.add_argument("--frames", type=positive, metavar="N", help="stop after N frames (headless)")
    parser.add_argument("--record", metavar="FILE", help="record the annotated picture as .mp4 or .avi (headless)")
    parser.add_argument("--picture", metavar="FILE", help="save the last annotated picture as .png or .jpg (headless)")
    parser.add_argument("--screenshot", metavar="FILE", help="save a picture of the window after some seconds and quit")
    add_overwrite(parser)
    parser.add_argument(
        "--stream",
        metavar="ADDRESS",
        help="send the landmarks live to udp://HOST:PORT or osc://HOST:PORT, or offer them at ws://HOST:PORT",
    )
    parser.add_argument(
        "--report",
        metavar="DIR",
        help=f"write a report of the session, {', '.join(FILES)}; in the window at the end of a file or on closing",
    )
    add_json(parser)


def main(options: argparse.Namespace) -> int:
    """Show the window, or run headless where it was asked for or no display answers.

    Raises:
        UsageError: options exclude each other, or a file has an ending that cannot be written, or Qt lacks a
            library for a window.
        ModelError: there is no such model.
    """
    if not options.headless and (problem := display_problem()):
        say(f"{problem}, so this runs without a window. (--headless asks for that.)", error=True)
        options.headless = True
    _check(options)
    folder = _report_folder(options)
    if options.headless:
        return _headless(options, folder)
    models = split_names(options.models or "")
    for model in (*models, *([options.model] if options.model else [])):
        ModelLibrary().find(model)  # a mistyped name is refused here, not remembered by the window
    require_libraries()
    from app.app import WindowOptions, run_window  # Qt is loaded only when a window is shown

    screenshot = Path(options.screenshot) if options.screenshot else None
    given = options.source, options.model, options.flip, options.detector, options.max_faces, options.stream
    camera = _camera_format(options)
    settings = camera, options.rotate, models, folder
    return run_window(WindowOptions(*given, screenshot, SCREENSHOT_AFTER, *settings))


def pixel_format(text: str) -> str:
    """Return the four letters of a format of pixels, in capitals.

    Raises:
        ArgumentTypeError: they are not four letters or digits.
    """
    if not re.fullmatch(r"[A-Za-z0-9]{4}", text):
        raise argparse.ArgumentTypeError("must be four letters or digits, such as MJPG or YUYV")
    return text.upper()


def _camera_format(options: argparse.Namespace) -> CameraFormat:
    return replace(DEFAULT_FORMAT, pixels=options.camera_format or FAST_PIXELS, turn=options.rotate or 0)


def _check(options: argparse.Namespace) -> None:
    """Refuse options that would be ignored, or would fail only after the work."""
    if options.headless and options.screenshot:
        raise UsageError(
            "There is no window that --screenshot could save", "this runs without one", "use --picture instead"
        )
    source = options.source or ""
    of_camera = [name for name in ("rotate", "camera_format") if getattr(options, name) is not None]
    if of_camera and (source.casefold() == SAMPLE or os.path.isfile(source) or os.path.isdir(source)):  # noqa: PTH112, PTH113
        raise UsageError(
            f"--{of_camera[0].replace('_', '-')} needs a camera",
            f"“{source}” is none, and files are shown as they are",
            "leave it out, or name a camera",
        )
    if options.models is not None:
        _check_models(options)
    ignored = [f"--{name}" for name in HEADLESS_OPTIONS if getattr(options, name) is not None]
    if options.stream:
        parse_address(options.stream)
    if ignored and not options.headless:
        raise UsageError(
            f"With a window there is no {' and no '.join(ignored)}",
            "that is for runs without a window",
            "add --headless",
        )
    for name, endings in (("record", set(CODECS)), ("picture", WRITABLE_SUFFIXES)):
        target = getattr(options, name)
        if target is not None and Path(target).suffix.lower() not in endings:
            raise UsageError(
                f"--{name} cannot write {target}",
                f"its ending is none of {', '.join(sorted(endings))}",
                "choose another name",
            )


def _check_models(options: argparse.Namespace) -> None:
    names = split_names(options.models)
    if options.headless:
        raise UsageError(
            "--models needs the window",
            "without one, a single model runs",
            "write --model NAME, or compare several with “understudy compare-live”",
        )
    if options.model:
        raise UsageError("--model and --models exclude each other", "both name the first model", "leave one out")
    if not 2 <= len(names) <= MOST_LANES:
        raise UsageError(
            f"--models names {len(names)} of 2 to {MOST_LANES} models",
            "the window shows as many pictures" if len(names) > MOST_LANES else "one alone is --model NAME",
            "write --models A,B; “understudy models” lists them",
        )


def _report_folder(options: argparse.Namespace) -> Path | None:
    """Return the folder for the report, once it is sure that it can be written.

    Raises:
        UsageError: a file there is one that is read.
        RecordingError: it cannot be written.
    """
    if options.report is None:
        return None
    folder = Path(options.report)
    for name in FILES:
        options.guard.check(folder / name, is_report=True)
    ensure_writable(folder)
    return folder


def _headless(options: argparse.Namespace, folder: Path | None) -> int:
    landmarker = ModelLibrary().load_live(options.model or DEFAULT_MODEL)
    landmarker.flip = options.flip
    pipeline = Pipeline(make_detector(options.detector), landmarker, max_faces=options.max_faces)
    camera = _camera_format(options)
    source = open_guarded(lambda: open_source(options.source, format_of=lambda _: camera))
    if options.source is None and source.kind is SourceKind.SAMPLE:
        say("No camera was found, so the built-in sample plays.", error=True)
    stream = Streamer(options.stream) if options.stream else None
    for rescued in rescue_recordings(Path(options.record).parent) if options.record else ():
        say(f"A recording of a program that was killed is saved: {rescued}", error=True)
    session = None if folder is None else SessionMeter(1, continuous=source.kind is not SourceKind.PICTURES)
    began = datetime.now()
    with interruption_watch() as noted:
        try:
            if stream is not None:
                stream.ready()
            settings = HeadlessSettings(
                frames=options.frames,
                record=Path(options.record) if options.record else None,
                picture=Path(options.picture) if options.picture else None,
                stream=stream,
                stop=noted.is_set,
                session=session,
            )
            summary = run_headless(source, pipeline, settings)
            remark = source.remark
        finally:
            source.close()
            if stream is not None:
                stream.stop()
    if noted.is_set():
        say(INTERRUPTED, error=True)
        if not summary.frames:
            return noted.exit_code
    failure = stream.error if stream is not None else None
    if failure is not None:
        say(str(failure), error=True)
    report(summary.as_report(), _text(summary), options.json)
    if folder is not None and session is not None and session.moments:
        setting = Setting(
            source.name, source.kind.value, began, options.detector, DEFAULT_SMOOTHING, as_labelled=False, remark=remark
        )
        write_report(make_report(session, [lane_model(landmarker.name, landmarker.card)], setting), folder)
        say(f"Written to {folder / PAGE}", error=True)
    recorded = settings.record is not None and settings.record.is_file() and source.kind is SourceKind.VIDEO
    sound = copy_sound(Path(options.source).expanduser(), Path(options.record)) if recorded else ""
    for problem in filter(None, (sound, remark)):
        say(problem, error=True)
    return noted.exit_code or (1 if remark or failure else 0)


def _text(summary: HeadlessSummary) -> str:
    total = summary.latency_ms["total"]
    lines = [
        f"{summary.source}: {summary.frames} frames, a face in {summary.faces_found:.1%} of them ({summary.model})",
        f"  throughput  {number(summary.fps, 1)} frames/s",
        f"  latency     {total.p50:.2f} ms a frame (median), {total.p95:.2f} ms (p95)",
        f"  NME         {number(summary.nme, 2, ' % of the eye distance, against ground truth')}",
        f"  jitter      {number(summary.jitter, 2, ' % of the eye distance, while still')}",
    ]
    if summary.no_face:
        lines.append(f"  no face     in {summary.no_face} of {summary.frames} frames")
    if summary.missed:
        lines.append(f"  missed      the face of the ground truth in {summary.missed} of {summary.frames} frames")
    if summary.too_small:
        words = f"only faces of less than {SMALLEST_FACE:g} pixels in {summary.too_small} of {summary.frames} frames"
        lines.append(f"  too small   {words}")
    lines += [f"  {kind:<11} {path}" for kind, path in summary.files.items()]
    return "\n".join(lines)
