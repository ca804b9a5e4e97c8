"""Reads a file: every frame at its time, with seeking, stepping and looping."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from engine.core.frame import Epoch, Frame
from engine.live.feed import Context
from engine.live.reader import SourceThread
from engine.sources.base import FALLBACK_RATE, Seekable, Source, SourceKind

# A frame that claims to come later than this after the last one has a damaged time.
LONGEST_STEP = 5.0


@dataclass(frozen=True)
class Playback:
    """The position in a file.

    Attributes:
        position: of the frame on screen, in seconds.
        duration: of the file in seconds, as far as is known; None if unknown.
        number: of the frame on screen, counted from 0.
        count: number of frames if it is known for certain, else None.
        endless: whether it repeats by itself.
    """

    position: float
    duration: float | None
    number: int
    count: int | None
    endless: bool = False


@dataclass(frozen=True)
class SeekRequest:
    """Where to continue: at a moment, or a number of frames from the one on screen.

    Attributes:
        seconds: the moment; None for the frame on screen.
        frames: how many frames further; negative ones go back.
    """

    seconds: float | None
    frames: int

    def place(self, film: Seekable, shown: int) -> int:
        """Return the place of the requested frame, while the one at `shown` is on screen."""
        begin = shown if self.seconds is None else film.place_at(self.seconds)
        return max(0, begin + self.frames)


class Pacer:
    """Shows the frames of a file at the speed at which they were filmed.

    Args:
        rate: frames per second where frames have no time.
        clock: returns seconds.
        stop: ends every wait.
    """

    def __init__(self, rate: float | None, clock: Callable[[], float], stop: threading.Event) -> None:
        self.period = 1 / rate if rate is not None and math.isfinite(rate) and rate > 0 else 1 / FALLBACK_RATE
        self._clock = clock
        self._stop = stop
        self._due: float | None = None
        self._last_moment: float | None = None

    def wait(self, moment: float | None) -> None:
        """Wait until the frame at `moment` seconds of the file is due."""
        now = self._clock()
        # After a delay the file continues at normal speed: catching up would look like fast forward.
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


class FileReader:
    """Puts every frame of a file into the feed at its time, once there is room. See `Reader`.

    `seek`, `step` and `playback` may be used from any thread. A seek ends the epoch, so no earlier frame is shown any
    more, and begins another; a loop only begins another.

    Args:
        thread: on which it works.
        source: the file.
        context: see `Context`.
        first_id: id of the first frame.
    """

    def __init__(self, thread: SourceThread, source: Source, context: Context, first_id: int = 0) -> None:
        self._thread, self._source, self._context = thread, source, context
        self._film = source if isinstance(source, Seekable) else None
        self._woken = threading.Event()  # set when a wait should end early
        self._pacer = Pacer(source.rate, context.clock, self._woken)
        self._endless = source.kind is SourceKind.SAMPLE
        self._length: tuple[float | None, int | None] | None = None  # seconds and frames of a film
        self._lock = threading.Lock()
        self._request: SeekRequest | None = None
        self._ahead: deque[Frame] = deque()  # read, but not handed over yet
        self._last = 0  # place of the frame that was read last
        self.epoch = Epoch()
        self.next_id, self.frames, self.period = first_id, 0, self._pacer.period
        self.hint, self.remark = "", ""

    @property
    def playback(self) -> Playback | None:
        """The position in the file; None if it cannot be sought in, and before the first frame."""
        if self._length is None or not self.frames:
            return None
        (duration, count), (place, time) = self._length, self.epoch.shown
        position = place * self.period if time is None or not math.isfinite(time) else time
        if self._endless and duration:
            position %= duration
        elif duration is not None:
            duration = max(duration, position)  # what a file says of itself may be wrong
        return Playback(position, duration, place, count, self._endless)

    def seek(self, seconds: float) -> None:
        """Continue at a moment of the file; of many calls only the last one counts."""
        playback = self.playback
        if playback is None:
            return
        if playback.duration:
            seconds = seconds % playback.duration if playback.endless else min(seconds, playback.duration)
        seconds = max(0.0, seconds)
        self._ask(lambda _: SeekRequest(seconds, 0), seconds)

    def step(self, frames: int) -> None:
        """Continue this many frames after, or before, the one on screen; several calls add up."""
        if self.playback is not None:
            self._ask(lambda old: SeekRequest(old.seconds if old else None, (old.frames if old else 0) + frames))

    def wake(self) -> None:
        """End every wait, because the source was abandoned."""
        self._woken.set()

    def run(self) -> None:
        """Deliver frames until the source is abandoned, or ends and cannot be sought in."""
        while True:
            request = self._take_request()
            if self._thread.abandoned.is_set():
                return
            if request is not None and self._film is not None:
                self._go(self._film, request)
            frame, epoch = self._ahead.popleft() if self._ahead else self._read(), self.epoch
            if self._thread.abandoned.is_set():
                return
            if self._film is not None:
                self._length = self._film.duration, self._source.frame_count
            if frame is not None:
                self._give_in_time(replace(frame, epoch=epoch, asked=request is not None))
            elif not self._loops() and not self._waits_at_end():
                return

    def _ask(self, request: Callable[[SeekRequest | None], SeekRequest], seconds: float | None = None) -> None:
        with self._lock:
            place, time = self.epoch.shown
            self.epoch.over = True
            self.epoch = Epoch(shown=(place, time if seconds is None else seconds))
            self._request = request(self._request)
            self._woken.set()

    def _take_request(self) -> SeekRequest | None:
        with self._lock:
            if not self._thread.abandoned.is_set():
                self._woken.clear()
            request, self._request = self._request, None
            return request

    def _go(self, film: Seekable, request: SeekRequest) -> None:
        """Continue at the requested place, with frames that were read already if possible."""
        place = request.place(film, self.epoch.shown[0])
        left = self._context.feed.take_back()
        if left is not None:
            self._ahead.appendleft(left)
        while self._ahead and self._ahead[0].place != place:
            self._ahead.popleft()
        if not self._ahead:
            self._thread.call(lambda: film.seek(place))
        self._pacer.restart()

    def _read(self) -> Frame | None:
        """Return the next frame; None at the end."""
        frame, wait_ms = self._thread.call(self._source.read)
        if frame is None:
            return None
        if self.frames and wait_ms / 1e3 > self._context.timing.stalled_after(self.period):
            self._begin_epoch()
        self._last = frame.id
        return replace(frame, place=frame.id, wait_ms=wait_ms)

    def _begin_epoch(self) -> None:
        """Begin another epoch; what was read before may still be shown."""
        with self._lock:
            if self._request is None:
                self.epoch = Epoch(shown=self.epoch.shown)

    def _loops(self) -> bool:
        """At the end, go back to the start if the file loops; a single picture does not."""
        film = self._film
        if film is None or self._last == 0 or not self._context.loop():
            return False
        self._thread.call(lambda: film.seek(0))
        self._last = 0
        self._begin_epoch()
        return True

    def _waits_at_end(self) -> bool:
        """Note that every frame was delivered; wait for a request to go back, if the file can be sought in."""
        self.remark = self._source.remark
        with self._lock:
            if self._request is None:  # else the next epoch has begun already
                self.epoch.complete = True
        return self._film is not None and self._woken.wait()

    def _give_in_time(self, frame: Frame) -> None:
        """Deliver a frame at its moment, or keep it if a request comes first."""
        if frame.asked:
            with self._lock:
                self.epoch.shown = frame.number, frame.time  # further steps count from it
        self._pacer.wait(frame.time)
        while self._context.settings().paused and self.frames and not frame.asked and not self._woken.is_set():
            self._woken.wait(self._context.timing.tick)
        # A frame that waited for its moment counts as captured at that moment, like one of a camera.
        given = replace(frame, id=self.next_id, captured=self._context.clock())
        while not self._woken.is_set():
            if self._context.feed.put(given, self._context.timing.tick):
                frame.epoch.given = self.next_id
                self.next_id += 1
                self.frames += 1
                return
        self._ahead.appendleft(frame)
