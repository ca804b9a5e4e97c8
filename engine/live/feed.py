"""The feed: frames on their way from the reader to the finders."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.core.frame import Frame
from engine.live.settings import LiveSettings, Pace
from engine.live.shared_ids import SharedIds
from engine.live.state import SourceState, Timing
from engine.render.canvas import Pane

PATIENCE = 1.0  # seconds


def active_lanes(settings: LiveSettings, lanes: int) -> tuple[int, ...]:
    """Return the numbers of the lanes that are active, rising; `lanes` is how many there are.

    These are the lanes on screen, and always the first, whose results leave the session.
    """
    shown = settings.on_screen
    active = shown if shown[0] == 0 else (0, *shown)
    return active if active[-1] < lanes else tuple(number for number in active if number < lanes)


class Feed:
    """Deals the frames of a reader out to the finders: only the newest of a camera, every one of a file.

    At live pace the fastest finder sets the pace: a frame is dealt out once one waits for it, and replaces the one that
    a slower finder has not taken yet. Frames of a file wait for the first finder, which sees them all, unless it is
    slower than the file and holds the others up by more than `PATIENCE`. At locked pace finders wait for each other, so
    all see the same frames. In a pause only frames that the user asked for are dealt out.

    Args:
        settings: returns what the user set.
        clock: returns seconds, as frames have them.
    """

    def __init__(self, settings: Callable[[], LiveSettings], clock: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._clock = settings, clock
        lock = threading.Lock()
        self._changed = threading.Condition(lock)
        # What further finders wait for: while the first waits too, it wakes alone when a frame comes, then they.
        self._dealt = threading.Condition(lock)
        self._frame: Frame | None = None
        # Seconds for which frames of a file waited in all, pauses left out, since the first finder last waited.
        self._late = 0.0
        self._paused_at = -math.inf  # when a pause was last noticed
        self._inboxes: list[Frame | None] = []
        self._waits: list[bool] = []  # whether each finder waits for a frame
        self.closed = False

    def add(self) -> None:
        """Make an inbox for one more finder."""
        with self._changed:
            self._inboxes.append(None)
            self._waits.append(False)

    def replace(self, item: Frame, /) -> bool:
        """Store a frame in place of an older one, without waiting; return False if the feed is closed."""
        _prepare(item)
        with self._changed:
            self._hold(item)
            return not self.closed

    def put(self, item: Frame, timeout: float, /) -> bool:
        """Store a frame once the place is free; return False if it was not within `timeout` seconds."""
        _prepare(item)
        with self._changed:
            if not self._changed.wait_for(lambda: self._frame is None or self.closed, timeout) or self.closed:
                return False
            self._hold(item)
            return True

    def take_back(self) -> Frame | None:
        """Return the frame that was not dealt out yet, and free its place."""
        with self._changed:
            frame, self._frame = self._frame, None
            return frame

    def take(self, finder: int, timeout: float) -> Frame | None:
        """Return the next frame for a finder; None if there was none within `timeout` seconds."""
        with self._changed:
            self._waits[finder] = self._inboxes[finder] is None
            if finder == 0 and self._waits[0] and self._frame is None:
                self._late = 0.0
            if finder > 0 and self._frame is not None:
                self._changed.notify_all()  # the first may have waited for this finder
            news = self._changed if finder == 0 else self._dealt
            news.wait_for(lambda: self.closed or self._deal(finder), timeout)
            self._waits[finder] = False
            frame, self._inboxes[finder] = self._inboxes[finder], None
            return frame

    @property
    def is_quiet(self) -> bool:
        """Whether the first finder waits for a frame and there is none."""
        return self._waits[0] and self._frame is None

    def close(self) -> None:
        """Deal out no more frames, and wake all waiting threads."""
        with self._changed:
            self.closed = True
            self._frame, self._inboxes = None, [None] * len(self._inboxes)
            self._changed.notify_all()
            self._dealt.notify_all()

    def _deal(self, finder: int) -> bool:
        """Deal the frame out if it is time; return whether a finder has one."""
        frame, settings = self._frame, self._settings()
        if settings.paused:
            self._paused_at = self._clock()
        if frame is not None and settings.paused and not frame.asked:
            if frame.epoch.is_camera:
                self._frame = None  # it would be shown after the pause, perhaps minutes old
        elif frame is not None:
            active = active_lanes(settings, len(self._inboxes))
            if self._is_time(frame, active, settings.pace):
                self._frame = None
                if not frame.epoch.is_camera:
                    self._late += self._clock() - max(frame.captured, self._paused_at)
                for number in active:
                    self._inboxes[number] = frame
                    self._waits[number] = False  # though it may not have woken yet
                self._changed.notify_all()
                self._dealt.notify_all()
        return self._inboxes[finder] is not None

    def _is_time(self, frame: Frame, active: tuple[int, ...], pace: Pace) -> bool:
        if pace is Pace.LOCKED:
            return all(self._waits[number] for number in active)
        if self._waits[0]:
            return True
        return self._goes_to_any(frame) and any(self._waits[number] for number in active)

    def _hold(self, frame: Frame) -> None:
        self._frame = frame
        self._changed.notify_all()
        if not self._waits[0] and self._goes_to_any(frame):
            self._dealt.notify_all()

    def _goes_to_any(self, frame: Frame) -> bool:
        """Return whether a frame does not wait for the first finder."""
        return frame.epoch.is_camera or self._late > PATIENCE


def _prepare(frame: Frame) -> None:
    """Compute what every finder needs of a frame here, on the reader's thread, where its picture was just written."""
    _ = frame.thumbnail


@dataclass(frozen=True)
class Context:
    """What the threads of a session share.

    Attributes:
        feed: the frames on their way from the reader to the finders.
        settings: returns what the user set.
        state: returns what the source is doing.
        loop: returns whether a file starts again at its end.
        pane: returns where the window shows each picture; None where it is not known.
        notify: called when there is a new view, status or error.
        timing: see `Timing`.
        clock: returns seconds.
        ids: lets one person have one id in all lanes.
    """

    feed: Feed
    settings: Callable[[], LiveSettings] = LiveSettings
    state: Callable[[], SourceState] = lambda: SourceState.LIVE
    loop: Callable[[], bool] = lambda: False
    pane: Callable[[], Pane | None] = lambda: None
    notify: Callable[[], None] = lambda: None
    timing: Timing = field(default_factory=Timing)
    clock: Callable[[], float] = time.monotonic
    ids: SharedIds = field(default_factory=SharedIds)
