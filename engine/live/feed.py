"""The feed: frames on their way from the reader to the finders."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.core.frame import Frame
from engine.live.settings import LiveSettings, Pace
from engine.live.shared_ids import SharedIds
from engine.live.state import SourceState, Timing
from engine.render.scene import Layout


def active_lanes(settings: LiveSettings, lanes: int) -> int:
    """Return how many of the lanes are active; all but the first rest in `Layout.SINGLE`."""
    return min(lanes, 1) if settings.layout is Layout.SINGLE else lanes


class Feed:
    """Deals the frames of a reader out to the finders: only the newest of a camera, every one of a file.

    The first finder sets the pace: a frame is dealt out once it waits for one. At live pace, the frame replaces the one
    that a slower finder has not taken yet. At locked pace finders wait for each other, so all see the same frames. In a
    pause only frames that the user asked for are dealt out.

    Args:
        settings: returns what the user set.
    """

    def __init__(self, settings: Callable[[], LiveSettings]) -> None:
        self._settings = settings
        lock = threading.Lock()
        self._changed = threading.Condition(lock)
        # What further finders wait for: the first, which sets the pace, wakes alone when a frame comes, then they.
        self._dealt = threading.Condition(lock)
        self._frame: Frame | None = None
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
            self._frame = item
            self._changed.notify_all()
            return not self.closed

    def put(self, item: Frame, timeout: float, /) -> bool:
        """Store a frame once the place is free; return False if it was not within `timeout` seconds."""
        _prepare(item)
        with self._changed:
            if not self._changed.wait_for(lambda: self._frame is None and not self.closed, timeout):
                return False
            self._frame = item
            self._changed.notify_all()
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
        if frame is not None and settings.paused and not frame.asked:
            if frame.epoch.is_camera:
                self._frame = None  # it would be shown after the pause, perhaps minutes old
        elif frame is not None:
            active = active_lanes(settings, len(self._inboxes))
            if all(self._waits[: active if settings.pace is Pace.LOCKED else 1]):
                self._frame, self._inboxes[:active] = None, [frame] * active
                self._waits[:active] = [False] * active  # though they may not have woken yet
                self._changed.notify_all()
                self._dealt.notify_all()
        return self._inboxes[finder] is not None


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
        notify: called when there is a new view, status or error.
        timing: see `Timing`.
        clock: returns seconds.
        ids: lets one person have one id in all lanes.
    """

    feed: Feed
    settings: Callable[[], LiveSettings] = LiveSettings
    state: Callable[[], SourceState] = lambda: SourceState.LIVE
    loop: Callable[[], bool] = lambda: False
    notify: Callable[[], None] = lambda: None
    timing: Timing = field(default_factory=Timing)
    clock: Callable[[], float] = time.monotonic
    ids: SharedIds = field(default_factory=SharedIds)
