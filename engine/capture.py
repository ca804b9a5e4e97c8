"""One source, opened and read by a thread of its own that can be left behind when a driver never returns."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from engine.errors import SourceError, UnderstudyError
from engine.frame import Frame
from engine.hints import PictureHints
from engine.live_state import Timing
from engine.slot import Slot
from engine.sources.base import FALLBACK_RATE, Source, SourceKind
from engine.sources.discovery import CameraAbsent

log = logging.getLogger(__name__)

# A frame that claims to come later than this after the last one has a damaged time.
LONGEST_STEP = 5.0
# Weight of the newest interval in the running mean of a camera's frame period.
PERIOD_WEIGHT = 0.2


@dataclass(frozen=True)
class Captured:
    """What a capture hands over.

    Attributes:
        capture: where it comes from; a late frame of one that was given up is recognised by it.
        frame: the frame, or None once after the last one.
        wait_ms: milliseconds that reading took.
    """

    capture: Capture
    frame: Frame | None
    wait_ms: float


class Pacer:
    """Shows the frames of a file at the speed at which they were filmed.

    Args:
        rate: frames per second where frames do not tell their time.
        clock: tells seconds.
        stop: ends every wait.
    """

    def __init__(self, rate: float | None, clock: Callable[[], float], stop: threading.Event) -> None:
        self.period = 1 / rate if rate is not None and math.isfinite(rate) and rate > 0 else 1 / FALLBACK_RATE
        self._clock = clock
        self._stop = stop
        self._due: float | None = None
        self._last_moment: float | None = None

    def wait(self, moment: float | None) -> None:
        """Wait until the frame that stands at `moment` seconds of the file is due."""
        now = self._clock()
        # After a delay the film goes on at its own speed: making up for lost time would look like a fast forward.
        self._due = now if self._due is None else max(self._due + self._step(moment), now)
        self._last_moment = moment
        self._stop.wait(self._due - now)

    def _step(self, moment: float | None) -> float:
        if moment is None or self._last_moment is None:
            return self.period
        step = moment - self._last_moment
        return step if 0 < step <= LONGEST_STEP else self.period


class Capture:
    """Opens a source on its own thread and hands its frames over: the newest only of a camera, every one of a file.

    The thread knows no way back: a source that failed or was abandoned is over. Frames are numbered on from
    `first_id`, so that numbers go on when a camera is opened again.

    Args:
        open_source: opens the source; may block.
        slot: where frames go.
        timing: see `Timing`.
        clock: tells seconds.
        hold: while set, the frames of a camera are let go uncounted.
        first_id: id of the first frame.
        expected: name that the source must have; "" for any.

    Attributes:
        source_name: name of the source, "" until it is open.
        is_camera: whether frames are live; False until it is open.
        opened: whether the source is open.
        started: when it was made.
        next_id: id of the next frame that counts.
        frames: how many frames came.
        period: seconds from frame to frame: measured for cameras, told by files.
        hint: what is wrong with the pictures, "" if nothing.
        remark: what the source has to say at its end, "" if nothing.
        error: why it failed.
        drained: set by whoever takes the end mark out of the slot: every frame was worked on.
    """

    def __init__(
        self,
        open_source: Callable[[], Source],
        slot: Slot[Captured],
        timing: Timing,
        clock: Callable[[], float],
        hold: threading.Event,
        first_id: int = 0,
        expected: str = "",
    ) -> None:
        self._open_source, self._slot, self._timing, self._clock = open_source, slot, timing, clock
        self._hold, self._expected = hold, expected
        self.source_name, self.is_camera, self.opened = "", False, False
        self.next_id, self.frames, self.period = first_id, 0, 0.0
        self.hint, self.remark = "", ""
        self.error: UnderstudyError | None = None
        self.drained = False
        self.started = clock()
        self._busy_since: float | None = self.started
        self._abandoned = threading.Event()
        self._handing_source = threading.Lock()
        self._source: Source | None = None
        self._threads = [threading.Thread(target=self._run, name="capture", daemon=True)]

    def start(self) -> None:
        """Begin to open the source."""
        self._threads[0].start()

    def silent_for(self, now: float) -> float:
        """Return the seconds that the present call of the driver has lasted at `now`; 0 between calls."""
        since = self._busy_since
        return 0.0 if since is None else now - since

    def abandon(self) -> None:
        """Give the source up without waiting: nothing it still delivers counts, and it is closed in the background."""
        self._abandoned.set()
        if self._has_source():
            closer = threading.Thread(target=self._close, name="closing", daemon=True)
            self._threads.append(closer)
            closer.start()

    def join(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for the threads; return whether they ended."""
        deadline = self._clock() + timeout
        for thread in self._threads:
            thread.join(max(0.0, deadline - self._clock()))
        return not self.is_alive()

    def is_alive(self) -> bool:
        """Tell whether a thread of this capture still runs."""
        return any(thread.is_alive() for thread in self._threads)

    def _run(self) -> None:
        try:
            self._read_all(self._open())
        except UnderstudyError as error:
            self.error = error
        except Exception as error:  # whatever a driver or a decoder throws must reach the user as a sentence
            log.exception("The source failed")
            which = f"The source {self.source_name or self._expected}".rstrip()
            self.error = SourceError(f"{which} failed ({error})", "its driver or file is faulty", "open it again")
        finally:
            self._busy_since = None
            self._close()

    def _open(self) -> Source:
        source = self._open_source()
        with self._handing_source:
            self._source = source
        if self._expected and source.name != self._expected:
            raise _another(self._expected, source)
        self.source_name, self.is_camera = source.name, source.kind is SourceKind.CAMERA
        self.opened = True
        return source

    def _read_all(self, source: Source) -> None:
        pacer = None if self.is_camera else Pacer(source.rate, self._clock, self._abandoned)
        hints = PictureHints(self._timing.hint)
        if pacer is not None:
            self.period = pacer.period
        while not self._abandoned.is_set():
            self._busy_since, start = self._clock(), time.perf_counter()
            frame = source.read()
            self._busy_since, wait_ms = None, (time.perf_counter() - start) * 1e3
            if self._abandoned.is_set():
                return
            if frame is None:
                self.remark = source.remark
                self._give(Captured(self, None, 0.0))
                return
            if pacer is None:
                self.hint = hints.observe(frame.image, self._clock())
                self._give_newest(frame, wait_ms)
            else:
                pacer.wait(frame.time)
                # What waited for its moment counts as taken at that moment, as if a camera had seen it.
                self._give(Captured(self, replace(self._numbered(frame), captured=self._clock()), wait_ms))

    def _give_newest(self, frame: Frame, wait_ms: float) -> None:
        interval = wait_ms / 1e3
        self.period = interval if not self.period else self.period + PERIOD_WEIGHT * (interval - self.period)
        self.frames += 1
        if not self._hold.is_set():
            self._slot.replace(Captured(self, self._numbered(frame), wait_ms))

    def _give(self, captured: Captured) -> None:
        while not self._abandoned.is_set():
            if self._slot.put(captured, self._timing.tick):
                self.frames += captured.frame is not None
                return

    def _numbered(self, frame: Frame) -> Frame:
        number, self.next_id = self.next_id, self.next_id + 1
        return frame if frame.id == number else replace(frame, id=number)

    def _has_source(self) -> bool:
        with self._handing_source:
            return self._source is not None

    def _close(self) -> None:
        with self._handing_source:
            source, self._source = self._source, None
        if source is None:
            return
        try:
            source.close()
        except Exception:  # the source is given up, so its complaint only goes into the log
            log.exception("Closing %s failed", source.name)


def _another(expected: str, source: Source) -> SourceError:
    if source.kind is not SourceKind.CAMERA:
        return CameraAbsent(f"The camera “{expected}” is not plugged in", "it was unplugged", "plug it in again")
    return SourceError(
        f"The camera “{expected}” is gone, and “{source.name}” answers in its place",
        "it was unplugged, and the system numbered the others anew",
        f"plug it in again, or choose “{source.name}”",
    )
