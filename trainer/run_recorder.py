"""What a run does beside the steps, all in its first process: logs, validation, checkpoints, a bar for people."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import Any

from lightning_fabric import Fabric
from tqdm import tqdm

from trainer.checkpoint import BEST, LAST, write_checkpoint
from trainer.devices import first_alone
from trainer.logs import RunLog
from trainer.recipes import Recipe
from trainer.state import Progress, as_checkpoint
from trainer.throughput import Pace
from trainer.validate import HeldOut, validate


@dataclass(frozen=True)
class Schedule:
    """How often the loop looks up from its work, in steps."""

    validate_every: int = 250
    checkpoint_every: int = 250
    log_every: int = 20

    def due(self, step: int, last: int) -> bool:
        """Tell whether there is anything to do after a step of a run of `last` steps."""
        return step == last or any(step % every == 0 for every in vars(self).values())


class Bookkeeper:
    """Keeps the folder of a run; the other processes wait meanwhile, and end if the first one fails.

    Args:
        fabric: the processes.
        recipe: of the run.
        validation: held-out faces.
        out: the run's folder.
        schedule: how often to do what.
        notes: what checkpoints tell beside the weights.
        pace: the run's stop watch.
        first_step: where the run goes on.
    """

    def __init__(
        self,
        fabric: Fabric,
        recipe: Recipe,
        validation: HeldOut,
        out: Path,
        schedule: Schedule,
        notes: dict[str, Any],
        pace: Pace,
        first_step: int,
    ) -> None:
        self._fabric, self._recipe, self._validation, self._out = fabric, recipe, validation, out
        self._schedule, self._notes, self._pace, self._first_step = schedule, notes, pace, first_step
        quiet = None if fabric.is_global_zero else True  # None: quiet unless a person is watching
        self._bar = tqdm(total=recipe.steps, initial=first_step, desc=recipe.name, unit="step", disable=quiet)

    def __enter__(self) -> Bookkeeper:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()
        if self._fabric.is_global_zero:
            self._log.close()

    def after_step(self, run: Progress, values: Mapping[str, float], learning_rate: float) -> None:
        """Count a step and do what is due after it.

        Args:
            run: where it stands.
            values: terms of the loss.
            learning_rate: of the step.

        Raises:
            RecordingError: a checkpoint cannot be written.
            OSError: a log cannot be written.
        """
        self._bar.update()
        if self._schedule.due(run.step, self._recipe.steps):
            first_alone(self._fabric, partial(self._do_what_is_due, run, values, learning_rate))

    def save(self, run: Progress) -> None:
        """Write the last checkpoint.

        Raises:
            RecordingError: it cannot be written.
        """
        first_alone(self._fabric, partial(self._save, run, LAST))

    @cached_property
    def _log(self) -> RunLog:
        return RunLog(self._out, self._first_step)

    def _do_what_is_due(self, run: Progress, values: Mapping[str, float], learning_rate: float) -> None:
        if run.step % self._schedule.log_every == 0:
            self._pace.look_at_gpu()
            self._bar.set_postfix(loss=f"{values['total']:.4f}")
            self._log.write("train", run.step, {**values, "learning_rate": learning_rate})
        if self._due(run, self._schedule.validate_every):
            self._validate(run)
        if self._due(run, self._schedule.checkpoint_every):
            self._save(run, LAST)

    def _save(self, run: Progress, name: str) -> None:
        write_checkpoint(self._out / name, as_checkpoint(run, self._recipe, self._notes))

    def _due(self, run: Progress, every: int) -> bool:
        return run.step == self._recipe.steps or run.step % every == 0

    def _validate(self, run: Progress) -> None:
        result = validate(run.average, self._validation, self._recipe)
        speed = self._pace.lap()
        self._log.write("validation", run.step, result.numbers())
        self._log.write("speed", run.step, dataclasses.asdict(speed))
        self._log.tell(f"step {run.step}: {result}, {speed}")
        if result.nme < run.best:
            run.best = result.nme
            self._save(run, BEST)
