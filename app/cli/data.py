"""`understudy data`: turn data sets into packs, check them and label them."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from textwrap import fill
from typing import Any

from app.cli.options import (
    Verbs,
    add_action,
    add_actions,
    add_json,
    add_max_faces,
    add_model,
    add_split,
    positive,
    require_packages,
)
from app.cli.outputs import add_overwrite
from app.cli.terminal import number, report, table
from engine.core.errors import UsageError
from engine.core.texts import parse_number
from engine.formats.images import write_picture
from engine.formats.landmark_readers import PREDICTION_SUFFIXES, read_predictions
from engine.formats.packs import is_pack
from engine.inference.landmarker import Landmarker
from engine.inference.library import ModelLibrary

WIDTH, INDENT = 100, 12  # letters, of the report of a check
MANUAL_POINTS = 68
KINDS = ("300w", "wflw", "cofw", "cofw68", "own")
PART = 1000  # pictures: a minute's work or a few
OF_PACKS, OF_PICTURES = ("largest_disagreement",), ("largest_spread", "max_faces", "part", "workers", "ray")
# Pixels a side of crops: as the trainer cuts them unless an input needs more, and more than any needs.
CROP_SIZE, LARGEST_CROP = 192, 1024
DERIVED = """\
The manual points are kept where the two markups coincide, and moved by the median difference of the markups elsewhere.
The proposal is bent along each contour to meet them and gives the other 30 points. Faces whose shape is none that real
faces have are left out. With fewer than 50 faces the markups cannot be compared, and all manual points are kept.

proposals: a model (NAME, or FILE with its card next to it), or what another tool found, as .npz, .jsonl or .csv
in one of the forms that “understudy evaluate --help” describes. What “understudy predict PACK” finds is meant for this
with --box truth and --as-labelled: of the labelled faces, and as far beside what they mark as labels lie."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands and their arguments."""
    actions = add_actions(parser)
    for add in (_add_import, _add_check, _add_label, _add_derive98, _add_shift, _add_pack):
        add(actions)
    for action in actions.choices.values():
        add_json(action)


def _add_import(actions: Verbs) -> None:
    parser = add_action(
        actions, "import", _import, "turn a data set in its official layout, or labels of your own, into a pack"
    )
    parser.add_argument("kind", choices=KINDS, metavar="KIND", help=f"which data set: {', '.join(KINDS)}")
    parser.add_argument(
        "root",
        metavar="ROOT",
        help="folder of the data set as it was unpacked; of kind own, a folder of pictures, and those inside it, with "
        "NAME.pts beside each or a table landmarks.csv; faces in folders called test are split off",
    )
    parser.add_argument("--out", required=True, metavar="PACK", help="folder of the pack; must not hold one yet")


def _add_check(actions: Verbs) -> None:
    parser = add_action(actions, "check", _check, "check a pack before training on it")
    parser.add_argument("pack", metavar="PACK", help="folder with annotations.npz, of any markup")
    parser.add_argument("--sheet", metavar="FILE.png", help="draw 48 faces with their landmarks, the doubtful first")
    add_overwrite(parser)


def _add_label(actions: Verbs) -> None:
    text = "let a model label the faces of pictures, or those of which only five points are known"
    parser = add_action(actions, "label", _label, text)
    parser.add_argument(
        "source",
        metavar="SOURCE",
        help="folder of pictures, searched with the folders inside it; a picture; a text file with the path of a "
        "picture in each line; or a pack with five points a face, which check the labels",
    )
    add_model(parser)
    parser.add_argument(
        "--out",
        required=True,
        metavar="PACK",
        help="folder of the new pack; from pictures, one that was begun with the same command goes on",
    )
    parser.add_argument(
        "--largest-disagreement",
        type=_percent,
        metavar="PERCENT",
        help="of packs: mean distance from the five points, in percent of the eye distance, above which a face is left "
        "out (default: 10)",
    )
    pictures = parser.add_argument_group("pictures")
    pictures.add_argument(
        "--largest-spread",
        type=_percent,
        metavar="PERCENT",
        help="mean distance between the points in the picture and in its mirror image, in percent of the root of the "
        "landmark box's area, above which a face is left out (default: 3)",
    )
    add_max_faces(pictures)
    _add_workers(pictures)
    text = "work on a Ray cluster (extra “scale”) whose machines share the files, or on one of this machine"
    pictures.add_argument("--ray", metavar="HOST:PORT|local", help=text)
    text = f"pictures that are finished together, and kept whatever happens then (default: {PART})"
    pictures.add_argument("--part", type=positive, metavar="N", help=text)


def _add_workers(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--workers", type=positive, metavar="N", help="processes of this machine (default: 1)")


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
    add_split(parser, "train")
    parser.add_argument("--labels", default="landmarks", metavar="ARRAY", help="landmarks or landmarks_2d")


def _add_shift(actions: Verbs) -> None:
    text = "measure how far a pack's labels lie beside what they mark, for the field label_shift of a training's packs"
    parser = add_action(actions, "shift", _shift, text)
    parser.add_argument("pack", metavar="PACK", help="folder with annotations.npz")
    add_model(parser)
    add_split(parser, example="train")
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
    _add_workers(parser)


def _import(options: argparse.Namespace) -> int:
    require_packages(("h5py", "scipy", "tqdm"))
    from trainer.data.importing.importer import import_dataset

    done = import_dataset(options.kind, Path(options.root), Path(options.out), progress=True)
    text = f"{done.pack} holds {done.faces} faces of {done.title} in {done.pictures} pictures: {_counts(done.parts)}."
    if done.official and done.parts != done.official:
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
    of_pack = is_pack(Path(options.source))
    for name in OF_PICTURES if of_pack else OF_PACKS:
        if getattr(options, name) is not None:
            raise UsageError(
                f"--{name.replace('_', '-')} does not apply here",
                f"it is for {'pictures' if of_pack else 'packs'}; {options.source} is {'a' if of_pack else 'no'} pack",
                "leave it out",
            )
    return _label_pack(options) if of_pack else _label_pictures(options)


def _label_pack(options: argparse.Namespace) -> int:
    from trainer.data.labelling import LARGEST_DISAGREEMENT, label_pack

    landmarker = ModelLibrary().load(options.model)
    landmarker.as_labelled = True  # its points join those of annotators
    limit = options.largest_disagreement or LARGEST_DISAGREEMENT
    done = label_pack(Path(options.source), landmarker, Path(options.out), limit, progress=True)
    text = (
        f"{done.pack} holds {done.kept} of {done.faces} faces, landmarks by {done.model}.\n"
        f"Distance from the five points: median {number(done.median, 2, ' %')}, "
        f"9 of 10 faces below {number(done.p90, 2, ' %')} of the eye distance.\n"
        f"Left out: {done.disagreeing} above {limit:g} %, {done.incomplete} without all five points."
    )
    report(asdict(done), text, options.json)
    return 0


def _label_pictures(options: argparse.Namespace) -> int:
    from trainer.data.label_parts import LARGEST_SPREAD, LabelSettings
    from trainer.data.picture_labels import UNREADABLE, label_pictures
    from trainer.data.processes import in_order, on_ray

    workers = options.workers or 1
    runner = (
        partial(on_ray, address=options.ray, workers=workers) if options.ray else partial(in_order, workers=workers)
    )
    settings = LabelSettings(options.largest_spread or LARGEST_SPREAD, options.max_faces)
    model, out = ModelLibrary().find(options.model), Path(options.out)
    done = label_pictures(Path(options.source), model, out, settings, options.part or PART, runner, progress=True)
    text = (
        f"{done.pack} holds {done.kept} of {done.faces} faces in {done.pictures} pictures, landmarks by {done.model}.\n"
        f"The view and its mirror image differ by {number(done.median_spread, 2, ' %')} of the box in the median; "
        f"{done.uncertain} faces above {settings.largest_spread:g} % were left out.\n"
        f"Pictures without a face: {done.without_face}. {done.parts_made} of {done.parts} parts were made now."
    )
    if done.unreadable:
        text += f"\nPictures that cannot be read: {done.unreadable}; {out / UNREADABLE} says why."
    report(asdict(done), text, options.json)
    return 0


def _derive98(options: argparse.Namespace) -> int:
    require_packages(("tqdm",))
    from trainer.data.derived98 import derive_pack

    # Names of models may have dots in them.
    of_tool = Path(options.proposal).suffix.lower() in PREDICTION_SUFFIXES
    proposal = read_predictions(Path(options.proposal)) if of_tool else ModelLibrary().load(options.proposal)
    if isinstance(proposal, Landmarker):
        proposal.as_labelled = True  # it is bent to points of annotators
    pack, shapes, out = Path(options.pack), Path(options.shapes), Path(options.out)
    done = derive_pack(pack, proposal, shapes, out, options.split, options.labels, progress=True)
    report(asdict(done), _derivation_text(done), options.json)
    return 0


def _shift(options: argparse.Namespace) -> int:
    require_packages(("tqdm",))
    from trainer.data.label_shift import measure_pack_shift

    landmarker, pack = ModelLibrary().load(options.model), Path(options.pack)
    done = measure_pack_shift(pack, landmarker, options.split, options.labels, progress=True)
    record = {"name": pack.absolute().name, "split": options.split, "label_shift": round(done.label_shift, 2)}
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
    from trainer.recipes.arguments import check_data

    check_data(Path(options.data))
    from trainer.data.packing import pack_crops

    data, out, workers = Path(options.data), Path(options.out), options.workers or 1
    written = pack_crops(data, out, options.packs, True, options.crop_size, workers)
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
    if not (text.isascii() and text.isdecimal()) or not CROP_SIZE <= int(text) <= LARGEST_CROP:
        raise argparse.ArgumentTypeError(f"must be a whole number from {CROP_SIZE} to {LARGEST_CROP}")
    return int(text)


def _percent(text: str) -> float:
    try:
        number = parse_number(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError("must be a number above 0")
    return number
