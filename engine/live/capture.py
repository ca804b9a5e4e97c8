"""One source, opened and read by a thread of its own that can be left behind when a driver never returns."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from engine.core.errors import SourceError, UnderstudyError
from engine.core.frame import Frame
from engine.core.mailbox import Mailbox
from engine.live.hints import PictureHints
from engine.live.playback import Playback, Playhead, Wish
from engine.live.state import Timing
from engine.sources.base import FALLBACK_RATE, Seekable, Source, SourceKind
from engine.sources.discovery import CameraAbsent

log = logging.getLogger(__name__)

# A frame that claims to come later than this after the last one has a damaged time.
LONGEST_STEP = 5.0
# Weight of the newest interval in the running mean of a camera's frame period.
PERIOD_WEIGHT = 0.2


class CameraReplaced(SourceError):
    """Another camera answers in place of the one that was lost; whether it is to be used, the user must say."""


@dataclass(frozen=True)
class Captured:
    """What a capture hands over.

    Attributes:
        capture: where it comes from; a late frame of one that was given up is recognised by it.
        frame: the frame, or None once after the last one.
        wait_ms: milliseconds that reading took.
        place: of the frame in its file.
        turn: in which it was read; see `Playhead`.
        follows: whether it follows the frame before it in time.
        asked: whether the user went there, so that it is shown in a pause too.
    """

    capture: Capture
    frame: Frame | None
    wait_ms: float
    place: int = 0
    turn: int = 0
    follows: bool = True
    asked: bool = False


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

    def restart(self) -> None:
        """Let the next frame be due at once."""
        self._due = None

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
        mailbox: where frames go.
        timing: see `Timing`.
        clock: tells seconds.
        hold: while set, the frames of a camera are let go uncounted, and a file gives only those that are asked for.
        first_id: id of the first frame.
        expected: name that the source must have; "" for any.
        loop: while set, a file starts again at its end.

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
    """

    def __init__(
        self,
        open_source: Callable[[], Source],
        mailbox: Mailbox[Captured],
        timing: Timing,
        clock: Callable[[], float],
        hold: threading.Event,
        first_id: int = 0,
        expected: str = "",
        loop: threading.Event | None = None,
    ) -> None:
        self._open_source, self._mailbox, self._timing, self._clock = open_source, mailbox, timing, clock
        self._hold, self._expected = hold, expected
        self._loop = loop or threading.Event()
        self.source_name, self.is_camera, self.opened = "", False, False
        self.next_id, self.frames, self.period = first_id, 0, 0.0
        self.hint, self.remark = "", ""
        self.error: UnderstudyError | None = None
        self._head = Playhead()
        self._length: tuple[float | None, int | None] | None = None  # seconds and frames of a file that can be sought
        self._endless = False
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

    @property
    def playback(self) -> Playback | None:
        """Where a file stands; None for cameras, and for what cannot be sought in."""
        if self._length is None or not self.frames:
            return None
        (duration, count), (number, position) = self._length, self._head.shown
        if self._endless and duration:
            position %= duration
        elif duration is not None:
            duration = max(duration, position)  # what a file says of itself may be wrong
        return Playback(position, duration, number, count, self._endless)

    @property
    def drained(self) -> bool:
        """Whether every frame was worked on."""
        return self._head.ended

    def seek(self, seconds: float) -> None:
        """Go on at a moment of the file; of many calls only the last one counts."""
        playback = self.playback
        if playback is None:
            return
        if playback.duration:
            seconds = seconds % playback.duration if playback.endless else min(seconds, playback.duration)
        self._head.seek(max(0.0, seconds))

    def step(self, frames: int) -> None:
        """Go on so many frames after, or before, the one on screen; the frames of several calls add up."""
        if self.playback is not None:
            self._head.step(frames)

    def counts(self, captured: Captured) -> bool:
        """Tell whether what was captured is still of use: the user went nowhere else since."""
        return self._head.counts(captured.turn)

    def show(self, captured: Captured) -> bool:
        """Note that a frame is shown; return False if it is of no use any more and must not be."""
        frame, place = captured.frame, captured.place
        return frame is not None and self._head.show(captured.turn, place, self._position(frame, place))

    def end(self, captured: Captured) -> None:
        """Note that the end mark came: every frame was worked on."""
        self._head.end(captured.turn)

    def abandon(self) -> None:
        """Give the source up without waiting: nothing it still delivers counts, and it is closed in the background."""
        self._abandoned.set()
        self._head.woken.set()
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
        if self.is_camera:
            self._read_camera(source)
        else:
            self._read_file(source)

    def _read_camera(self, source: Source) -> None:
        hints = PictureHints(self._timing.hint)
        while not self._abandoned.is_set():
            frame, wait_ms = self._read(source)
            if self._abandoned.is_set():
                return
            if frame is None:
                self.remark = source.remark
                self._give(Captured(self, None, 0.0))
                return
            self.hint = hints.observe(frame.image, self._clock())
            self._give_newest(frame, wait_ms)

    def _read(self, source: Source) -> tuple[Frame | None, float]:
        """Return the next frame and the milliseconds it took."""
        self._busy_since, start = self._clock(), time.perf_counter()
        frame = source.read()
        self._busy_since = None
        return frame, (time.perf_counter() - start) * 1e3

    def _give_newest(self, frame: Frame, wait_ms: float) -> None:
        interval = wait_ms / 1e3
        self.period = interval if not self.period else self.period + PERIOD_WEIGHT * (interval - self.period)
        self.frames += 1
        if not self._hold.is_set():
            self._mailbox.replace(Captured(self, self._numbered(frame), wait_ms))

    def _read_file(self, source: Source) -> None:
        """Give every frame at its time, go where the user wants, and start again at the end if that is wanted."""
        reel = source if isinstance(source, Seekable) else None
        pacer = Pacer(source.rate, self._clock, self._head.woken)
        self.period, self._endless = pacer.period, source.kind is SourceKind.SAMPLE
        ahead: deque[tuple[Frame, float]] = deque()  # read, but not shown yet
        follows, asked, last = True, False, 0
        while True:
            wish, turn = self._head.take()
            if self._abandoned.is_set():
                return
            if wish is not None and reel is not None:
                self._go(reel, wish, ahead)
                pacer.restart()
                follows, asked = False, True
            frame, wait_ms = ahead.popleft() if ahead else self._read(source)
            if self._abandoned.is_set():
                return
            if reel is not None:
                self._length = reel.duration, source.frame_count
            if frame is None and reel is not None and last > 0 and self._loop.is_set():
                reel.seek(0)
                follows, last = False, 0
                continue
            if frame is None:
                self.remark = source.remark
                self._give(Captured(self, None, 0.0, turn=turn))
                if reel is None:
                    return
                self._head.woken.wait()  # for somebody who goes back in the file
                continue
            last = frame.id
            if asked:
                self._head.arrive(last, self._position(frame, last))
            if self._give_in_time(Captured(self, frame, wait_ms, last, turn, follows, asked), pacer):
                follows, asked = True, False
            else:
                ahead.appendleft((frame, wait_ms))

    def _go(self, reel: Seekable, wish: Wish, ahead: deque[tuple[Frame, float]]) -> None:
        """Fulfil a wish, by what was read already if that will do."""
        place = wish.place(reel, self._head.shown[0])
        left = self._mailbox.take(0.0)
        if left is not None and left.frame is not None and left.capture is self:
            ahead.appendleft((replace(left.frame, id=left.place), left.wait_ms))
        while ahead and ahead[0][0].id != place:
            ahead.popleft()
        if not ahead:
            self._busy_since = self._clock()
            reel.seek(place)

    def _give_in_time(self, captured: Captured, pacer: Pacer) -> bool:
        """Give a frame at its moment; return False if something else is to be done instead."""
        frame, woken = captured.frame, self._head.woken
        assert frame is not None
        pacer.wait(frame.time)
        while self._hold.is_set() and self.frames and not captured.asked and not woken.is_set():
            woken.wait(self._timing.tick)
        # What waited for its moment counts as taken at that moment, as if a camera had seen it.
        frame = replace(frame, id=self.next_id, captured=self._clock())
        given = self._give(replace(captured, frame=frame))
        self.next_id += given
        return given

    def _give(self, captured: Captured) -> bool:
        """Hand something over as soon as there is room; return False if something else is to be done instead."""
        while not self._head.woken.is_set():
            if self._mailbox.put(captured, self._timing.tick):
                self.frames += captured.frame is not None
                return True
        return False

    def _position(self, frame: Frame, place: int) -> float:
        """Return where in its file a frame stands, in seconds."""
        return place * self.period if frame.time is None or not math.isfinite(frame.time) else frame.time

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
    return CameraReplaced(
        f"The camera “{expected}” is gone, and “{source.name}” answers in its place",
        "it was unplugged, and the system numbered the others anew",
        f"plug it in again, or choose “{source.name}”",
    )
