"""The command line: its verbs, its exit codes, and how errors are reported."""

from __future__ import annotations

import argparse
import errno
import logging
import os
import sys
from collections.abc import Collection, Sequence
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from typing import Any

from app.cli.options import Action, add_verb
from app.cli.outputs import guard_outputs
from app.cli.parser import Parser
from app.cli.terminal import say
from engine.core.errors import UnderstudyError, refusal, sentence
from engine.core.interruption import Interrupted, interruptible
from engine.core.platforms import complete_home
from engine.core.version import program_version

EXIT_FAILURE, EXIT_INTERRUPTED = 1, 130
EPILOG = """\
exit codes: 0 done · 1 it failed, and a sentence says why · 2 the command line cannot be understood ·
            130 interrupted by Ctrl-C, 128 + n by signal n
Nothing leaves this machine: no network is used unless you stream landmarks or give the address of
a camera, no picture is kept unless you record it."""
# The help of each verb, in the order of the list. The module `app.cli.VERB` holds its `add_arguments`, and its `main`
# or the actions of its subcommands.
VERBS = {
    "run": "show landmarks live on a camera, a video, pictures or the sample",
    "predict": "write the landmarks of pictures, folders, videos or packs to files",
    "evaluate": "measure a model, or landmarks of another tool, on a pack of labelled faces",
    "compare": "put evaluations side by side and separate gains from noise",
    "compare-live": "run models side by side on a source and report speed, error, distances and steadiness",
    "review": "show a logged session beside its clip: landmarks, curves, worst frames, marks",
    "benchmark": "measure how fast models run on this machine",
    "data": "turn data sets into packs, check and label them",
    "train": "train a model by a named recipe",
    "reproduce": "carry out the trainings of a paper and put the result beside its figures",
    "export": "turn a checkpoint into a .tflite model with its card",
    "filter": "make, list, check and apply AR filters",
    "models": "list the models with their accuracy, size and licence",
    "cameras": "list the cameras by name",
    "doctor": "check the installation and say what is wrong",
    "self-test": "try every part of the program: files, libraries, models, window, recording",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        arguments: without the program's name; those of the process if None.
    """
    _hold_standard_files()
    import cv2

    complete_home()
    cv2.setNumThreads(1)  # one thread by default: two spin against each other on small machines
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # so that no letter that a terminal lacks ends the program
            with suppress(OSError):  # it may be closed
                stream.reconfigure(errors="replace")
    words = sys.argv[1:] if arguments is None else arguments
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    try:
        options = build_parser([word for word in words if word in VERBS]).parse_args(words)
        vars(options).update({name: _at_home(value) for name, value in vars(options).items()})
        command: Action = getattr(options, "action", None) or _module(options.verb).main
        with interruptible():
            options.guard = guard_outputs(options)
            return command(options)
    except UnderstudyError as error:
        return _fail(error.what, error.why, error.fix)
    except BrokenPipeError:
        # The reader of our output has closed it (such as `head`); Python would complain again while exiting.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILURE
    except OSError as error:
        # Of a copy that does not fit, the system names first what was read.
        place = error.filename2 if error.filename2 and error.errno == errno.ENOSPC else error.filename
        where = f" ({place})" if place else ""
        what = f"The system refused: {error.strerror or error}{where}"
        guess = ("the disk is full, or the place forbids writing", "choose another place, or make room")
        if isinstance(error, FileNotFoundError):
            guess = ("it or its folder is not there, or not any more", "look whether it was removed or renamed")
        return _fail(what, *refusal(error, *guess))
    except KeyboardInterrupt as stop:
        with suppress(OSError):  # the terminal may be gone
            say("Interrupted.", error=True)
        return stop.exit_code if isinstance(stop, Interrupted) else EXIT_INTERRUPTED


def _hold_standard_files() -> None:
    """Open what is closed of the three standard files, or the next file would be one, and get what libraries write."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free


def _at_home(value: Any) -> Any:
    """Return the value of an argument; a path that begins with ~, which shells leave alone in `--out=~/x`, in full."""
    if isinstance(value, list):
        return [_at_home(each) for each in value]
    return os.path.expanduser(value) if isinstance(value, str) else value  # noqa: PTH111  most texts are no paths


def _fail(what: str, why: str, fix: str) -> int:
    say(f"{what}.\n  Likely cause: {sentence(why)}\n  What to do: {sentence(fix)}", error=True)
    return EXIT_FAILURE


def build_parser(complete: Collection[str] = tuple(VERBS)) -> argparse.ArgumentParser:
    """Return the parser of the command line.

    Args:
        complete: the verbs whose arguments it knows. The module of each is imported, so fewer of them start faster.
    """
    parser = Parser(
        prog="understudy",
        description="Facial landmarks, live: a small student network learned them from big teachers.",
        epilog=EPILOG,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, max_help_position=20, width=100),
    )
    parser.add_argument("--version", action="version", version=f"understudy {program_version()}")
    subparsers = parser.add_subparsers(title="verbs", metavar="VERB [OPTIONS]", required=True, dest="verb")
    for verb, text in VERBS.items():
        subparser = add_verb(subparsers, verb, text)
        if verb in complete:
            _module(verb).add_arguments(subparser)
    return parser


def _module(verb: str) -> Any:
    return import_module(f"app.cli.{verb.replace('-', '_')}")
