"""Images a second of a recipe's stage in two checkouts, in turns: `python -m tests.measure.training_speed OLD NEW`.

Each turn is a process of its own that trains a few steps from random weights on frames of the sample, without teachers.
Nothing else should run meanwhile; where it does, `--processor-time --threads 1` counts only the time that a turn had.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

WARM_UP = 3  # steps
CHILD = """
import sys, time
from dataclasses import replace
from pathlib import Path
import torch
from tests.fakes.tiny_training import write_sample_pack
from trainer import loop
from trainer.recipes.overrides import trainings_by_name
from trainer.recipes.schema import PackChoice
from trainer.run import run
from trainer.run_recorder import Intervals

name, stage, folder = *sys.argv[1:3], Path(sys.argv[3])
steps, threads, warm = map(int, sys.argv[4:7])
clock = getattr(time, sys.argv[7])
torch.set_num_threads(threads)
packs = folder / "packs"
if not packs.exists():
    write_sample_pack(packs / "faces")
chosen = trainings_by_name(name, stage=None if stage == "first" else stage)[0]
chosen = replace(chosen, init="random", packs=(PackChoice("faces", split=None, validation=True),), hold_out=8)
kd = replace(chosen.loss.kd, point_distillation_weight=0.0)
chosen = replace(chosen, steps=steps, teachers=(), live=False, loss=replace(chosen.loss, kd=kd))
if getattr(chosen, "teacher_mean", None):
    chosen = replace(chosen, teacher_mean=None)
times, draw = [], loop.draw_batch
loop.draw_batch = lambda *rest: times.append(clock()) or draw(*rest)
run(chosen, packs, folder / f"run-{time.time_ns()}", "cpu", False, Intervals(steps, steps, steps))
# To the beginning of the last step: behind it come validation and checkpoints.
print(chosen.batch * (len(times) - 1 - warm) / (times[-1] - times[warm]))
"""


def images_per_second(checkout: Path, options: argparse.Namespace, folder: Path) -> float:
    """Return the speed of one turn in a checkout."""
    arguments = [options.recipe, options.stage, str(folder), str(options.steps), str(options.threads), str(WARM_UP)]
    arguments.append("process_time" if options.processor_time else "perf_counter")
    done = subprocess.run(
        [sys.executable, "-c", CHILD, *arguments],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": str(options.threads)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(done.stdout.split()[-1])


def main() -> None:
    """Print the speed of each turn, the medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkouts", nargs=2, type=Path, metavar="CHECKOUT")
    parser.add_argument("--recipe", default="student-68")
    parser.add_argument("--stage", default="first", help="a stage's name (default: the first one)")
    parser.add_argument("--steps", type=int, default=15, help="steps a turn (default: 15)")
    parser.add_argument("--turns", type=int, default=3, help="turns of each (default: 3)")
    parser.add_argument("--threads", type=int, default=2, help="threads of PyTorch (default: 2)")
    parser.add_argument("--processor-time", action="store_true", help="count the processor's time, not the clock's")
    options = parser.parse_args()
    speeds: list[list[float]] = [[], []]
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.turns):
            for found, checkout in zip(speeds, options.checkouts, strict=True):
                found.append(images_per_second(checkout.resolve(), options, Path(folder)))
                print(f"{checkout}: {found[-1]:.1f} images/s", flush=True)  # noqa: T201
    old, new = map(statistics.median, speeds)
    print(f"median {old:.1f} and {new:.1f} images/s: {new / old:.2f} times as many")  # noqa: T201


if __name__ == "__main__":
    main()
