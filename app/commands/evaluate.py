"""`understudy evaluate`: a model measured on a pack."""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from app.terminal import number, report, say
from engine.evaluation import Evaluation, evaluate
from engine.models.card import read_card, write_card
from engine.models.detector import make_detector
from engine.models.library import ModelLibrary
from engine.packs import read_pack

DIGITS = 4
FIGURES = (
    "NME and FR10 in percent of the distance of the outer eye corners over labelled points, nme_box of the square root "
    "of the true box's area"
)
CROPS = {
    "truth": "upright crop of the true box, then a level one where the head leans by over 15 degrees",
    "detector": "crop of the detector's box, level with its eyes, then one of the landmarks found",
}


def main(options: argparse.Namespace) -> int:
    """Measure, report, and note the result on the model's card where that was asked for."""
    library = ModelLibrary()
    landmarker = library.load(options.model)
    pack = read_pack(Path(options.data), options.split, options.labels)
    detector = make_detector(options.detector) if options.box == "detector" else None
    evaluation = evaluate(landmarker, pack, options.split, options.labels, options.box, detector)
    values = rounded(evaluation)
    report(values, _text(evaluation), options.json)
    if options.save_to_card:
        card_path = library.find(options.model).with_suffix(".json")
        _note(card_path, values)
        say(f"Noted on {card_path}", error=True)
    return 0


def rounded(evaluation: Evaluation) -> dict[str, Any]:
    """Return an evaluation as plain values with the digits that mean something."""
    values = asdict(evaluation)
    return {name: round(value, DIGITS) if isinstance(value, float) else value for name, value in values.items()}


def _note(card_path: Path, values: dict[str, Any]) -> None:
    """Put a result on the card in place of an older one of the same protocol."""
    card = read_card(card_path)
    same = ("data", "split", "labels", "box")
    others = [entry for entry in card.metrics if any(entry.get(name) != values[name] for name in same)]
    entry = {name: value for name, value in values.items() if name != "model" and value is not None}
    entry["protocol"] = f"{FIGURES}; {CROPS[values['box']]}"
    write_card(card_path, replace(card, metrics=(*others, entry)))


def _text(evaluation: Evaluation) -> str:
    lines = [
        f"{evaluation.model} on {evaluation.data}, split {evaluation.split}, {evaluation.n} faces, "
        f"{evaluation.points} points, boxes: {evaluation.box}",
        f"  NME      {number(evaluation.nme, 3, ' % of the eye distance')} ({evaluation.nme_faces} faces)",
        f"  NME box  {number(evaluation.nme_box, 3, ' % of the root of the box area')}",
        f"  FR10     {number(evaluation.fr10, 2, ' %')}",
        f"  AUC10    {number(evaluation.auc10, 4)}",
        f"  missed   {evaluation.missed} faces",
    ]
    if evaluation.visibility_auc is not None:
        lines.append(f"  visible  {number(evaluation.visibility_auc, 4)} (AUC of the confidence on hidden points)")
    return "\n".join(lines)
