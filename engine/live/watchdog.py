"""Watches a live source: reports what it is doing, and opens a lost camera again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from engine.core.errors import SourceError, UnderstudyError, sentence
from engine.live.camera_reader import CameraReader
from engine.live.feed import Context
from engine.live.file_reader import FileReader
from engine.live.reader import CameraReplaced, Reader, SourceThread
from engine.live.state import Retries, SourceState, StateMachine, Status
from engine.sources.base import Source
from engine.sources.discovery import CameraAbsent

log = logging.getLogger(__name__)


class Watchdog:
    """Keeps one source open and its status up to date, on a thread that never calls a driver.

    Args:
        open_source: opens the source; called again, on a thread of its own each time, when a camera was lost.
        context: see `Context`; notified of every change of the status, on the watchdog's thread.
    """

    def __init__(self, open_source: Callable[[], Source], context: Context) -> None:
        self._open_source, self._context = open_source, context
        self._timing, self._clock = context.timing, context.clock
        self._machine = StateMachine(context.notify)
        self._retries = Retries(self._timing)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
        self._source: SourceThread | None = None  # None while a lost camera is waited for
        self._abandoned: list[SourceThread] = []
        self._reopening = threading.Event()
        self._camera = ""  # name of the camera once it was live; files, and cameras that never worked, are not retried
        self._next_id = 0
        self._retry_at = 0.0

    @property
    def status(self) -> Status:
        """What the source is doing."""
        return self._machine.status

    @property
    def reader(self) -> Reader | None:
        """The reader of the open source; None until it is open, and while a lost camera is waited for."""
        source = self._source
        return None if source is None else source.reader

    def start(self) -> None:
        """Begin to open the source."""
        self._thread.start()

    def reopen(self) -> None:
        """Close the camera and open it again soon; only a camera that was live is affected."""
        self._reopening.set()

    def stop(self, timeout: float) -> bool:
        """Abandon the source; return whether every thread ended within `timeout` seconds."""
        deadline = self._clock() + timeout
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout)
        if self._source is not None:
            self._drop(self._source)
        for source in self._abandoned:
            if source.join(max(0.0, deadline - self._clock())):
                source.reader = None  # they refer to each other: a source is to be freed at once, not some time later
        stuck = self._abandoned = [source for source in self._abandoned if source.is_alive()]
        for source in stuck:
            log.warning("A driver does not return; its thread is abandoned (%s)", source.name)
        return not stuck and not self._thread.is_alive()

    def _run(self) -> None:
        self._connect()
        while not self._stopping.wait(self._timing.tick):
            self._poll(self._clock())

    def _poll(self, now: float) -> None:
        """Update the status, and abandon or open the source when it is time."""
        source = self._source
        if self.status.state is SourceState.FAILED:
            return
        if self._reopening.is_set():
            self._reopening.clear()
            if self._camera:
                self._begin_again(now)
        elif source is None:
            if now >= self._retry_at:
                self._report(f"Opening “{self._camera}” again.")
                self._connect()
        else:
            self._check(source, now)

    def _check(self, source: SourceThread, now: float) -> None:
        """Update the status from a source that is open or being opened."""
        reader = source.reader
        has_frames = reader is not None and reader.frames > 0
        if has_frames and self.status.state in (SourceState.STARTING, SourceState.RECONNECTING):
            self._on_first_frame(source)
        elif source.error is not None:
            self._failed(source, source.error, now)
        elif reader is not None and reader.epoch.drained:
            self._machine.move(SourceState.ENDED, reader.remark, source.name)
        elif reader is not None and has_frames:
            self._check_silence(source, reader, now)
        else:
            self._check_opening(source, now)

    def _on_first_frame(self, source: SourceThread) -> None:
        """Set the source live, at its first frame."""
        if self.status.state is SourceState.RECONNECTING:
            self._retries.attempted(source.started)
            self._retries.succeeded()
        if source.is_camera:
            self._camera = source.name
        self._machine.move(SourceState.LIVE, "", source.name)

    def _check_silence(self, source: SourceThread, reader: Reader, now: float) -> None:
        """Detect a stalled or lost source by how long it has been silent."""
        silent = source.silent_for(now)
        if source.is_camera and silent > self._timing.dead_after(reader.period):
            self._failed(source, _silent(source), now)
        elif silent > self._timing.stalled_after(reader.period):
            self._machine.move(SourceState.STALLED, f"“{source.name}” has sent no new picture for a moment.")
        else:
            self._machine.move(SourceState.LIVE, reader.hint)

    def _check_opening(self, source: SourceThread, now: float) -> None:
        """Report a source that has delivered no frame yet, by how long it takes."""
        waited = now - source.started
        if source.is_camera and source.silent_for(now) > self._timing.dead_after(0.0):
            self._failed(source, _silent(source), now)
        elif waited > self._timing.open_limit:
            self._failed(source, _never_opened(self._timing.open_limit), now)
        elif waited > self._timing.slow_opening:
            self._report(
                f"Opening is taking a long time ({waited:.0f} s so far). Some camera drivers need up to a minute."
            )

    def _failed(self, source: SourceThread, error: UnderstudyError, now: float) -> None:
        """End with the error's sentence, or plan to open the camera again if it had been live."""
        if not self._camera:
            self._abandon(source)  # what was read from it may still be shown
            self._machine.move(SourceState.FAILED, str(error), source.name, error)
            return
        self._drop(source)
        if isinstance(error, CameraAbsent):
            self._retry_at = now + self._retries.next_check(now)
            plan = "The picture comes back by itself once it is plugged in."
        else:
            if self.status.state is SourceState.RECONNECTING:
                self._retries.attempted(source.started)
            pause = self._retries.next(now)
            self._retry_at = now + pause
            plan = f"Trying again in {pause:.0f} s." if pause >= 1 else "Trying again."
            if isinstance(error, CameraReplaced):
                plan = sentence(error.fix)
        self._machine.move(SourceState.RECONNECTING, f"{error.what}. {plan}")

    def _begin_again(self, now: float) -> None:
        """Close the camera at the user's request; a lost one is looked for at once."""
        if self._source is not None:
            self._drop(self._source)
        # The shortest pause gives the driver time to release the device.
        self._retry_at = now + self._timing.retries[0]
        self._machine.move(SourceState.RECONNECTING, f"Opening “{self._camera}” again.")

    def _connect(self) -> None:
        self._source = SourceThread(self._open_source, self._make_reader, self._clock, self._camera)
        self._source.start()

    def _make_reader(self, thread: SourceThread, source: Source) -> Reader:
        kind = CameraReader if thread.is_camera else FileReader
        return kind(thread, source, self._context, self._next_id)

    def _drop(self, source: SourceThread) -> None:
        """Abandon a source; none of its frames may be shown any more."""
        self._source = None
        self._abandon(source)
        if source.reader is not None:
            source.reader.epoch.over = True
            self._next_id = source.reader.next_id

    def _abandon(self, source: SourceThread) -> None:
        source.abandon()
        self._abandoned = [known for known in self._abandoned if known.is_alive()]
        self._abandoned.append(source)

    def _report(self, message: str) -> None:
        self._machine.move(self.status.state, message)


def _silent(source: SourceThread) -> SourceError:
    return SourceError(
        f"The camera “{source.name}” has stopped sending pictures",
        "it was unplugged, or its driver hangs",
        "plug it in again",
    )


def _never_opened(limit: float) -> SourceError:
    return SourceError(
        f"The source could not be opened within {limit:.0f} s",
        "its driver or drive hangs",
        "unplug the device and plug it in again, or choose another source",
    )
