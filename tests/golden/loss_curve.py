"""Rewrite the golden loss curve: `python -m tests.golden.loss_curve`. Only after training was changed on purpose."""

import csv
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import torch

from tests.fakes.tiny_training import tiny_recipe, write_sample_pack
from trainer.run import run
from trainer.run_recorder import Intervals

STEPS = 50
FILE = Path(__file__).with_name("loss_curve.json")


def loss_curve(data: Path, out: Path) -> list[float]:
    """Return the loss at each of the first steps of the tiny recipe, trained on the packs in `data`."""
    recipe = replace(tiny_recipe(), steps=STEPS, batch=8, learning_rate=4e-3)
    run(recipe, data, out, "cpu", False, Intervals(validate_every=STEPS, checkpoint_every=STEPS, log_every=1))
    with (out / "train.csv").open(newline="", encoding="utf-8") as rows:
        return [float(row["total"]) for row in csv.DictReader(rows)]


if __name__ == "__main__":
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        write_sample_pack(Path(folder) / "faces")
        curve = loss_curve(Path(folder), Path(folder) / "run")
    FILE.write_text(json.dumps(curve) + "\n", encoding="utf-8")
