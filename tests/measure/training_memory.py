"""What memory faces take: `python -m tests.measure.training_memory --faces 20000`.

Faces of a few rendered pictures are packed into a crop cache, loaded as a training does, split, and drawn. Printed is
by how many megabytes each of these raises the peak of the process, beside the size of the cache. Without parts that are
read on demand, packing and loading would each need the whole of it.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from app.cli.terminal import report
from engine.core.schemes import IBUG_68
from tests.fakes.tiny_training import tiny_recipe, write_sample_pack
from trainer.augment import Augmenter, BatchShard
from trainer.data import crops
from trainer.data.crops import load_crops, split_validation
from trainer.data.packing import pack_crops
from trainer.loop import draw_batch
from trainer.recipes.schema import PackChoice

PICTURES, BATCHES = 6, 20


def peak() -> float:
    """Return the largest resident memory of this process so far, in MB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def write_pack(folder: Path, faces: int) -> None:
    """Write a pack of as many faces, each in one of a few pictures, its landmarks moved a little."""
    write_sample_pack(folder, PICTURES)
    with np.load(folder / "annotations.npz") as arrays:
        chosen = np.arange(faces) % PICTURES
        moved = np.random.default_rng(0).uniform(-4, 4, (faces, 1, 2)).astype(np.float32)
        values = {"image": arrays["image"][chosen], "landmarks": arrays["landmarks"][chosen] + moved}
    np.savez(folder / "annotations.npz", **values, split=np.full(faces, "train"))


def measure(faces: int, part_mb: float) -> dict[str, float]:
    """Return the size of the cache and by how much each step raises the peak, in MB."""
    recipe = tiny_recipe()
    augment = Augmenter(recipe.augmentation, IBUG_68.mirror, 1.3 / crops.CROP_SCALE, recipe.network.input_size)
    grown: dict[str, float] = {}

    def step(name: str, work: Callable[[], Any]) -> Any:
        before = peak()
        result = work()
        grown[name] = round(peak() - before, 1)
        return result

    with tempfile.TemporaryDirectory() as place:
        data, cache = Path(place) / "data", Path(place) / "cache"
        write_pack(data / "few", 2 * recipe.batch)
        write_pack(data / "many", faces)
        crops.LARGEST_PART = int(part_mb * 1e6)
        choice = {name: PackChoice(name, validation=True) for name in ("few", "many")}

        def draw(crop_set: crops.CropSet) -> None:
            for number in range(BATCHES):
                draw_batch(crop_set, augment, recipe, number, torch.device("cpu"), BatchShard())

        # What the libraries take when they are used first is not counted.
        pack_crops(data, cache, ["few"])
        draw(load_crops(cache, (choice["few"],)))
        (written,) = step("pack", lambda: pack_crops(data, cache, ["many"]))
        loaded = step("load", lambda: load_crops(cache, (choice["many"],)))
        training, _, _ = step("split", lambda: split_validation(loaded, 20))
        step("draw", lambda: draw(training))
    return {"faces": faces, "cache": round(written.bytes / 1e6, 1), "part": part_mb, **grown}


def main() -> int:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, default=20_000)
    parser.add_argument("--part", type=float, default=crops.LARGEST_PART / 1e6, metavar="MB")
    parser.add_argument("--json", metavar="FILE|-")
    options = parser.parse_args()
    values = measure(options.faces, options.part)
    report(values, "\n".join(f"{name:6} {value:10.1f}" for name, value in values.items()), options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
