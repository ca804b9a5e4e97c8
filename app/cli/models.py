"""`understudy models`: the available models, what `models shift` finds out about one, and `models add`."""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from app.cli.model_adding import add_model_file
from app.cli.options import add_action, add_json, add_split
from app.cli.outputs import add_overwrite
from app.cli.terminal import number, report, say, table
from engine.evaluation.label_shift import SHIFT_DIGITS, measure_label_shift
from engine.formats.packs import read_pack
from engine.inference.card import write_card
from engine.inference.library import ModelEntry, ModelLibrary


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb and of its subcommand."""
    add_json(parser)
    actions = parser.add_subparsers(title="subcommands", metavar="SUBCOMMAND")
    shift = add_action(actions, "shift", _shift, "measure how far a model's points lie beside what they mark")
    shift.add_argument("model", metavar="NAME|FILE", help="landmark model")
    shift.add_argument("--data", required=True, nargs="+", metavar="PACK", help="packs of faces that it learned from")
    add_split(shift, "train")
    shift.add_argument("--labels", default="landmarks", metavar="ARRAY", help="landmarks or landmarks_2d")
    shift.add_argument("--save-to-card", action="store_true", help="note it on the model's card")
    add_json(shift)
    add = add_action(actions, "add", add_model_file, "add a model from elsewhere, with a card found by trying")
    add.add_argument("file", metavar="FILE", help="a .tflite or .onnx file")
    add.add_argument("--name", metavar="N", help="what it is called here (default: as the file)")
    add.add_argument("--card", metavar="CARD", help="a card of your own, which is measured and not changed")
    add.add_argument("--data", metavar="PACK", help="try it on faces of a pack (default: on the sample)")
    add_split(add, "train")
    add.add_argument("--yes", action="store_true", help="save without a question")
    add_overwrite(add)
    add_json(add)


def main(options: argparse.Namespace) -> int:
    """List the models; damaged ones with the reason."""
    entries = ModelLibrary().entries()
    values = [
        {"name": entry.name, "file": entry.path, "card": entry.card and asdict(entry.card), "error": entry.error}
        for entry in entries
    ]
    report({"models": values}, _text(entries), options.json)
    return 0


def _shift(options: argparse.Namespace) -> int:
    library = ModelLibrary()
    landmarker = library.load(options.model)
    found = measure_label_shift(
        landmarker, [read_pack(Path(pack), options.split, options.labels) for pack in options.data]
    )
    text = (
        f"Label shift of {landmarker.card.name}: {found.shift:+.3%} of the crop side, from {found.faces} faces "
        f"(on its card: {landmarker.card.label_shift:+.3%}).\n"
        f"Points on pictures and on their mirror images differ in x by {found.as_labelled:+.2f} % of the eye distance "
        f"as labelled, and by {found.on_picture:+.2f} % where the card's shift is taken off."
    )
    report({"model": landmarker.card.name, **asdict(found)}, text, options.json)
    if options.save_to_card:
        card_path = library.find(options.model).with_suffix(".json")
        write_card(card_path, replace(landmarker.card, label_shift=round(found.shift, SHIFT_DIGITS)))
        say(f"Noted on {card_path}", error=True)
    return 0


def _text(entries: list[ModelEntry]) -> str:
    if not entries:
        return "No model was found."
    rows: list[tuple[object, ...]] = [("model", "role", "points", "size", "NME", "on", "licence")]
    problems = []
    for entry in entries:
        card = entry.card
        if entry.error is not None or card is None:
            problems.append(f"{entry.name} cannot be used. {entry.error}")
            continue
        metric: dict[str, Any] = card.metrics[0] if card.metrics else {}
        data = f"{metric.get('data', '?')} {metric.get('split', '')}" if metric else None
        size = f"{card.bytes / 1e6:.2f} MB"
        licence = card.licence.partition(":")[0]
        rows.append((entry.name, card.role, card.scheme, size, number(metric.get("nme"), 2, " %"), data, licence))
    return "\n".join([table(rows), *problems])
