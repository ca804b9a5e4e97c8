"""Where a file stands, and where the user wants it to go on instead."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from engine.sources.base import Seekable


@dataclass(frozen=True)
class Playback:
    """Where a file stands.

    Attributes:
        position: of the frame on screen, in seconds.
        duration: of the whole, in seconds, as far as is known; None where nothing is known of it.
        number: of the frame on screen, counted from 0.
        count: number of frames if it is known for certain, else None.
        endless: whether it starts over by itself.
    """

    position: float
    duration: float | None
    number: int
    count: int | None
    endless: bool = False


@dataclass(frozen=True)
class Wish:
    """Where to go on: at a moment, or from the frame on screen, and some frames further.

    Attributes:
        seconds: the moment; None for the frame on screen.
        frames: how many frames further; negative ones go back.
    """

    seconds: float | None
    frames: int

    def place(self, source: Seekable, shown: int) -> int:
        """Return the place of the frame that is meant, while the one at `shown` is on screen."""
        begin = shown if self.seconds is None else source.place_at(self.seconds)
        return max(0, begin + self.frames)


class Playhead:
    """The place of the frame on screen, and the wish that waits. Safe from any thread.

    Every wish begins a new turn; what was read in a former one counts no more.

    Attributes:
        woken: set when there is something to do other than what is being done.
    """

    def __init__(self) -> None:
        self.woken = threading.Event()
        self._lock = threading.Lock()
        self._wish: Wish | None = None
        self._turn = 0
        self._shown, self._position = 0, 0.0
        self._ended = False

    @property
    def shown(self) -> tuple[int, float]:
        """Place and seconds of the frame on screen; once a moment is wished for, the seconds are those."""
        with self._lock:
            return self._shown, self._position

    @property
    def ended(self) -> bool:
        """Whether every frame was worked on."""
        return self._ended

    def seek(self, seconds: float) -> None:
        """Wish for a moment, in place of whatever was wished for before."""
        self._begin(lambda _: Wish(seconds, 0), seconds)

    def step(self, frames: int) -> None:
        """Wish for so many frames further than what is on screen or wished for."""
        self._begin(lambda old: Wish(None, frames) if old is None else Wish(old.seconds, old.frames + frames))

    def take(self) -> tuple[Wish | None, int]:
        """Return the wish that waits, which is nobody else's then, and the turn that begins with it or goes on."""
        with self._lock:
            self.woken.clear()
            wish, self._wish = self._wish, None
            return wish, self._turn

    def counts(self, turn: int) -> bool:
        """Tell whether what was read in `turn` still counts."""
        return turn == self._turn

    def arrive(self, place: int, position: float) -> None:
        """Take a frame for the one on screen that will be there at once; further steps count from it."""
        with self._lock:
            self._shown, self._position = place, position

    def show(self, turn: int, place: int, position: float) -> bool:
        """Take a frame for the one on screen; return False if it counts no more and must not be shown."""
        with self._lock:
            if turn == self._turn:
                self._shown, self._position = place, position
            return turn == self._turn

    def end(self, turn: int) -> None:
        """Note that every frame was worked on, if that still counts."""
        with self._lock:
            self._ended = self._ended or turn == self._turn

    def _begin(self, wish: Callable[[Wish | None], Wish], position: float | None = None) -> None:
        with self._lock:
            self._position = self._position if position is None else position
            self._wish = wish(self._wish)
            self._turn += 1
            self._ended = False
            self.woken.set()
