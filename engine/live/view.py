"""What a window shows of a session, and the buffer through which it gets it.

From source to window, a frame is wrapped in four types of record: `Frame` (with its `Epoch`), `Result` (its faces and
the time of each stage), `LaneView` (the result with signals; the composer adds picture and stats) and `View`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.core.face_signals import FaceSignals
from engine.core.faces import Result
from engine.core.stats import Stats
from engine.live.settings import LiveSettings
from engine.render.ink import Ink
from engine.render.scene import Look

NO_PICTURE = np.empty((0, 0, 4), np.uint8)


@dataclass(frozen=True)
class LaneView:
    """What is shown of a lane.

    Attributes:
        result: what was found on the frame.
        signals: of each of the result's faces; None for a face that has none.
        stats: the lane's current numbers.
        picture: `[H, W, 4]` uint8 BGRA, the frame with its filter, without ink; valid until the next
            `Session.take_view`. Empty until the composer has drawn it, and where the lane has no picture of its own.
        look: how it was drawn, and ink is to be drawn over it where it is shown or saved.
        ink: for the pane in which the picture was to be shown as it was drawn; valid as long. None where it was not
            known.
        other: another lane's result that is drawn on the picture too; None where there is none.
        distance: mean distance of its landmarks from those of the first lane on screen, on the same frames, in percent
            of the eye distance, see `engine.live.distance`; None while there is none, and of the first on screen. It
            says how near the models are to each other, not how accurate either is.
        distance_now: the same of the newest frame alone; None where the models saw no face in common.
    """

    result: Result
    signals: tuple[FaceSignals | None, ...]
    stats: Stats
    picture: NDArray[np.uint8]
    look: Look = field(default_factory=Look)
    ink: Ink | None = None
    other: Result | None = None
    distance: float | None = None
    distance_now: float | None = None


@dataclass(frozen=True)
class View:
    """What the window shows.

    Attributes:
        lanes: the lanes by their numbers; None for one that rests or has shown nothing yet. The first is always there.
    """

    lanes: tuple[LaneView | None, ...]

    @property
    def first(self) -> LaneView:
        """The first lane."""
        first = self.lanes[0]
        assert first is not None
        return first

    @property
    def second(self) -> LaneView | None:
        """The second lane; None while it rests or has shown nothing yet."""
        return self.lane(1)

    def lane(self, number: int) -> LaneView | None:
        """Return a lane by its number; None while it rests or has shown nothing yet."""
        return self.lanes[number] if number < len(self.lanes) else None

    @property
    def by_number(self) -> dict[int, LaneView]:
        """The lanes that have shown something, by their numbers."""
        return {number: lane for number, lane in enumerate(self.lanes) if lane is not None}

    def models(self, settings: LiveSettings) -> dict[int, str]:
        """Return the names of the models on screen by the numbers of their lanes, "" where there is none."""
        results = zip(settings.on_screen, self.results(settings), strict=True)
        return {number: "" if result is None else result.model for number, result in results}

    def results(self, settings: LiveSettings) -> tuple[Result | None, ...]:
        """Return the results on screen, in the order of `settings.on_screen`; None for a lane without one.

        On one picture, the second is the one drawn with the first.
        """
        lanes = [self.lane(number) for number in settings.on_screen]
        first = lanes[0]
        if len(lanes) == 2 and not settings.layout.has_picture_for_each:
            return (None, None) if first is None else (first.result, first.other)
        return tuple(None if lane is None else lane.result for lane in lanes)


@dataclass(frozen=True, eq=False)
class Drawing:
    """What a lane is drawn on: a picture `[H, W, 4]` uint8 BGRA, and ink to be laid over it."""

    picture: NDArray[np.uint8]
    ink: Ink = field(default_factory=Ink)


class ViewBuffer:
    """Passes views from one thread to another, without either waiting for the other.

    Each lane has three drawings in turn: one is drawn on, another belongs to the newest view, and the third to the view
    that was taken last. So the one on screen is never written to, and nothing is allocated per frame.
    """

    def __init__(self) -> None:
        self._exchange = threading.Lock()
        self._drawings: dict[int, list[Drawing]] = {}
        self._newest: View | None = None
        self._taken: View | None = None

    def writable(self, lane: int, height: int, width: int) -> Drawing:
        """Return a free drawing of a lane, its picture `[height, width, 4]`, with whatever it holds.

        It may be written to until it is published.
        """
        with self._exchange:
            views = (self._newest, self._taken)
            shown = [view.lane(lane) for view in views if view is not None]
            used = {id(its.picture) for its in shown if its is not None}
            drawings = self._drawings.get(lane, [])
            for drawing in drawings:
                if id(drawing.picture) not in used and drawing.picture.shape[:2] == (height, width):
                    return drawing
            drawing = Drawing(np.empty((height, width, 4), np.uint8))
            self._drawings[lane] = [*(its for its in drawings if id(its.picture) in used), drawing]
            return drawing

    def clear(self) -> None:
        """Hold no picture any more."""
        with self._exchange:
            self._drawings, self._newest, self._taken = {}, None, None

    def publish(self, view: View) -> None:
        """Make a view the newest one; it replaces an older one that was not taken."""
        with self._exchange:
            self._newest = view

    def take(self) -> View | None:
        """Return the newest view, or None if it was taken already.

        Its pictures belong to the caller until the next call that returns a view.
        """
        with self._exchange:
            if self._newest is self._taken:
                return None
            self._taken = self._newest
            return self._taken
