"""Watches over a live source: says what it is doing, and opens a camera again that was lost."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from engine.core.errors import SourceError, UnderstudyError, sentence
from engine.core.mailbox import Mailbox
from engine.live.capture import CameraReplaced, Capture, Captured
from engine.live.state import Retries, SourceState, StateMachine, Status, Timing
from engine.sources.base import Source
from engine.sources.discovery import CameraAbsent

log = logging.getLogger(__name__)


class Watchdog:
    """Keeps one capture going and the status true, on a thread that never calls a driver.

    Args:
        open_source: opens the source; called again, on a thread of its own each time, when a camera was lost.
        mailbox: where the frames go.
        changed: called after every change of the status, on the watchdog's thread.
        timing: see `Timing`.
        clock: tells seconds.

    Attributes:
        hold: set it to let the frames of a camera go by uncounted, and to make a file wait.
        loop: set it to let a file start again at its end.
    """

    def __init__(
        self,
        open_source: Callable[[], Source],
        mailbox: Mailbox[Captured],
        changed: Callable[[], None],
        timing: Timing,
        clock: Callable[[], float],
    ) -> None:
        self._open_source, self._mailbox, self._timing, self._clock = open_source, mailbox, timing, clock
        self.hold, self.loop = threading.Event(), threading.Event()
        self._machine = StateMachine(changed)
        self._retries = Retries(timing)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
        self._capture: Capture | None = None
        self._given_up: list[Capture] = []
        self._reopening = threading.Event()
        self._camera = ""  # name of the camera once it was live; files and cameras that never worked are not retried
        self._next_id = 0
        self._retry_at = 0.0

    @property
    def status(self) -> Status:
        """What the source is doing."""
        return self._machine.status

    @property
    def capture(self) -> Capture | None:
        """What reads the source now; None while a lost camera is waited for."""
        return self._capture

    def counts(self, captured: Captured) -> bool:
        """Tell whether what was captured is still of use."""
        return captured.capture is self._capture and captured.capture.counts(captured)

    def start(self) -> None:
        """Begin to open the source."""
        self._thread.start()

    def reopen(self) -> None:
        """Give the camera up and open it again soon; anything but a camera that was live goes on as it is."""
        self._reopening.set()

    def stop(self, timeout: float) -> bool:
        """Give the source up; return whether every thread ended within `timeout` seconds."""
        deadline = self._clock() + timeout
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout)
        if self._capture is not None:
            self._give_up(self._capture)
        for capture in self._given_up:
            capture.join(max(0.0, deadline - self._clock()))
        stuck = [capture for capture in self._given_up if capture.is_alive()]
        for capture in stuck:
            log.warning("A driver does not return; its thread is left behind (%s)", capture.source_name)
        return not stuck and not self._thread.is_alive()

    def _run(self) -> None:
        self._connect()
        while not self._stopping.wait(self._timing.tick):
            self._look(self._clock())

    def _look(self, now: float) -> None:
        capture = self._capture
        if self.status.state is SourceState.FAILED:
            return
        if self._reopening.is_set():
            self._reopening.clear()
            if self._camera:
                self._begin_anew(now)
        elif capture is None:
            if now >= self._retry_at:
                self._say(f"Opening “{self._camera}” again.")
                self._connect()
        elif capture.frames and self.status.state in (SourceState.STARTING, SourceState.RECONNECTING):
            self._welcome(capture)
        elif capture.error is not None:
            self._failed(capture, capture.error, now)
        elif capture.drained:
            self._machine.move(SourceState.ENDED, capture.remark, capture.source_name)
        elif capture.frames:
            self._watch(capture, now)
        else:
            self._watch_opening(capture, now)

    def _welcome(self, capture: Capture) -> None:
        """Greet the first frame of a source."""
        if self.status.state is SourceState.RECONNECTING:
            self._retries.attempted(capture.started)
            self._retries.succeeded()
        if capture.is_camera:
            self._camera = capture.source_name
        self._machine.move(SourceState.LIVE, "", capture.source_name)

    def _watch(self, capture: Capture, now: float) -> None:
        """Judge a live source by how long it has been silent."""
        silent = capture.silent_for(now)
        if capture.is_camera and silent > self._timing.dead_after(capture.period):
            self._failed(capture, _silent(capture), now)
        elif silent > self._timing.stalled_after(capture.period):
            message = f"“{capture.source_name}” has sent no new picture for a moment."
            self._machine.move(SourceState.STALLED, message)
        else:
            self._machine.move(SourceState.LIVE, capture.hint)

    def _watch_opening(self, capture: Capture, now: float) -> None:
        """Judge a source that has given no frame yet."""
        waited = now - capture.started
        if capture.is_camera and capture.silent_for(now) > self._timing.dead_after(0.0):
            self._failed(capture, _silent(capture), now)
        elif waited > self._timing.open_limit:
            self._failed(capture, _never_opened(self._timing.open_limit), now)
        elif waited > self._timing.slow_opening:
            self._say(f"Opening takes long: {waited:.0f} s so far. Some camera drivers need up to a minute.")

    def _failed(self, capture: Capture, error: UnderstudyError, now: float) -> None:
        """End with the error's sentence, or plan to open the camera again if it had been live."""
        self._give_up(capture)
        if not self._camera:
            self._machine.move(SourceState.FAILED, str(error), capture.source_name, error)
            return
        self._next_id = capture.next_id
        self._capture = None
        if isinstance(error, CameraAbsent):
            self._retry_at = now + self._retries.next_look(now)
            plan = "The picture comes back by itself once it is plugged in."
        else:
            if self.status.state is SourceState.RECONNECTING:
                self._retries.attempted(capture.started)
            pause = self._retries.next(now)
            self._retry_at = now + pause
            plan = f"Trying again in {pause:.0f} s." if pause >= 1 else "Trying again."
            if isinstance(error, CameraReplaced):
                plan = sentence(error.fix)
        self._machine.move(SourceState.RECONNECTING, f"{error.what}. {plan}")

    def _begin_anew(self, now: float) -> None:
        """Give the camera up because the user wants it so; a lost one is looked for at once."""
        if self._capture is not None:
            self._give_up(self._capture)
            self._next_id = self._capture.next_id
            self._capture = None
        # The driver gets the shortest of the pauses for letting go of the device.
        self._retry_at = now + self._timing.retries[0]
        self._machine.move(SourceState.RECONNECTING, f"Opening “{self._camera}” again.")

    def _connect(self) -> None:
        capture = Capture(
            self._open_source,
            self._mailbox,
            self._timing,
            self._clock,
            self.hold,
            self._next_id,
            self._camera,
            self.loop,
        )
        # Known before it runs: its first frame must count.
        self._capture = capture
        capture.start()

    def _give_up(self, capture: Capture) -> None:
        capture.abandon()
        self._given_up = [known for known in self._given_up if known.is_alive()]
        self._given_up.append(capture)

    def _say(self, message: str) -> None:
        self._machine.move(self.status.state, message)


def _silent(capture: Capture) -> SourceError:
    return SourceError(
        f"The camera “{capture.source_name}” has stopped sending pictures",
        "it was unplugged, or its driver hangs",
        "plug it in again",
    )


def _never_opened(limit: float) -> SourceError:
    return SourceError(
        f"The source could not be opened within {limit:.0f} s",
        "its driver or drive hangs",
        "unplug the device and plug it in again, or choose another source",
    )
