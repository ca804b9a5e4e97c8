"""`understudy review`: the window with a logged session beside its clip."""

from __future__ import annotations

import argparse
from pathlib import Path

from app.cli.display import display_problem, require_libraries
from app.cli.outputs import add_overwrite
from engine.core.errors import UsageError
from engine.formats.session_log import ENDINGS

SCREENSHOT_AFTER = 1.5  # seconds after the log was opened: its first frame is shown


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("log", metavar="LOG", help=f"log of a session ({', '.join(ENDINGS)}), or what “predict” wrote")
    parser.add_argument(
        "clip",
        nargs="?",
        metavar="CLIP",
        help="the video or folder that was logged (default: of its name beside the log, or in the folder above)",
    )
    parser.add_argument("--screenshot", metavar="FILE", help="save a picture of the window after some seconds and quit")
    add_overwrite(parser)


def main(options: argparse.Namespace) -> int:
    """Show the window with the review; no model runs, and no camera is opened.

    Raises:
        UsageError: there is no such log or clip, or no display.
    """
    log, clip = Path(options.log), None if options.clip is None else Path(options.clip)
    if not log.is_file() or log.suffix.lower() not in ENDINGS:
        raise UsageError(
            f"There is no log {log}",
            f"it was moved, its name is mistyped, or it does not end in {' or '.join(ENDINGS)}",
            "“Log” in the window writes one, and “understudy predict CLIP --out FILE.jsonl” too",
        )
    if clip is not None and not clip.exists():
        raise UsageError(f"There is no clip {clip}", "it was moved, or its name is mistyped", "check the path")
    if problem := display_problem():
        raise UsageError(problem, "a review needs a window", "start it on a desktop")
    require_libraries()
    from app.app import WindowOptions, run_window  # Qt is loaded only when a window is shown

    screenshot = Path(options.screenshot) if options.screenshot else None
    return run_window(
        WindowOptions(
            None, None, screenshot=screenshot, screenshot_after=SCREENSHOT_AFTER, review=(log.absolute(), clip)
        )
    )
