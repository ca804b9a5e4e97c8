"""Trainings that are killed by SIGKILL again and again, each time in a process of its own, until they are done.

`python -m tests.fakes.killed_training DATA FOLDER SEED...` carries the tiny recipe out once undisturbed, in
`FOLDER/whole`, and once for each seed in `FOLDER/SEED`, and writes as JSON at which moments each was killed. These are
before every step, and before, in the middle of and after the writing of each checkpoint.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import traceback
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch

from tests.fakes.tiny_training import tiny_recipe
from trainer import checkpoint, loop
from trainer.run import run
from trainer.run_recorder import Intervals

OFTEN = Intervals(validate_every=3, checkpoint_every=2, log_every=1)
LEARNING = replace(tiny_recipe(), ema=0.5, learning_rate=4e-3)  # so that each validation is the best so far
MOMENTS = range(2, 12)  # how many moments an attempt lives; more than lie between two checkpoints


class Mortal:
    """Kills its process at the moment of a number, counted from 0, and writes which that was; None lets it live."""

    def __init__(self, at: int | None, log: Path) -> None:
        self._left, self._log = at, log

    def pass_by(self, moment: str) -> None:
        if self._left == 0:
            self._log.write_text(moment, encoding="utf-8")
            os.kill(os.getpid(), signal.SIGKILL)
        self._left = None if self._left is None else self._left - 1

    def watch(self) -> None:
        """Have the training pass by all moments."""
        draw, save, replaced = loop.draw_batch, checkpoint.save_tensors, checkpoint.replaced

        def drawn(crops, augment, recipe, number, *rest):
            self.pass_by(f"step {number}")
            return draw(crops, augment, recipe, number, *rest)

        def saved(tensors, file, metadata):
            name = next(name for name in ("best", "last") if name in file.name)
            self.pass_by(f"before writing {name}")
            save(tensors, file, metadata)
            content = file.read_bytes()
            file.write_bytes(content[: len(content) // 2])
            self.pass_by(f"while writing {name}")
            file.write_bytes(content)
            self.pass_by(f"before moving {name}")

        @contextmanager
        def moved(path, **how):
            with replaced(path, **how) as temporary:
                yield temporary
            self.pass_by(f"after {path.stem}")

        loop.draw_batch, checkpoint.save_tensors, checkpoint.replaced = drawn, saved, moved


def attempt(data: Path, out: Path, at: int | None) -> str | None:
    """Begin or resume a run in a process of its own; return the moment at which it was killed, None when it is done."""
    log = out.with_suffix(".moment")
    process = os.fork()
    if process == 0:
        try:
            Mortal(at, log).watch()
            run(LEARNING, data, out, "cpu", (out / checkpoint.LAST).exists(), OFTEN)
        except BaseException:  # noqa: BLE001 - whatever it is, the process must not go on as its parent
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    if code == -signal.SIGKILL:
        return log.read_text(encoding="utf-8")
    if code:
        raise SystemExit(f"the training failed with {code}")
    return None


def main(data: Path, folder: Path, seeds: list[int]) -> None:
    """Carry out the undisturbed run, and one for each seed."""
    torch.set_num_threads(1)  # threads would not survive a fork
    attempt(data, folder / "whole", None)
    kills: dict[int, list[str]] = {}
    for seed in seeds:
        random_ = random.Random(seed)
        kills[seed] = []
        while moment := attempt(data, folder / str(seed), random_.choice(MOMENTS)):
            kills[seed].append(moment)
    sys.stdout.write(json.dumps(kills))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), [int(seed) for seed in sys.argv[3:]])
