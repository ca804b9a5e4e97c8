"""Ctrl-C during a run: the step is finished and saved, then the run ends."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType

from engine.core.errors import UnderstudyError


class TrainingInterrupted(UnderstudyError):
    """A run was interrupted by its user; its checkpoint is written."""


class InterruptionWatch:
    """Notes Ctrl-C instead of breaking off in the middle of a step; a second Ctrl-C breaks off at once.

    Signals reach the main thread alone; on any other the watch sees nothing.
    """

    def __init__(self) -> None:
        self.interrupted = False
        self._active = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> InterruptionWatch:
        if self._active:
            self._former = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._active:
            signal.signal(signal.SIGINT, self._former)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.interrupted = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
