"""What several verbs of the command line share: arguments, and a look whether the trainer's packages are there."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterable

from app.bundled import no_trainer
from app.trainer_setup import how_to_install, missing_packages
from engine.core.errors import UsageError
from engine.core.processes import is_bundled
from engine.inference.detector import DEFAULT_DETECTOR, DETECTORS
from engine.inference.library import DEFAULT_MODEL

Verbs = argparse._SubParsersAction  # the type has no public name
Action = Callable[[argparse.Namespace], int]  # carries a verb out and returns the exit code

WHOLE_PACK = "all"  # what --split and reports call every face of a pack


def add_verb(verbs: Verbs, verb: str, text: str) -> argparse.ArgumentParser:
    """Add a verb and return its parser; `text` says what it does, from a small letter on and without a full stop."""
    parser: argparse.ArgumentParser = verbs.add_parser(verb, help=text, description=text[0].upper() + text[1:] + ".")
    return parser


def add_actions(parser: argparse.ArgumentParser) -> Verbs:
    """Give a verb subcommands, and return where they are added; each sets the function `action` that carries it out."""
    return parser.add_subparsers(title="subcommands", metavar="SUBCOMMAND", required=True)


def add_action(actions: Verbs, name: str, act: Action, text: str) -> argparse.ArgumentParser:
    """Add a subcommand that `act` carries out, and return its parser; `text` is as in `add_verb`."""
    parser = add_verb(actions, name, text)
    parser.set_defaults(action=act)
    return parser


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add `--json FILE|-`."""
    parser.add_argument(
        "--json", metavar="FILE|-", help="write the report as JSON to a file, or to the terminal with -"
    )


def add_model(parser: argparse._ActionsContainer, default: str | None = DEFAULT_MODEL) -> None:
    """Add `--model NAME|FILE`; without a default, the window uses the model that it remembers."""
    words = DEFAULT_MODEL if default else f"in the window the last one used, else {DEFAULT_MODEL}"
    parser.add_argument("--model", default=default, metavar="NAME|FILE", help=f"landmark model (default: {words})")


def add_flip(parser: argparse.ArgumentParser, more: str = "") -> None:
    """Add `--flip`; `more` says what else holds."""
    parser.add_argument(
        "--flip",
        action="store_true",
        help=f"average the points with those of the mirror image: more exact, twice the time{more}",
    )


def add_detector(parser: argparse.ArgumentParser) -> None:
    """Add `--detector NAME`."""
    parser.add_argument(
        "--detector",
        default=DEFAULT_DETECTOR,
        choices=tuple(DETECTORS),
        help=f"what finds the faces (default: {DEFAULT_DETECTOR})",
    )


def add_max_faces(parser: argparse._ActionsContainer, live: str = "") -> None:
    """Add `--max-faces N`; `live` says what holds besides pictures."""
    parser.add_argument(
        "--max-faces", type=positive, metavar="N", help=f"find at most N faces (default: any number{live})"
    )


def add_machine(parser: argparse.ArgumentParser) -> None:
    """Add what trainings are carried out on; `precision` is None where none was chosen."""
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="default: auto")
    parser.add_argument(
        "--devices",
        type=positive,
        metavar="N",
        help="processes that divide each batch, one a GPU (default: as torchrun says, otherwise 1)",
    )
    parser.add_argument(
        "--precision",
        choices=("auto", "32-true", "bf16-mixed", "64-true"),
        help="of the network's body; points and losses stay float32 (default: auto, bf16-mixed where a GPU can)",
    )


def add_split(parser: argparse.ArgumentParser, default: str | None = None, example: str = "") -> None:
    """Add `--split S`, whose value is None for the whole pack: that is meant by `all`, as reports call it."""
    such = f", such as {example}" if example else ""
    parser.add_argument(
        "--split",
        default=default,
        type=lambda text: None if text == WHOLE_PACK else text,
        metavar="S",
        help=f"part of the pack{such}, or {WHOLE_PACK} (default: {default or WHOLE_PACK})",
    )


def add_box(parser: argparse.ArgumentParser, default: str) -> None:
    """Add `--box truth|detector`."""
    parser.add_argument(
        "--box",
        choices=("truth", "detector"),
        default=default,
        help=f"where the face boxes of a pack come from (default: {default})",
    )


def positive(text: str) -> int:
    """Return a whole number above 0.

    Raises:
        ArgumentTypeError: it is none.
    """
    number = int(text) if text.isascii() and text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def above_zero(text: str) -> float:
    """Return a finite number above 0.

    Raises:
        ArgumentTypeError: it is none.
    """
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError("must be a number above 0")
    return number


def split_names(text: str) -> tuple[str, ...]:
    """Return the names between commas, without empty ones."""
    return tuple(name for part in text.split(",") if (name := part.strip()))


def require_packages(names: Iterable[str]) -> None:
    """Check that packages of the extra `trainer` are installed, without importing them.

    Raises:
        UsageError: some are not, or this is the bundle, which never has them.
    """
    if is_bundled():
        raise no_trainer()
    missing = missing_packages(names)
    if missing:
        raise UsageError(
            f"The trainer needs packages that are not installed ({', '.join(missing)})",
            "the application alone does without them",
            f"{how_to_install()} and start again",
        )
