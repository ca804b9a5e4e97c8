"""The arguments of `understudy data`: one function a subcommand."""

from __future__ import annotations

import argparse
import math

from app.cli.options import Verbs, add_json, add_model, add_verb

KINDS = ("300w", "wflw", "cofw", "cofw68")
# Percent of the eye distance. On faces5, student-68 differs by 3.9 in the median, of which about 3 are a difference of
# definition: people put the centre of an eye higher than the mean of its outline. Up to 10 the landmarks look right;
# between 7 and 10 are mostly turned heads, whose eyes stand close together. Beyond are 0.6 % of the faces.
LARGEST_DISAGREEMENT = 10.0
# Pixels a side of crops: as the trainer cuts them unless an input needs more, and more than any needs.
CROP_SIZE, LARGEST_CROP = 192, 1024
DERIVED = """\
The manual points are kept where the two markups coincide, and moved by the median difference of the markups elsewhere.
The proposal is bent along each contour to meet them and gives the other 30 points. Faces whose shape is none that real
faces have are left out. With fewer than 50 faces the markups cannot be compared, and all manual points are kept.

proposals: a model (NAME, or FILE.tflite with its card beside it), or what another tool found, as .npz, .jsonl or .csv
in one of the forms that “understudy evaluate --help” describes."""


def add_data(verbs: Verbs) -> None:
    """Add the verb `data` with its subcommands."""
    parser = add_verb(verbs, "data", "data", "turn data sets into packs and look after them")
    actions = parser.add_subparsers(title="subcommands", metavar="SUBCOMMAND", required=True, dest="action")
    _add_import(actions)
    _add_check(actions)
    _add_label(actions)
    _add_derive98(actions)
    _add_pack(actions)


def _add_import(actions: Verbs) -> None:
    parser = add_verb(actions, "import", "data", "turn a data set in its official layout into a pack")
    parser.add_argument("kind", choices=KINDS, metavar="KIND", help=f"which data set: {', '.join(KINDS)}")
    parser.add_argument("root", metavar="ROOT", help="folder of the data set as it was unpacked")
    parser.add_argument("--out", required=True, metavar="PACK", help="folder of the pack; must not hold one yet")
    add_json(parser)


def _add_check(actions: Verbs) -> None:
    parser = add_verb(actions, "check", "data", "look a pack over before a training rests on it")
    parser.add_argument("pack", metavar="PACK", help="folder with annotations.npz, of any markup")
    parser.add_argument("--sheet", metavar="FILE.png", help="draw 48 faces with their landmarks, the doubtful first")
    add_json(parser)


def _add_label(actions: Verbs) -> None:
    parser = add_verb(actions, "label", "data", "let a model label faces of which only five points are known")
    parser.add_argument("pack", metavar="PACK", help="pack with five points a face, which check the labels")
    add_model(parser)
    parser.add_argument("--out", required=True, metavar="PACK2", help="folder of the new pack; must not hold one yet")
    parser.add_argument(
        "--largest-disagreement",
        type=_percent,
        default=LARGEST_DISAGREEMENT,
        metavar="PERCENT",
        help="mean distance from the five points, in percent of the eye distance, above which a face is left out "
        f"(default: {LARGEST_DISAGREEMENT:g})",
    )
    add_json(parser)


def _add_derive98(actions: Verbs) -> None:
    text = "turn a pack of 68 manual points into one of 98 with the help of proposals"
    parser = add_verb(actions, "derive98", "data", text)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = DERIVED
    parser.add_argument("pack", metavar="PACK", help="pack with the 68 points of iBUG")
    parser.add_argument(
        "--proposal",
        required=True,
        metavar="NAME|FILE",
        help="98 points: a model, or a file with landmarks of its faces",
    )
    parser.add_argument(
        "--shapes", required=True, metavar="FILE.npz", help="real 98-point shapes, landmarks (N, 98, 2)"
    )
    parser.add_argument("--out", required=True, metavar="PACK2", help="folder of the new pack; must not hold one yet")
    parser.add_argument("--split", default="train", metavar="S", help="part of the pack (default: train)")
    parser.add_argument("--labels", default="landmarks", metavar="ARRAY", help="landmarks or landmarks_2d")
    add_json(parser)


def _add_pack(actions: Verbs) -> None:
    parser = add_verb(
        actions, "pack", "data", "cut the faces of packs out once, so that training starts without decoding"
    )
    parser.add_argument(
        "packs", nargs="*", metavar="PACK", help="names of packs in DIR (default: all that recipes use)"
    )
    parser.add_argument("--data", default="data", metavar="DIR", help="folder of the packs (default: data)")
    parser.add_argument("--out", required=True, metavar="DIR2", help="folder of the crops, for “train --data DIR2”")
    parser.add_argument(
        "--crop-size",
        type=_pixels,
        default=CROP_SIZE,
        metavar="PX",
        help="side of the crops in pixels; an input of 160 px needs 222, one of 192 px 266, one of 256 px 355 "
        f"(default: {CROP_SIZE}, for inputs up to 138 px)",
    )
    add_json(parser)


def _pixels(text: str) -> int:
    if not text.isdecimal() or not CROP_SIZE <= int(text) <= LARGEST_CROP:
        raise argparse.ArgumentTypeError(f"must be a whole number from {CROP_SIZE} to {LARGEST_CROP}")
    return int(text)


def _percent(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError("must be a number above 0")
    return number
