"""The command line: its verbs, their arguments, and what errors become."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from app.cli.data_cli import add_data
from app.cli.filter_cli import add_filter
from app.cli.options import Verbs, add_json, add_model, add_verb
from app.cli.terminal import say
from engine.core.errors import UnderstudyError, sentence
from engine.core.metrics import NORMALISERS
from engine.inference.detector import DEFAULT_DETECTOR, DETECTORS

EXIT_FAILURE, EXIT_INTERRUPTED = 1, 130
EPILOG = """\
exit codes: 0 done · 1 it failed, and a sentence says why · 2 the command line cannot be understood · 130 interrupted
Nothing leaves this machine: no network is used unless you stream landmarks, no picture is kept unless you record it."""
PREDICTIONS = """\
landmarks of other tools (--predictions), 29, 68 or 98 points, in pixels counted from the centre of the top left one:
  .npz    arrays image (N,) and landmarks (N, K, 2)
  .jsonl  lines {"image": NAME, "landmarks": [[x, y], ...]}, or those of “understudy predict”
  .csv    columns image, x0, y0, x1, y1, ..., or those of “understudy predict”
The pictures need not be there. Faces without landmarks count as failures."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        arguments: without the program's name; those of the process if None.
    """
    _prepare_process()
    options = build_parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    try:
        command: Callable[[argparse.Namespace], int] = import_module(f"app.cli.{options.module}").main
        return command(options)
    except UnderstudyError as error:
        say(f"{error.what}.\n  Likely cause: {sentence(error.why)}\n  What to do: {sentence(error.fix)}", error=True)
        return EXIT_FAILURE
    except BrokenPipeError:
        # Whoever read our output has closed it (such as `head`); Python would complain again while exiting.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILURE
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        say(f"The system refused: {error.strerror or error}{where}.", error=True)
        say("  Likely cause: the disk is full, or the place forbids writing.", error=True)
        say("  What to do: choose another place, or make room.", error=True)
        return EXIT_FAILURE
    except KeyboardInterrupt:
        say("Interrupted.", error=True)
        return EXIT_INTERRUPTED


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all verbs."""
    parser = argparse.ArgumentParser(
        prog="understudy",
        description="Facial landmarks, live: a small student network learned them from big teachers.",
        epilog=EPILOG,
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, max_help_position=20, width=100),
    )
    parser.add_argument("--version", action="version", version=f"understudy {_version()}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB [OPTIONS]", required=True)
    _add_run(verbs)
    _add_predict(verbs)
    _add_evaluate(verbs)
    _add_compare(verbs)
    _add_benchmark(verbs)
    add_data(verbs)
    _add_train(verbs)
    _add_export(verbs)
    add_filter(verbs)
    for verb, text in (
        ("models", "list the models with their accuracy, size and licence"),
        ("cameras", "list the cameras by name"),
        ("doctor", "check the installation and say what is wrong"),
    ):
        add_json(add_verb(verbs, verb, verb, text))
    return parser


def _add_detector(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--detector",
        default=DEFAULT_DETECTOR,
        choices=tuple(DETECTORS),
        help=f"what finds the faces (default: {DEFAULT_DETECTOR})",
    )


def _add_run(verbs: Verbs) -> None:
    parser = add_verb(verbs, "run", "run", "show landmarks live on a camera, a video, pictures or the sample")
    parser.add_argument(
        "source",
        nargs="?",
        metavar="SOURCE",
        help="camera number or name, file, folder, or “sample” (default: the first camera, else the sample)",
    )
    add_model(parser)
    _add_detector(parser)
    parser.add_argument("--headless", action="store_true", help="without a window; report to the terminal")
    parser.add_argument("--frames", type=_positive, metavar="N", help="stop after N frames (headless)")
    parser.add_argument("--record", metavar="FILE", help="record the annotated picture as .mp4 or .avi (headless)")
    parser.add_argument("--picture", metavar="FILE", help="save the last annotated picture as .png or .jpg (headless)")
    parser.add_argument("--screenshot", metavar="FILE", help="save a picture of the window after some seconds and quit")
    parser.add_argument(
        "--stream",
        metavar="ADDRESS",
        help="send the landmarks live to udp://HOST:PORT or osc://HOST:PORT, or offer them at ws://HOST:PORT",
    )
    add_json(parser)


def _add_predict(verbs: Verbs) -> None:
    parser = add_verb(verbs, "predict", "predict", "write the landmarks of pictures, folders, videos or packs to files")
    parser.add_argument("path", metavar="PATH", help="picture, folder of pictures, video or pack")
    add_model(parser)
    parser.add_argument(
        "--out", required=True, metavar="FILE|DIR", help="FILE.jsonl, FILE.csv, or a folder for .pts files"
    )
    _add_box(parser, "detector")
    _add_detector(parser)


def _add_evaluate(verbs: Verbs) -> None:
    parser = add_verb(
        verbs, "evaluate", "evaluate", "measure a model, or landmarks of another tool, on a pack of labelled faces"
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = PREDICTIONS
    measured = parser.add_mutually_exclusive_group()
    add_model(measured)
    measured.add_argument(
        "--predictions", metavar="FILE", help="score the landmarks in this .npz, .jsonl or .csv instead of a model's"
    )
    # argparse takes a --model that is named for one that is not, if it is the default.
    parser.set_defaults(model=None)
    parser.add_argument("--data", required=True, metavar="PACK", help="folder with annotations.npz")
    parser.add_argument("--split", metavar="S", help="part of the pack, such as test (default: every picture)")
    parser.add_argument("--labels", default="landmarks", metavar="ARRAY", help="landmarks or landmarks_2d")
    parser.add_argument(
        "--normaliser",
        choices=NORMALISERS,
        default="eyes",
        help="what errors are percent of: distance of the outer eye corners, of the pupils, or the root of the area of "
        "the true box (default: eyes)",
    )
    _add_box(parser, "truth")
    _add_detector(parser)
    parser.add_argument("--out", metavar="DIR", help="write all figures, tables, the curve and the worst faces there")
    parser.add_argument("--save-to-card", action="store_true", help="note the result on the model's card")
    add_json(parser)


def _add_compare(verbs: Verbs) -> None:
    parser = add_verb(verbs, "compare", "compare", "put evaluations side by side and tell gains from noise")
    parser.add_argument(
        "runs",
        nargs="+",
        metavar="RUN",
        help="folder written by “evaluate --out”; A1,A2 are runs with different seeds, averaged in one row",
    )
    parser.add_argument("--out", metavar="DIR", help="write the table and the curves there")
    add_json(parser)


def _add_box(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument(
        "--box",
        choices=("truth", "detector"),
        default=default,
        help=f"where the face boxes of a pack come from (default: {default})",
    )


def _add_benchmark(verbs: Verbs) -> None:
    parser = add_verb(verbs, "benchmark", "benchmark", "measure how fast models run on this machine")
    parser.add_argument(
        "--model", action="append", metavar="NAME|FILE", help="model to measure; repeatable (default: all)"
    )
    parser.add_argument("--threads", default="1", metavar="1,2", help="numbers of threads (default: 1)")
    add_json(parser)


def _add_train(verbs: Verbs) -> None:
    parser = add_verb(verbs, "train", "training", "train a model by a named recipe")
    parser.add_argument("recipe", nargs="?", metavar="RECIPE", help="name of the recipe, such as student-68")
    parser.add_argument("--list", action="store_true", help="list the recipes instead")
    parser.add_argument("--data", default="data", metavar="DIR", help="folder of the packs (default: data)")
    parser.add_argument("--out", metavar="DIR", help="folder of the run (default: runs/RECIPE)")
    parser.add_argument("--resume", metavar="DIR", help="go on with the run in DIR")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="default: auto")
    parser.add_argument(
        "--devices",
        type=_positive,
        metavar="N",
        help="processes that divide each batch, one a GPU (default: as torchrun says, otherwise 1)",
    )
    parser.add_argument(
        "--precision",
        choices=("auto", "32-true", "bf16-mixed", "64-true"),
        default="auto",
        help="of the network's body; points and losses stay float32 (default: auto, bf16-mixed where a GPU can)",
    )
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a field; repeatable")
    parser.add_argument(
        "--stop-with-stdin", action="store_true", help="save and end when standard input closes, as on Ctrl-C"
    )
    parser.set_defaults(verb="train")
    add_json(parser)


def _add_export(verbs: Verbs) -> None:
    parser = add_verb(verbs, "export", "training", "turn a checkpoint into a .tflite model with its card")
    parser.add_argument("checkpoint", metavar="CHECKPOINT", help="a .safetensors file out of a run's folder")
    parser.add_argument("--out", required=True, metavar="NAME", help="name of the model, or path of its file")
    parser.add_argument("--role", choices=("student", "teacher"), default="student", help="what its card calls it")
    parser.add_argument(
        "--int8", action="store_true", help="compute in int8 but for the head: faster on LiteRT; needs --data"
    )
    parser.add_argument(
        "--data",
        metavar="PACKS",
        help="folder of the packs that the run learned from; --int8 looks at their training faces",
    )
    parser.set_defaults(verb="export")
    add_json(parser)


def _positive(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _prepare_process() -> None:
    import cv2

    cv2.setNumThreads(1)  # one thread by default: two spin against each other on small machines


def _version() -> str:
    try:
        return version("understudy")
    except PackageNotFoundError:
        return "(not installed)"
