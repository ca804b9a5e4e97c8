"""Rewrite the record of how slow models do, face by face: `python -m tests.golden.slow_models DATA`.

Only after one of them, or a pack below DATA, was changed on purpose. To measure the figures of their cards takes
minutes: tests compare the cards with this record, and measure it again on a part of the faces.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.evaluation.evaluate import Task, evaluate
from engine.evaluation.label_shift import FACES, LabelShift, measure_label_shift
from engine.formats.packs import Pack, read_pack
from engine.inference.landmarker import Landmarker
from engine.inference.library import ModelLibrary

FILE = Path(__file__).with_name("slow_models.json")
# The models, and on how many faces the label shift on their cards was measured.
TEACHERS = "teacher-swinv2-68", "teacher-star-68", "teacher-68", "teacher-tough-68", "teacher-tolerant-68"
SLOW = dict.fromkeys(TEACHERS, FACES)
EVERY = 8  # one of so many faces is measured again


def read_noted(noted: dict[str, Any], data: Path) -> Pack:
    """Return the pack of a figure on a card."""
    return read_pack(data / noted["data"], None if noted["split"] == "all" else noted["split"], noted["labels"])


def some_of(pack: Pack) -> Pack:
    """Return the pack with the faces that are measured again."""
    return replace(pack, faces=pack.faces[::EVERY])


def errors(landmarker: Landmarker, pack: Pack, noted: dict[str, Any]) -> dict[str, list[float]]:
    """Return both errors of each face in percent, measured in the true boxes as a figure on the card."""
    measured = evaluate(landmarker, pack, Task(landmarker.card.name, noted["split"], noted["labels"]), None)
    return {name: [round(float(getattr(face, name)), 3) for face in measured.faces] for name in ("nme", "nme_box")}


def label_shift(landmarker: Landmarker, data: Path, most: int) -> LabelShift:
    """Return the label shift on at most so many training faces of 300-W."""
    return measure_label_shift(
        landmarker, [read_pack(data / pack, "train") for pack in ("lfpw68", "helen68", "afw68")], most
    )


def write(data: Path) -> None:
    """Measure everything, and write the record after each model."""
    record: dict[str, Any] = {}
    for name, most in SLOW.items():
        landmarker = ModelLibrary().load(name)
        figures = [noted for noted in landmarker.card.metrics if "eyes_auc" not in noted]
        record[name] = {
            "errors": {noted["data"]: errors(landmarker, read_noted(noted, data), noted) for noted in figures},
            "shift": vars(label_shift(landmarker, data, most)),
            "shift of some": label_shift(landmarker, data, most // EVERY).shift,
        }
        FILE.write_text(json.dumps(record) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
