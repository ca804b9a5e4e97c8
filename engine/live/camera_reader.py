"""Reads a camera: delivers the newest frame, and detects black and frozen pictures."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import SourceError
from engine.core.frame import Epoch, Frame
from engine.live.feed import Context, Feed
from engine.live.reader import Reader, SourceThread
from engine.live.settings import LiveSettings
from engine.sources.base import Source, SourceKind

# Weight of the newest interval in the running mean of a camera's frame period.
PERIOD_WEIGHT = 0.2
# Every 16th pixel both ways is enough to decide and costs a few microseconds.
STRIDE = 16
# Levels of 0..255: a covered lens gives a little noise around a few levels.
BLACK_MEAN, BLACK_SPREAD = 8.0, 3.0

BLACK = "The picture is black: the lens is covered, a privacy shutter is closed, or another program holds the camera."
FROZEN = "The picture is frozen: the camera sends the same one again and again. Unplug it and plug it in again."

# Seconds. Some drivers take many seconds to open, but no working one takes READ_LIMIT for a picture.
OPEN_LIMIT, READ_LIMIT, CLOSE_LIMIT = 60.0, 5.0, 1.0
TICK = 0.05  # seconds between two checks of a thread that is waited for

log = logging.getLogger(__name__)


class CameraReader:
    """Puts each frame of a camera into the feed, where it replaces one that was not taken. See `Reader`.

    Frames are numbered from `first_id`, so that numbering continues when a camera is reopened.

    Args:
        thread: on which it works.
        source: the camera.
        context: see `Context`.
        first_id: id of the first frame.
    """

    def __init__(self, thread: SourceThread, source: Source, context: Context, first_id: int = 0) -> None:
        self._thread, self._source, self._context = thread, source, context
        self._hints = PictureHints(context.timing.hint)
        self.epoch = Epoch(is_camera=True)
        self.next_id, self.frames, self.period = first_id, 0, 0.0
        self.hint, self.remark = "", ""
        self._last_captured, self._was_late = 0.0, False

    def run(self) -> None:
        """Read until the camera ends or is abandoned."""
        while not self._thread.abandoned.is_set():
            frame, wait_ms = self._thread.call(self._source.read)
            if self._thread.abandoned.is_set():
                return
            if frame is None:
                self.remark, self.epoch.complete = self._source.remark, True
                return
            self.hint = self._hints.observe(frame.image, self._context.clock())
            self._count(frame.captured, wait_ms / 1e3)
            if not self._context.settings().paused:
                numbered = replace(frame, id=self.next_id, epoch=self.epoch, wait_ms=wait_ms)
                self.next_id += 1
                self._context.feed.replace(numbered)

    def wake(self) -> None:
        """End every wait: there is none outside the driver."""

    def _count(self, captured: float, waited: float) -> None:
        """Count a frame of the moment `captured` that the driver was asked for `waited` seconds before it came."""
        is_late = self.frames > 0 and waited > self._context.timing.stalled_after(self.period)
        if is_late:
            self.epoch = Epoch(is_camera=True)
            if self._thread.abandoned.is_set():  # a late frame of an abandoned camera, maybe just now
                self.epoch.over = True
        # Drivers keep frames: one that was ready is waited for no time, so waiting says nothing of the period.
        interval = captured - self._last_captured if self.frames else waited
        if self.frames < 2:  # no difference was known before
            self.period = interval
        elif not is_late or self._was_late:  # one late frame is a hiccup; several are how fast this camera is now
            self.period += PERIOD_WEIGHT * (interval - self.period)
        self._last_captured, self._was_late = captured, is_late
        self.frames += 1


class PictureHints:
    """Detects useless pictures of a camera: black ones, or the same one over and over.

    Args:
        after: seconds for which pictures must be black or frozen before that is reported.
    """

    def __init__(self, after: float) -> None:
        self._after = after
        self._last: NDArray[np.uint8] | None = None
        self._black_since: float | None = None
        self._frozen_since: float | None = None

    def observe(self, picture: NDArray[np.uint8], now: float) -> str:
        """Return what is wrong with the pictures up to `picture` `[H, W, 3]`, taken at `now` seconds; "" if nothing."""
        sparse = picture[::STRIDE, ::STRIDE].copy()
        black = sparse.mean() < BLACK_MEAN and sparse.std() < BLACK_SPREAD
        # Even a still scene differs from picture to picture by the noise of the sensor.
        frozen = self._last is not None and np.array_equal(sparse, self._last)
        self._last = sparse
        self._black_since = _since(self._black_since, black, now)
        self._frozen_since = _since(self._frozen_since, frozen, now)
        if self._lasts(self._black_since, now):
            return BLACK
        return FROZEN if self._lasts(self._frozen_since, now) else ""

    def _lasts(self, since: float | None, now: float) -> bool:
        return since is not None and now - since >= self._after


def _since(since: float | None, holds: bool | np.bool_, now: float) -> float | None:
    """Return since when a condition holds: as before, from now on, or None."""
    if not holds:
        return None
    return now if since is None else since


class GuardedCamera:
    """A camera that is read on its own thread: `read` gives the newest frame, and fails instead of blocking for ever.

    Args:
        camera: the open camera.
        thread: reads it.
        frames: the feed into which its reader puts the frames.
    """

    kind = SourceKind.CAMERA

    def __init__(self, camera: Source, thread: SourceThread, frames: Feed) -> None:
        self.name, self.rate, self.frame_count = camera.name, camera.rate, camera.frame_count
        self._camera, self._thread, self._frames = camera, thread, frames

    @property
    def remark(self) -> str:
        """The remark of the camera."""
        return self._camera.remark

    def read(self) -> Frame | None:
        """Return the next frame; None once the camera has ended or was closed.

        Raises:
            SourceError: the camera failed, or gave no answer in time.
        """
        while (frame := self._frames.take(0, TICK)) is None:
            has_ended = not self._thread.is_alive()  # asked first: its last frame and its error come before its end
            if self._thread.error is not None:
                raise self._thread.error
            if has_ended:
                return self._frames.take(0, 0.0)
            if self._thread.silent_for(time.monotonic()) > READ_LIMIT:
                raise SourceError(
                    f"The camera “{self.name}” stopped answering",
                    "it was unplugged, or its driver hangs",
                    "plug it in again",
                )
        return frame

    def close(self) -> None:
        """Release the device; a driver that does not return is abandoned."""
        self._thread.abandon()
        if not self._thread.join(CLOSE_LIMIT):
            log.info("The camera %s is abandoned: its driver hangs", self.name)


def open_guarded(open_source: Callable[[], Source]) -> Source:
    """Open a source to read its frames one by one, without a live session.

    A camera comes back as a `GuardedCamera`, everything else as it is.

    Args:
        open_source: opens the source; may block.

    Raises:
        SourceError: opening failed, or took longer than `OPEN_LIMIT`.
    """
    feed, sources = Feed(LiveSettings), list[Source]()
    feed.add()

    def make_reader(thread: SourceThread, source: Source) -> Reader | None:
        sources.append(source)
        return CameraReader(thread, source, Context(feed)) if thread.is_camera else None

    thread = SourceThread(open_source, make_reader, time.monotonic)
    thread.start()
    if not thread.opened.wait(OPEN_LIMIT):
        thread.abandon()
        raise SourceError(
            "The source did not open in time",
            "a camera's driver hangs, or a drive does not answer",
            "unplug the camera and plug it in again",
        )
    if not sources and thread.error is not None:
        raise thread.error
    return GuardedCamera(sources[0], thread, feed) if thread.is_camera else sources[0]
