"""`understudy data`: turn data sets into packs, check them and label them."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from textwrap import fill
from typing import Any

from app.cli.options import Verbs, add_action, add_actions, add_json, add_model, require_packages
from app.cli.outputs import add_overwrite
from app.cli.terminal import number, report, table
from engine.formats.images import write_picture
from engine.formats.landmark_readers import read_predictions
from engine.inference.library import ModelLibrary

WIDTH, INDENT = 100, 12  # letters, of the report of a check
MANUAL_POINTS = 68
KINDS = ("300w", "wflw", "cofw", "cofw68")
# Percent of the eye distance. On faces5, student-68 differs by 3.9 in the median, of which about 3 are a difference of
# definition: people put the centre of an eye higher than the mean of its outline. Up to 10 the landmarks look right;
# between 7 and 10 are mostly turned heads, whose eyes appear close together. Beyond are 0.6 % of the faces.
LARGEST_DISAGREEMENT = 10.0
# Pixels a side of crops: as the trainer cuts them unless an input needs more, and more than any needs.
CROP_SIZE, LARGEST_CROP = 192, 1024
DERIVED = """\
The manual points are kept where the two markups coincide, and moved by the median difference of the markups elsewhere.
The proposal is bent along each contour to meet them and gives the other 30 points. Faces whose shape is none that real
faces have are left out. With fewer than 50 faces the markups cannot be compared, and all manual points are kept.

proposals: a model (NAME, or FILE.tflite with its card next to it), or what another tool found, as .npz, .jsonl or .csv
in one of the forms that “understudy evaluate --help” describes."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands and their arguments."""
    actions = add_actions(parser)
    for add in (_add_import, _add_check, _add_label, _add_derive98, _add_shift, _add_pack):
        add(actions)
    for action in actions.choices.values():
        add_json(action)


def _add_import(actions: Verbs) -> None:
    parser = add_action(actions, "import", _import, "turn a data set in its official layout into a pack")
    parser.add_argument("kind", choices=KINDS, metavar="KIND", help=f"which data set: {', '.join(KINDS)}")
    parser.add_argument("root", metavar="ROOT", help="folder of the data set as it was unpacked")
    parser.add_argument("--out", required=True, metavar="PACK", help="folder of the pack; must not hold one yet")


def _add_check(actions: Verbs) -> None:
    parser = add_action(actions, "check", _check, "check a pack before training on it")
    parser.add_argument("pack", metavar="PACK", help="folder with annotations.npz, of any markup")
    parser.add_argument("--sheet", metavar="FILE.png", help="draw 48 faces with their landmarks, the doubtful first")
    add_overwrite(parser)


def _add_label(actions: Verbs) -> None:
    parser = add_action(actions, "label", _label, "let a model label faces of which only five points are known")
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


def _add_derive98(actions: Verbs) -> None:
    text = "turn a pack of 68 manual points into one of 98 with the help of proposals"
    parser = add_action(actions, "derive98", _derive98, text)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = DERIVED
    parser.add_argument("pack", metavar="PACK", help="pack with the 68 points of iBUG")
    text = "98 points: a model, or a file with landmarks of its faces"
    parser.add_argument("--proposal", required=True, metavar="NAME|FILE", help=text)
    text = "real 98-point shapes, landmarks (N, 98, 2)"
    parser.add_argument("--shapes", required=True, metavar="FILE.npz", help=text)
    parser.add_argument("--out", required=True, metavar="PACK2", help="folder of the new pack; must not hold one yet")
    parser.add_argument("--split", default="train", metavar="S", help="part of the pack (default: train)")
    parser.add_argument("--labels", default="landmarks", metavar="ARRAY", help="landmarks or landmarks_2d")


def _add_shift(actions: Verbs) -> None:
    text = "measure how far a pack's labels lie beside what they mark, for the field label_shift of a training's packs"
    parser = add_action(actions, "shift", _shift, text)
    parser.add_argument("pack", metavar="PACK", help="folder with annotations.npz")
    add_model(parser)
    parser.add_argument("--split", metavar="S", help="part of the pack, such as train (default: every face)")
    parser.add_argument("--labels", default="landmarks", metavar="ARRAY", help="landmarks or landmarks_2d")


def _add_pack(actions: Verbs) -> None:
    text = "cut the faces of packs out once, so that training starts without decoding"
    parser = add_action(actions, "pack", _pack, text)
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


def _import(options: argparse.Namespace) -> int:
    require_packages(("h5py", "scipy", "tqdm"))
    from trainer.data.importing.importer import import_dataset

    done = import_dataset(options.kind, Path(options.root), Path(options.out), progress=True)
    text = f"{done.pack} holds {done.faces} faces of {done.title} in {done.pictures} pictures: {_counts(done.parts)}."
    if done.parts != done.official:
        text += f"\nThe complete data set has {_counts(done.official)}: this is another edition, or a part of it."
    report(asdict(done), text, options.json)
    return 0


def _counts(parts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {part}" for part, count in parts.items())


def _check(options: argparse.Namespace) -> int:
    require_packages(("tqdm",))
    from trainer.data.checking import check_pack, report_values, suspicious_first
    from trainer.data.contact_sheet import contact_sheet

    check = check_pack(Path(options.pack), progress=True)
    values = report_values(check)
    if options.sheet:
        write_picture(Path(options.sheet), contact_sheet(suspicious_first(check)))
    report(values, _check_text(values), options.json)
    return 0 if check.sound else 1


def _label(options: argparse.Namespace) -> int:
    require_packages(("tqdm",))
    from trainer.data.labelling import label_pack

    landmarker = ModelLibrary().load(options.model)
    limit = options.largest_disagreement
    done = label_pack(Path(options.pack), landmarker, Path(options.out), limit, progress=True)
    text = (
        f"{done.pack} holds {done.kept} of {done.faces} faces, landmarks by {done.model}.\n"
        f"Distance from the five points: median {number(done.median, 2, ' %')}, "
        f"9 of 10 faces below {number(done.p90, 2, ' %')} of the eye distance.\n"
        f"Left out: {done.disagreeing} above {limit:g} %, {done.incomplete} without all five points."
    )
    report(asdict(done), text, options.json)
    return 0


def _derive98(options: argparse.Namespace) -> int:
    require_packages(("tqdm",))
    from trainer.data.derived98 import derive_pack

    # A path without an ending is the name of a model.
    of_model = Path(options.proposal).suffix.lower() in ("", ".tflite")
    proposal = ModelLibrary().load(options.proposal) if of_model else read_predictions(Path(options.proposal))
    pack, shapes, out = Path(options.pack), Path(options.shapes), Path(options.out)
    done = derive_pack(pack, proposal, shapes, out, options.split, options.labels, progress=True)
    report(asdict(done), _derivation_text(done), options.json)
    return 0


def _shift(options: argparse.Namespace) -> int:
    require_packages(("tqdm",))
    from trainer.data.label_shift import measure_label_shift

    landmarker, pack = ModelLibrary().load(options.model), Path(options.pack)
    done = measure_label_shift(pack, landmarker, options.split, options.labels, progress=True)
    record = {"name": pack.resolve().name, "split": options.split, "label_shift": round(done.label_shift, 2)}
    if options.labels != "landmarks":
        record["labels"] = options.labels
    text = (
        f"The labels of {done.pack} lie {done.label_shift:+.2f} pixels to the right of what they mark "
        f"(95 %: {done.low:+.2f} to {done.high:+.2f}, {done.faces} faces, by {done.model}).\n"
        f"Write it so: --set 'packs=[{json.dumps(record)}]'"
    )
    report(asdict(done), text, options.json)
    return 0


def _pack(options: argparse.Namespace) -> int:
    require_packages(("safetensors", "torch", "tqdm"))
    from trainer.data.packing import pack_crops

    written = pack_crops(Path(options.data), Path(options.out), options.packs, True, options.crop_size)
    rows = [(done.file.name, done.faces, number(done.bytes / 1e6, 0)) for done in written]
    text = (
        f"{table([('file', 'faces', 'MB'), *rows])}\nTrain on them with “understudy train RECIPE --data {options.out}”."
    )
    report({"files": [asdict(done) for done in written]}, text, options.json)
    return 0


def _check_text(values: Mapping[str, Any]) -> str:
    """Return the report of a check (see `trainer.data.checking.report_values`) for people."""
    lines = [f"{values['pack']}: {values['faces']} faces in {values['pictures']} pictures", ""]
    lines += [table([("split", "use", "faces"), *(tuple(row.values()) for row in values["parts"])]), ""]
    rows = [(row["array"], row["points"], row["unlabelled"]) for row in values["labels"]]
    lines += [table([("labels", "points", "without a label"), *rows]), ""]
    for finding in values["findings"]:
        sign = "WRONG" if finding["error"] else "doubtful"
        lines.append(fill(finding["text"], WIDTH, initial_indent=sign.ljust(INDENT), subsequent_indent=" " * INDENT))
    if not values["sound"]:
        verdict = "A training would suffer from what is wrong: correct it or leave these faces out."
    else:
        verdict = "Nothing is wrong; look at what is doubtful." if values["findings"] else "Nothing is wrong."
    return "\n".join([*lines, verdict])


def _derivation_text(done: Any) -> str:
    """Return the report of a `trainer.data.derived98.Derivation` for people."""
    moved = MANUAL_POINTS - done.coinciding
    if moved:
        markups = (
            f"The markups coincide in {done.coinciding} of the {MANUAL_POINTS} manual points; the other {moved} "
            f"were moved. Mean over all: {number(done.shift, 2, ' %')} of the eye distance."
        )
    else:
        markups = f"All {MANUAL_POINTS} manual points were kept where they are."
    return (
        f"{done.pack} holds {done.kept} of {done.faces} faces, 98 points proposed by "
        f"{done.proposal}.\n{markups}\n"
        f"Distance of the proposals from the manual points: median {number(done.disagreement, 2, ' %')} of the "
        "root of the box's area.\n"
        f"Left out: {done.without_proposal} without a proposal, {done.sparse} with too few manual points, "
        f"{done.implausible} of a shape that real faces do not have."
    )


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
