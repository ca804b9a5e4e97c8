"""How many steps and images a run does in a second, and what it waits for."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import torch


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
