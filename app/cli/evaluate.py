"""`understudy evaluate`: a model, or the landmarks of any other tool, measured on a pack."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from app.cli.options import add_box, add_detector, add_flip, add_json, add_model, add_split
from app.cli.terminal import number, report, say, table
from engine.core.errors import UsageError
from engine.core.metrics import NORMALISERS, noted_ced
from engine.core.texts import reason
from engine.evaluation.curves import write_curves
from engine.evaluation.evaluate import FROM_FILE, Evaluation, Task, evaluate, evaluate_points
from engine.evaluation.eyes import CALIBRATION_SPLIT, EyeEvaluation, evaluate_eyes, has_eye_states
from engine.evaluation.files import protocol, row_values, summary, write_evaluation
from engine.evaluation.sheet import write_sheet
from engine.evaluation.tables import NORMALISER_TEXTS, faces_by_row, table_cells, table_heading, table_rows, title
from engine.formats.landmark_readers import assigned, read_predictions
from engine.formats.packs import read_pack
from engine.inference.card import Card, read_card, write_card
from engine.inference.detector import make_detector
from engine.inference.library import DEFAULT_MODEL, ModelLibrary

# What `--out` holds.
FILES = ("evaluation.json", "table.md", "table.csv", "ced.png", "worst.jpg")
PREDICTIONS = """\
landmarks of other tools (--predictions), 29, 68 or 98 points, in pixels counted from the centre of the top left one:
  .npz    arrays image (N,) and landmarks (N, K, 2)
  .jsonl  lines {"image": NAME, "landmarks": [[x, y], ...]}, or those of “understudy predict”
  .csv    columns image, x0, y0, x1, y1, ..., or those of “understudy predict”
The pictures need not be there. Faces without landmarks count as failures."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
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
    add_split(parser, example="test")
    parser.add_argument("--labels", default="landmarks", metavar="ARRAY", help="landmarks or landmarks_2d")
    parser.add_argument(
        "--normaliser",
        choices=NORMALISERS,
        default="eyes",
        help="what errors are percent of: distance of the outer eye corners, of the pupils, or the root of the area of "
        "the true box (default: eyes)",
    )
    add_flip(parser)
    add_box(parser, "truth")
    add_detector(parser)
    parser.add_argument("--out", metavar="DIR", help="write all figures, tables, the curve and the worst faces there")
    parser.add_argument("--save-to-card", action="store_true", help="note the result on the model's card")
    add_json(parser)


def main(options: argparse.Namespace) -> int:
    """Measure, report, write the files and, on request, note the result on the model's card.

    Raises:
        UsageError: the result is not of a kind that cards hold.
    """
    if has_eye_states(Path(options.data)):
        return _evaluate_eyes(options)
    if options.flip and options.predictions:
        raise UsageError(
            "--flip needs a model", "landmarks out of a file have no mirror image", "leave out --flip, or --predictions"
        )
    if options.save_to_card and (options.predictions or options.flip or options.normaliser != "eyes"):
        raise UsageError(
            "This result cannot be noted on a card",
            "cards hold results of models on single pictures, in percent of the distance of the outer eye corners",
            "leave out --save-to-card, or --predictions, --flip and --normaliser",
        )
    for name in FILES if options.out else ():
        options.guard.check(Path(options.out) / name, is_report=True)
    options.model = options.model or DEFAULT_MODEL
    evaluation = _evaluate_predictions(options) if options.predictions else _evaluate_model(options)
    report({**summary(evaluation), "rows": row_values(evaluation)}, _text(evaluation), options.json)
    if options.out:
        _write(evaluation, Path(options.out))
    if options.save_to_card:
        card_path = ModelLibrary().find(options.model).with_suffix(".json")
        _note(card_path, evaluation)
        say(f"Noted on {card_path}", error=True)
    return 0


def _evaluate_model(options: argparse.Namespace) -> Evaluation:
    landmarker = ModelLibrary().load(options.model)
    landmarker.flip = options.flip
    pack = read_pack(Path(options.data), options.split, options.labels)
    detector = make_detector(options.detector) if options.box == "detector" else None
    return evaluate(landmarker, pack, _task(options, landmarker.name, options.box), detector)


def _evaluate_predictions(options: argparse.Namespace) -> Evaluation:
    predictions = read_predictions(Path(options.predictions))
    pack = read_pack(Path(options.data), options.split, options.labels, need_pictures=False)
    task = _task(options, predictions.name, FROM_FILE)
    return evaluate_points(assigned(predictions, pack), predictions.scheme, pack, task)


def _evaluate_eyes(options: argparse.Namespace) -> int:
    """Measure how well closed eyes are told from open ones, and on request note it on the model's card."""
    if options.flip and options.save_to_card:
        raise UsageError(
            "What --flip measures cannot be noted on a card",
            "signals are read off single pictures, and so are the levels of the eyes on a card",
            "leave out --flip or --save-to-card",
        )
    given = {"--predictions": options.predictions, "--out": options.out, "--box": options.box != "truth",
             "--labels": options.labels != "landmarks", "--normaliser": options.normaliser != "eyes"}  # fmt: skip
    if unfit := [name for name, value in given.items() if value]:
        raise UsageError(
            f"{' and '.join(unfit)} cannot be used with {options.data}",
            "this pack says of its faces only whether their eyes are open, and where the boxes are",
            f"leave out {' and '.join(unfit)}",
        )
    library, model = ModelLibrary(), options.model or DEFAULT_MODEL
    landmarker = library.load(model)
    landmarker.flip = options.flip
    done = evaluate_eyes(landmarker, Path(options.data), options.split)
    text = (
        f"{done.model} on {done.data}, split {done.split}, {done.n} faces, {done.closed} with closed eyes\n"
        f"  AUC of the eye opening  {done.eyes_auc:.4f}\n"
        f"  median opening          {done.eyes_closed:.3f} closed, {done.eyes_open:.3f} open\n"
        f"  best cut                {done.eyes_cut:.3f}, right on {done.eyes_right:.1f} % (mean of both kinds)"
    )
    report(done.figures(), text, options.json)
    if options.save_to_card:
        _note_eyes(library.find(model).with_suffix(".json"), done)
    return 0


def _note_eyes(card_path: Path, done: EyeEvaluation) -> None:
    """Note what signals need to know of the model, of the split that is there for it; of others the result."""
    card = read_card(card_path)
    if done.split == CALIBRATION_SPLIT and f"{done.data} (weight" in card.data:
        raise UsageError(
            f"The eyes of {card.name} cannot be calibrated by this split of {done.data}",
            "it learned from most of these faces, and sees strangers' eyes less well",
            "export its run with --data PACKS, which takes the faces that no training sees",
        )
    if done.split != CALIBRATION_SPLIT:
        _write_metric(card_path, card, {name: value for name, value in done.figures().items() if name != "model"})
    else:
        try:
            write_card(card_path, replace(card, eyes=done.levels))
        except ValueError as error:
            raise UsageError(
                f"The eyes of {card.name} cannot be noted on its card ({reason(error)})",
                "this model does not see well enough whether eyes are closed",
                "leave out --save-to-card; its blinks mean nothing",
            ) from error
    say(f"Noted on {card_path}", error=True)


def _task(options: argparse.Namespace, model: str, box: str) -> Task:
    return Task(model, options.split or "all", options.labels, box, options.normaliser)


def _write(evaluation: Evaluation, folder: Path) -> None:
    """Write the folder of the evaluation, and say what had to be left out."""
    write_evaluation(evaluation, folder)
    groups = faces_by_row(evaluation.faces)
    curves = [(name, np.array([face.nme for face in faces])) for name, faces in groups.items()]
    unit = NORMALISER_TEXTS[evaluation.normaliser]
    left_out = {
        "ced.png": write_curves(folder / "ced.png", title(evaluation), unit, curves),
        "worst.jpg": write_sheet(folder / "worst.jpg", evaluation),
    }
    for name, remark in left_out.items():
        if remark:
            (folder / name).unlink(missing_ok=True)  # that of an earlier evaluation would contradict the tables
            say(remark, error=True)
    say(f"Written to {folder}", error=True)


def _note(card_path: Path, evaluation: Evaluation) -> None:
    """Put a result on the card in place of an older one of the same protocol."""
    values = summary(evaluation)
    noted = {
        name: value
        for name, value in values.items()
        if name not in ("model", "normaliser", "outside") and value is not None
    }
    curve = noted_ced(np.array([face.nme for face in evaluation.faces]))
    _write_metric(card_path, read_card(card_path), {**noted, "ced": curve, "protocol": protocol(evaluation)})


def _write_metric(card_path: Path, card: Card, metric: dict[str, Any]) -> None:
    same = ("data", "split", "labels", "box")
    others = [entry for entry in card.metrics if any(entry.get(name) != metric.get(name) for name in same)]
    write_card(card_path, replace(card, metrics=(*others, metric)))


def _text(evaluation: Evaluation) -> str:
    rows = table_rows(evaluation)
    unit = f" % of {NORMALISER_TEXTS[evaluation.normaliser]}"
    found = np.isfinite([face.nme for face in evaluation.faces]).sum()
    lines = [
        f"{title(evaluation)}, {evaluation.n} faces, {evaluation.points} points, boxes: {evaluation.box}",
        f"  NME      {number(evaluation.nme, 3, unit)} ({found} faces)",
        f"  NME box  {number(evaluation.nme_box, 3, ' % of the root of the box area')}",
        f"  FR10     {number(evaluation.fr10, 2, ' %')}",
        f"  AUC10    {number(evaluation.auc10, 4)}",
        f"  missed   {evaluation.missed} faces",
    ]
    if evaluation.outside:
        lines.append(
            f"  outside  {evaluation.outside} faces, labels outside their pictures: see “understudy data check”"
        )
    if evaluation.visibility_auc is not None:
        lines.append(f"  visible  {number(evaluation.visibility_auc, 4)} (AUC of the confidence on hidden points)")
    lines += ["", table([table_heading(rows), *table_cells(rows)])]
    return "\n".join(lines)
