"""What a face costs: `python -m tests.measure.scale_rates PICTURES`, a folder of pictures; the rates of docs/scale.md.

Printed are milliseconds of one core a picture or a face, and bytes a face, of labelling, packing and training. They are
processor time, so other work on the machine hardly changes them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from app.cli.terminal import report
from engine.formats.images import read_picture
from engine.inference.detector import make_detector
from engine.inference.library import ModelLibrary
from engine.inference.tracking import FaceTracker, TrackingSettings
from tests.measure.training_memory import write_pack
from trainer.augment import Augmenter, BatchShard
from trainer.data.crops import CROP_SCALE, cut_out, faces_to_cut, load_crops
from trainer.data.packing import pack_crops
from trainer.data.picture_sources import find_pictures
from trainer.data.pseudo_labels import find_labels
from trainer.init.initialise import make_network
from trainer.loop import draw_batch
from trainer.losses.total import landmark_loss
from trainer.recipes.overrides import trainings_by_name
from trainer.recipes.schema import PackChoice

MODELS = ("student-68", "teacher-tough-68")
RECIPES = ("student-68:base",)
FACES, STEPS, BATCH = 200, 2, 32


def milliseconds(work: Callable[[], Any]) -> float:
    """Return the processor time of a call."""
    start = time.process_time()
    work()
    return (time.process_time() - start) * 1e3


def label_rates(folder: Path, most: int) -> dict[str, float]:
    """Return what decoding a picture costs, and what the detector and each model cost with it, a picture."""
    paths = [path for _, path in find_pictures(folder, folder / "none")][:most]
    pictures = [read_picture(path) for path in paths]
    rates = {"decode": milliseconds(lambda: [read_picture(path) for path in paths]) / len(paths)}
    for name in MODELS:
        settings = TrackingSettings(None, thorough=True)
        tracker = FaceTracker(make_detector(), ModelLibrary().load(name), settings)
        find_labels(pictures[0], tracker)
        cost = milliseconds(lambda tracker=tracker: [find_labels(picture, tracker) for picture in pictures])
        rates[f"label by {name}"] = cost / len(paths)
    return rates


def pack_rates(place: Path) -> dict[str, float]:
    """Return what a face costs to cut and to read, and the bytes that it takes in a cache and as a label in memory."""
    write_pack(place / "data" / "many", FACES)
    choice = PackChoice("many", validation=True)
    rates = {"cut": milliseconds(lambda: list(cut_out(faces_to_cut(place / "data", choice, 192), 192))) / FACES}
    (written,) = pack_crops(place / "data", place / "cache", ["many"])
    crops = load_crops(place / "cache", (choice,))
    rates["read"] = milliseconds(lambda: crops.faces.select(torch.arange(FACES))) / FACES
    labels = sum(tensor.nbytes for name, tensor in vars(crops.faces).items() if name != "images")
    return {**rates, "bytes in the cache": written.bytes / FACES, "bytes of labels": labels / FACES}


def train_rates(place: Path) -> dict[str, float]:
    """Return what a face costs in a step of each recipe, on one thread, its augmentation aside and with it."""
    torch.set_num_threads(1)
    crops = load_crops(place / "cache", (PackChoice("many", validation=True),))
    rates = {}
    for name in RECIPES:
        (recipe,) = trainings_by_name(name, [f"batch={BATCH}"])
        network = make_network(recipe.network, "random", 0).train()
        mirror, size = tuple(range(68)), recipe.network.input_size
        augment = Augmenter(recipe.augmentation, mirror, recipe.crop_scale / CROP_SCALE, size)

        def draw(step: int, recipe: Any = recipe, augment: Augmenter = augment) -> Any:
            return draw_batch(crops, augment, recipe, step, torch.device("cpu"), BatchShard())

        def step(number: int, network: Any = network, recipe: Any = recipe, draw: Any = draw) -> None:
            batch = draw(number)
            images = batch.images.contiguous(memory_format=torch.channels_last)
            landmark_loss(network(images), batch, recipe.loss).total.backward()

        step(0)
        rates[f"draw {name}"] = (
            milliseconds(lambda draw=draw: [draw(number) for number in range(STEPS)]) / STEPS / BATCH
        )
        cost = milliseconds(lambda step=step: [step(number) for number in range(STEPS)])
        rates[f"train {name}"] = cost / STEPS / BATCH
    return rates


def main() -> int:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--most", type=int, default=100, help="pictures to label")
    parser.add_argument("--json", metavar="FILE|-")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        labels, packs = label_rates(options.pictures, options.most), pack_rates(Path(place))
        values = {**labels, **packs, **train_rates(Path(place))}
    report(values, "\n".join(f"{name:32} {value:10.2f}" for name, value in values.items()), options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
