"""Measuring models on this machine while the window stays responsive."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from PySide6.QtCore import QObject, Signal

from app.shell.background import Background
from engine.batch.benchmark import Speed, benchmark
from engine.core.errors import UnderstudyError
from engine.inference.landmarker import Landmarker


@dataclass(frozen=True)
class Measurement:
    """What was measured, and when.

    Attributes:
        speed: of one face, on one thread.
        when: local time at which measuring ended.
    """

    speed: Speed
    when: datetime


class Benchmarking(QObject):
    """Measures models on a thread of its own, one measurement at a time, and keeps the results of the session.

    Args:
        load_landmarker: loads a model by name or path; called on that thread, to which the model then belongs.
    """

    changed = Signal()  # measuring began or ended, or there is a result
    failed = Signal(object)  # UnderstudyError
    progressed = Signal(int, int)  # rounds through all models that are done, and of all

    def __init__(self, load_landmarker: Callable[[str], Landmarker], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._load = load_landmarker
        self._background = Background(self)
        self._cancelled: threading.Event | None = None  # of the measurement under way
        self._measurements: dict[str, Measurement] = {}

    @property
    def busy(self) -> bool:
        """Whether something is being measured."""
        return self._cancelled is not None

    def result(self, model: str) -> Measurement | None:
        """Return the last measurement of a model, by the name or path that was given to `start`."""
        return self._measurements.get(model)

    def start(self, models: Sequence[str]) -> None:
        """Measure models by name or path, alternating; does nothing while others are being measured."""
        if self.busy or not models:
            return
        cancelled = self._cancelled = threading.Event()
        names = tuple(models)

        def on_round(done: int, of: int) -> None:
            if not cancelled.is_set():
                self.progressed.emit(done, of)

        def measure() -> list[Speed]:
            return benchmark([(self._load(name), 1) for name in names], cancelled, on_round)

        def report(outcome: list[Speed] | UnderstudyError) -> None:
            if cancelled.is_set():
                return
            self._cancelled = None
            if isinstance(outcome, UnderstudyError):
                self.failed.emit(outcome)
                self.changed.emit()
            else:
                now = datetime.now()
                self.keep({name: Measurement(speed, now) for name, speed in zip(names, outcome, strict=True)})

        self._background.run(measure, report, report)
        self.changed.emit()

    def keep(self, measurements: Mapping[str, Measurement]) -> None:
        """Keep measurements, by the names or paths of their models."""
        self._measurements.update(measurements)
        self.changed.emit()

    def cancel(self) -> None:
        """Stop measuring; there is no result."""
        if self._cancelled is not None:
            self._cancelled.set()
            self._cancelled = None
            self.changed.emit()

    def close_down(self) -> None:
        """Stop measuring; no signal is emitted any more."""
        self._background.close()
        if self._cancelled is not None:
            self._cancelled.set()
