"""The place in a log that is shown, and how it moves: by hand, and by the clock."""

from __future__ import annotations

from time import monotonic

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Qt, QTimer, Signal

SHORTEST_STEP, LONGEST_STEP = 0.005, 1.0  # seconds between two frames that are played


class Playhead(QObject):
    """Stands at one of a log's frames. Without a log, whose frames `begin` brings, nothing moves it.

    Attributes:
        place: among the log's frames, from 0.
        waits: whether the frame of this place is still being read, so that playing leaves out what comes meanwhile.
    """

    moved = Signal(int)  # the place, also where it is the same
    played = Signal(bool)  # whether it moves by itself from now on

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.place = 0
        self.waits = False
        self._moments: NDArray[np.float64] = np.zeros(0)
        self._start = (0.0, 0.0)  # of playing: the clock, and the moment of the log
        self._timer = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._play_on)

    def begin(self, moments: NDArray[np.float64]) -> None:
        """Stand at the first frame of a log, whose frames lie at these `[M]` seconds."""
        self.hold()
        self._moments = moments
        self.go_to(0)

    def go_to(self, place: int) -> None:
        """Go to the frame at a place, or to the nearest that there is; playing goes on from there."""
        if len(self._moments):
            self._move(place)
            self._start = monotonic(), float(self._moments[self.place])

    def step(self, frames: int) -> None:
        """Hold, and go so many frames forward, or back."""
        self.hold()
        self.go_to(self.place + frames)

    def skip(self, seconds: float) -> None:
        """Go so many seconds forward, or back."""
        if len(self._moments):
            self.go_to(int(np.abs(self._moments - (self._moments[self.place] + seconds)).argmin()))

    def toggle(self) -> None:
        """Play, from the first frame where this is the last; or hold."""
        if not len(self._moments):
            return
        if self._timer.isActive():
            self.hold()
            return
        if self.place == len(self._moments) - 1:
            self._move(0)
        self._start = monotonic(), float(self._moments[self.place])
        self.played.emit(True)
        self._play_on()

    def hold(self) -> None:
        """Play no longer."""
        self._timer.stop()
        self.played.emit(False)

    def _move(self, place: int) -> None:
        self.place = min(max(place, 0), len(self._moments) - 1)
        self.moved.emit(self.place)

    def _play_on(self) -> None:
        """Show the frame of now, and wait for the next."""
        clock, moment = self._start
        now = moment + monotonic() - clock
        place = max(self.place, int(np.searchsorted(self._moments, now, side="right")) - 1)
        if place != self.place and not self.waits:
            self._move(place)
        if self.place == len(self._moments) - 1:
            self.hold()
            return
        wait = min(max(float(self._moments[self.place + 1]) - now, SHORTEST_STEP), LONGEST_STEP)
        self._timer.start(round(1000 * wait))
