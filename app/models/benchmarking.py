"""Measuring models on this machine while the window goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
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


class SpeedMeasuring(QObject):
    """Measures models on a thread of its own, one measuring at a time, and keeps the results of the session.

    Args:
        load_landmarker: loads a model by name or path; called on that thread, to which the model then belongs.
    """

    changed = Signal()  # measuring began or ended, or there is a result
    troubled = Signal(object)  # UnderstudyError

    def __init__(self, load_landmarker: Callable[[str], Landmarker], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._load = load_landmarker
        self._background = Background(self)
        self._called_off: threading.Event | None = None  # of the measuring at work
        self._measurements: dict[str, Measurement] = {}

    @property
    def busy(self) -> bool:
        """Whether something is being measured."""
        return self._called_off is not None

    def result(self, model: str) -> Measurement | None:
        """Return what was measured last for a model, by the name or path that was given to `start`."""
        return self._measurements.get(model)

    def start(self, models: Sequence[str]) -> None:
        """Measure models by name or path, in turns; does nothing while others are being measured."""
        if self.busy or not models:
            return
        called_off = self._called_off = threading.Event()
        names = tuple(models)

        def measure() -> list[Speed] | UnderstudyError:
            try:
                return benchmark([(self._load(name), 1) for name in names], called_off)
            except UnderstudyError as error:
                return error

        self._background.run(measure, lambda outcome: self._finish(called_off, names, outcome))
        self.changed.emit()

    def call_off(self) -> None:
        """End measuring without a result."""
        if self._called_off is not None:
            self._called_off.set()
            self._called_off = None
            self.changed.emit()

    def close_down(self) -> None:
        """End measuring and say nothing any more."""
        self._background.close()
        if self._called_off is not None:
            self._called_off.set()

    def _finish(
        self, called_off: threading.Event, models: tuple[str, ...], outcome: list[Speed] | UnderstudyError
    ) -> None:
        if called_off.is_set():
            return
        self._called_off = None
        if isinstance(outcome, UnderstudyError):
            self.troubled.emit(outcome)
        else:
            now = datetime.now()
            self._measurements |= {model: Measurement(speed, now) for model, speed in zip(models, outcome, strict=True)}
        self.changed.emit()
