"""What a run does beside the steps: logs, validation, checkpoints, a progress bar, and a stop watch.

Logs are CSV for people and scripts, TensorBoard for curves, and lines on the terminal.
"""

from __future__ import annotations

import csv
import dataclasses
import math
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from engine.core.errors import RecordingError
from engine.core.files import replaced
from engine.core.texts import reason
from trainer.checkpoint import BEST, LAST, write_checkpoint
from trainer.devices import first_alone
from trainer.distillation import LiveTeachers
from trainer.recipes.schema import Training
from trainer.state import TrainingState, as_checkpoint
from trainer.validate import HeldOut, validate

LOGS = TRAIN, VALIDATION, SPEED = "train", "validation", "speed"


@dataclass(frozen=True)
class Intervals:
    """How often a run validates, saves and logs, in steps."""

    validate_every: int = 250
    checkpoint_every: int = 250
    log_every: int = 20


@dataclass(frozen=True)
class RunContext:
    """What a run has beside its network and the faces it trains on.

    Attributes:
        recipe: what to do.
        fabric: launched; its processes divide each batch.
        validation: held-out faces, at least one, turned ones aside.
        folder: of the run; checkpoints and logs go there.
        notes: what checkpoints hold beside the weights.
        intervals: how often to log, validate and save.
        teachers: those that look at each batch.
    """

    recipe: Training
    fabric: Fabric
    validation: HeldOut
    folder: Path
    notes: dict[str, Any]
    intervals: Intervals
    teachers: LiveTeachers | None = None


class RunRecorder:
    """Writes the folder of a run, which goes on at `first_step`.

    The other processes wait meanwhile, and end if the first one fails.
    """

    def __init__(self, context: RunContext, throughput: Throughput, first_step: int) -> None:
        self._context, self._throughput, self._first_step = context, throughput, first_step
        quiet = not context.fabric.is_global_zero or None  # None: quiet unless a person is watching
        name, steps = context.recipe.name, context.recipe.steps
        self._bar = tqdm(total=steps, initial=first_step, desc=name, unit="step", disable=quiet)

    def close(self) -> None:
        """End the bar and write what is still in memory."""
        self._bar.close()
        if "_log" in vars(self):  # else nothing was logged, in other processes never
            self._log.close()

    def after_step(self, run: TrainingState, values: Mapping[str, float], learning_rate: float) -> None:
        """Show how many steps are done, and do what is due after the last one; `values` are the terms of its loss.

        Raises:
            RecordingError: a checkpoint or a log cannot be written.
        """
        self._bar.update(run.step - self._bar.n)
        if self.is_due(run):
            first_alone(self._context.fabric, partial(self._record, run, values, learning_rate))

    def is_due(self, run: TrainingState) -> bool:
        """Return whether the last step is to be logged, validated or saved."""
        return any(self._due(run, every) for every in vars(self._context.intervals).values())

    def save(self, run: TrainingState) -> None:
        """Write the last checkpoint.

        Raises:
            RecordingError: it cannot be written.
        """
        first_alone(self._context.fabric, partial(self._save, run, LAST))

    @cached_property
    def _log(self) -> RunLog:
        return RunLog(self._context.folder, self._first_step)

    def _record(self, run: TrainingState, values: Mapping[str, float], learning_rate: float) -> None:
        if run.step % self._context.intervals.log_every == 0:
            self._throughput.sample_gpu()
            self._bar.set_postfix(loss=f"{values['total']:.4f}")
            self._log.write(TRAIN, run.step, {**values, "learning_rate": learning_rate})
        if self._due(run, self._context.intervals.validate_every):
            self._validate(run)
        if self._due(run, self._context.intervals.checkpoint_every):
            self._save(run, LAST)

    def _save(self, run: TrainingState, name: str) -> None:
        write_checkpoint(self._context.folder / name, as_checkpoint(run, self._context.recipe, self._context.notes))

    def _due(self, run: TrainingState, every: int) -> bool:
        return run.step == self._context.recipe.steps or run.step % every == 0

    def _validate(self, run: TrainingState) -> None:
        result = validate(run.average, self._context.validation, self._context.recipe)
        speed = self._throughput.lap()
        self._log.write(VALIDATION, run.step, result.numbers())
        self._log.write(SPEED, run.step, dataclasses.asdict(speed))
        # Above the bar and apart from the program's output.
        tqdm.write(f"step {run.step}: {result}, {speed}", file=sys.stderr)
        if result.nme < run.best:
            run.best = result.nme
            self._save(run, BEST)


class RunLog:
    """Writes numbers of a run to `KIND.csv`, of each kind of `LOGS`, and to TensorBoard files in the run's folder.

    Rows after `first_step` are dropped, so that a resumed run logs no step twice. An unreadable file is set aside; what
    else lies in the folder is not touched.

    Raises:
        RecordingError: a file cannot be written.
    """

    def __init__(self, folder: Path, first_step: int = 0) -> None:
        self._folder = folder
        self._former_hook, threading.excepthook = threading.excepthook, self._on_thread_exception
        with _failure_named(folder), ExitStack() as unless_made:
            unless_made.callback(self._restore_hook)
            self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=first_step + 1 if first_step else None)
            for kind in LOGS:
                _cut_or_set_aside(folder / f"{kind}.csv", first_step)
            unless_made.pop_all()

    def close(self) -> None:
        """Write what is still in memory, as far as the disk takes it: the run may end because it is full."""
        with suppress(OSError):
            self._board.close()
        self._restore_hook()

    def write(self, kind: str, step: int, values: Mapping[str, float]) -> None:
        """Add the numbers of a step to the log `kind`; names that it has not had before become new columns.

        Raises:
            RecordingError: a file cannot be written.
        """
        file = self._folder / f"{kind}.csv"
        row = {"step": str(step), **{name: f"{value:.6g}" for name, value in values.items()}}
        with _failure_named(self._folder):
            columns = _columns(file, list(row))
            with file.open("a", newline="", encoding="utf-8") as stream:
                csv.DictWriter(stream, columns).writerow(row)
            for name, value in values.items():
                self._board.add_scalar(f"{kind}/{name}", value, step)

    def _on_thread_exception(self, failure: threading.ExceptHookArgs) -> None:
        """Pass on what ended a thread; but that TensorBoard's cannot write, the next `write` says."""
        of_board = type(failure.thread).__module__.startswith("tensorboard.")
        if not (of_board and isinstance(failure.exc_value, OSError)):
            self._former_hook(failure)

    def _restore_hook(self) -> None:
        threading.excepthook = self._former_hook


@contextmanager
def _failure_named(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RecordingError(
            f"The logs in {folder} cannot be written ({reason(error)})",
            "the disk is full, or the folder forbids writing; the last checkpoint is untouched",
            f"make room, then go on with --resume {folder}",
        ) from error


def _cut_or_set_aside(file: Path, last: int) -> None:
    try:
        _cut_after(file, last)
    except FileNotFoundError:
        return
    except ValueError:
        aside = file.with_suffix(".csv.damaged")
        file.replace(aside)
        tqdm.write(f"The log {file} cannot be read and is {aside.name} now; a new one begins.", file=sys.stderr)


def _cut_after(file: Path, last: int) -> None:
    """Drop the rows of a log after the step `last`, and one that a kill cut off.

    Raises:
        ValueError: it is none: another program saved it, or the power failed.
    """
    rows = file.read_text(encoding="utf-8").splitlines(keepends=True)
    if rows and not rows[0].startswith("step,"):
        raise ValueError(rows[0])
    kept = [row for row in rows[1:] if row.endswith("\n") and int(row.split(",", 1)[0]) <= last]
    with replaced(file) as temporary:
        temporary.write_text("".join(rows[:1] + kept), encoding="utf-8")


def _columns(file: Path, wanted: list[str]) -> list[str]:
    """Return the columns of a log, which has those wanted from now on; rows from before are shorter."""
    rows = file.read_text(encoding="utf-8").splitlines(keepends=True) if file.exists() else []
    columns = next(csv.reader(rows[:1]), [])
    missing = [name for name in wanted if name not in columns]
    if missing:
        columns += missing
        with replaced(file) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerow(columns)
            stream.writelines(rows[1:])
    return columns


@dataclass(frozen=True)
class Speed:
    """Speed over a part of a run, validation and checkpoints included.

    Attributes:
        steps_per_second, images_per_second: of all processes together.
        epoch_seconds: time for as many draws as there are training faces.
        drawing_share: share of the time in which this process prepared batches, in [0, 1].
        gpu_share: mean share of the time in which the GPU was at work, in [0, 1]; NaN without a GPU, or without the
            package nvidia-ml-py.
    """

    steps_per_second: float
    images_per_second: float
    epoch_seconds: float
    drawing_share: float
    gpu_share: float

    def __str__(self) -> str:
        gpu = "" if math.isnan(self.gpu_share) else f", GPU {self.gpu_share:.0%} busy"
        return (
            f"{self.steps_per_second:.3g} steps/s, {self.images_per_second:.3g} images/s, "
            f"epoch in {self.epoch_seconds:.3g} s, {self.drawing_share:.0%} of it drawing{gpu}"
        )


class Throughput:
    """Stop watch for the steps of a run on `faces` faces, of which each draws `batch` in all processes together."""

    def __init__(self, batch: int, faces: int, device: torch.device) -> None:
        self._batch, self._faces, self._device = batch, faces, device
        self._restart()

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """Count a step, and the time of the body as time for preparing its batch."""
        started = time.perf_counter()
        yield
        self._drawing += time.perf_counter() - started
        self._steps += 1

    def sample_gpu(self) -> None:
        """Take a sample of the GPU's utilisation, where there is one."""
        if self._device.type == "cuda":
            with suppress(ModuleNotFoundError, RuntimeError):  # no nvidia-ml-py, or no driver that it can ask
                self._samples.append(torch.cuda.utilization(self._device) / 100)

    def lap(self) -> Speed:
        """Return the speed since the last lap, of at least one step, and begin another."""
        seconds = time.perf_counter() - self._started
        rate = self._steps / seconds
        speed = Speed(
            steps_per_second=rate,
            images_per_second=rate * self._batch,
            epoch_seconds=self._faces / self._batch / rate,
            drawing_share=self._drawing / seconds,
            gpu_share=sum(self._samples) / len(self._samples) if self._samples else math.nan,
        )
        self._restart()
        return speed

    def _restart(self) -> None:
        self._started, self._steps, self._drawing = time.perf_counter(), 0, 0.0
        self._samples: list[float] = []
