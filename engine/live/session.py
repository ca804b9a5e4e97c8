"""The live session: frames of a source, worked on and drawn on threads of their own, for a window to show."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from engine.core.errors import UnderstudyError
from engine.core.faces import Result
from engine.core.frame import Frame
from engine.core.mailbox import Mailbox
from engine.inference.landmarker import Landmarker
from engine.inference.pipeline import Pipeline
from engine.inference.signals import FaceSignals
from engine.live.agreement import AgreementMeter
from engine.live.capture import Capture, Captured
from engine.live.lane import Lane
from engine.live.playback import Playback
from engine.live.second_lane import SecondLane
from engine.live.settings import LiveSettings, Pace
from engine.live.state import SILENT_STATES, Status, Timing
from engine.live.view import LaneView, View
from engine.live.watchdog import Watchdog
from engine.render.overlay import Composer
from engine.render.scene import Layout
from engine.sources.base import Source

log = logging.getLogger(__name__)

OnResult = Callable[[Result, tuple[FaceSignals | None, ...]], None]


class Session:
    """One source at work, from its opening to its end. A session is started once; another source needs another one.

    A camera's newest frame is worked on and older ones are dropped and counted; of a file no frame is lost, and each
    is shown at its time. The source is opened, and the pipelines built, on threads of the session. A second lane, if
    there is one, never slows the first unless both are locked to each other.

    Args:
        open_source: opens the source; called again when a camera was lost.
        make_pipeline: builds the first lane's pipeline; called on the inference thread.
        settings: what to begin with.
        notify: called on threads of the session whenever there is a new view, status or error; must return at once.
        make_composer: makes what draws a lane's pictures.
        timing: see `Timing`.
        clock: tells seconds.

    Attributes:
        on_result: called on the inference thread with every result of the first lane and its faces' signals, for
            streams and logs; must return at once.
    """

    def __init__(
        self,
        open_source: Callable[[], Source],
        make_pipeline: Callable[[], Pipeline],
        settings: LiveSettings,
        notify: Callable[[], None],
        *,
        make_composer: Callable[[], Composer] = Composer,
        timing: Timing | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._notify, self._clock = settings, notify, clock
        self._make_composer = make_composer
        self._timing = timing or Timing()
        self._mailbox: Mailbox[Captured] = Mailbox()
        self._watchdog = Watchdog(open_source, self._mailbox, self._tell, self._timing, clock)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="inference", daemon=True)
        self._lane = self._make_lane(make_pipeline)
        self._second: SecondLane | None = None
        self._agreement = AgreementMeter()
        self._publishing = threading.Lock()  # so that locked lanes are taken together
        self._views: tuple[LaneView | None, LaneView | None] = (None, None)  # taken last
        # Used by the inference thread alone.
        self._source: Capture | None = None
        self._counts: Callable[[], bool] = lambda: True  # whether the newest frame is still of use
        self.on_result: OnResult | None = None
        self.settings = settings

    @property
    def settings(self) -> LiveSettings:
        """What the user set; assign another `LiveSettings` to change it from the next frame on."""
        return self._settings

    @settings.setter
    def settings(self, settings: LiveSettings) -> None:
        self._settings = settings
        if settings.paused:
            self._watchdog.hold.set()
        else:
            self._watchdog.hold.clear()

    @property
    def status(self) -> Status:
        """What the source is doing."""
        return self._watchdog.status

    @property
    def playback(self) -> Playback | None:
        """Where a file stands; None for cameras, and before the first frame."""
        capture = self._watchdog.capture
        return None if capture is None else capture.playback

    @property
    def loop(self) -> bool:
        """Whether a file starts again at its end; a single picture does not."""
        return self._watchdog.loop.is_set()

    @loop.setter
    def loop(self, loop: bool) -> None:
        if loop:
            self._watchdog.loop.set()
        else:
            self._watchdog.loop.clear()

    @property
    def camera_rate(self) -> float | None:
        """Frames per second that the camera sends, as measured; None for files, and before the second frame."""
        capture = self._watchdog.capture
        return 1 / capture.period if capture is not None and capture.is_camera and capture.period > 0 else None

    @property
    def error(self) -> UnderstudyError | None:
        """What is wrong with the first lane's model or pipeline; None once it works again."""
        return self._lane.error

    @property
    def second_error(self) -> UnderstudyError | None:
        """The same of the second lane; None while it rests."""
        return self._second.lane.error if self._second is not None and self._compares() else None

    def start(self) -> None:
        """Begin; returns at once."""
        self._watchdog.start()
        self._thread.start()

    def stop(self, timeout: float = 3.0) -> bool:
        """End within `timeout` seconds from any state; `notify` is not called any more.

        Returns:
            Whether every thread ended. One that a driver or a model holds is left behind and cannot do harm: what it
            still delivers is thrown away.
        """
        deadline = self._clock() + timeout
        self._stopping.set()
        self._mailbox.close()
        stopped = self._watchdog.stop(timeout)
        if self._second is not None:
            stopped = self._second.stop(max(0.0, deadline - self._clock())) and stopped
        if self._thread.ident is not None:
            self._thread.join(max(0.0, deadline - self._clock()))
        if self._thread.is_alive():
            log.warning("The model does not return; its thread is left behind")
        return stopped and not self._thread.is_alive()

    def reopen(self) -> None:
        """Give the camera up and open it again, as when its picture is frozen; files go on as they are."""
        self._watchdog.reopen()

    def seek(self, seconds: float) -> None:
        """Go on at a moment of a file, also after its end and in a pause; returns at once.

        Of many calls in a row only the last one counts. No frame of before is shown any more.
        """
        capture = self._watchdog.capture
        if capture is not None:
            capture.seek(seconds)

    def step(self, frames: int) -> None:
        """Go that many frames of a file further, or back; calls add up. A pause goes on at the new frame."""
        capture = self._watchdog.capture
        if capture is not None:
            capture.step(frames)

    def use_model(self, make_landmarker: Callable[[], Landmarker]) -> None:
        """Exchange the first lane's model between two frames.

        It is loaded on the inference thread; if that fails, `error` says why and the old model stays at work.
        """
        self._lane.use_model(make_landmarker)

    def use_second_model(
        self, make_pipeline: Callable[[], Pipeline], make_landmarker: Callable[[], Landmarker]
    ) -> None:
        """Exchange the second lane's model likewise; the first call makes the lane, with `make_pipeline`."""
        if self._second is not None:
            self._second.lane.use_model(make_landmarker)
            return
        self._second = SecondLane(
            self._make_lane(make_pipeline, beside=True),
            lambda: self._settings,
            lambda: self.status.state,
            lambda result: self._agreement.add(1, result),
            self._tell,
            self._timing.tick,
        )
        self._second.start()

    def take_view(self) -> View | None:
        """Return the newest view, or None if there was no new one since the last call. For one thread only."""
        compares = self._compares()
        with self._publishing:
            taken = self._lane.take(), None if self._second is None else self._second.lane.take()
        if not compares:  # what the second lane showed before must not come back with the next comparison
            taken, self._views = (taken[0], None), (self._views[0], None)
        if taken == (None, None):
            return None
        first, other = (new or known for new, known in zip(taken, self._views, strict=True))
        self._views = first, other
        if first is None:
            return None
        if self._second is None or not compares:
            return View(first)
        return View(first, other, self._agreement.value, self._agreement.newest)

    def _make_lane(self, make_pipeline: Callable[[], Pipeline], beside: bool = False) -> Lane:
        return Lane(make_pipeline, self._tell, self._make_composer(), self._timing, self._clock, beside)

    def _compares(self) -> bool:
        return self._settings.layout is not Layout.SINGLE

    def _run(self) -> None:
        self._lane.build()
        while not self._stopping.is_set():
            try:
                self._turn()
            except Exception as error:  # whatever it is, the next frame may be a better one
                self._lane.fail_frame(error)

    def _turn(self) -> None:
        """Do what there is to do; wait for a frame for as long as a tick."""
        model_changed = self._lane.exchange_model()
        if model_changed or not self._compares():
            self._agreement.forget()
        if self._settings.paused:
            self._break_off()
            self._mailbox.take(0.0, _is_of_camera)  # it would be shown once the picture goes on, minutes old
        captured = self._mailbox.take(self._timing.tick, lambda waiting: waiting.asked or not self._settings.paused)
        if captured is None:
            self._rest(model_changed)
        elif self._watchdog.counts(captured):
            self._receive(captured)

    def _receive(self, captured: Captured) -> None:
        is_new, self._source = captured.capture is not self._source, captured.capture
        if is_new or not captured.follows:
            self._break_off()
            if self._second is not None:
                self._second.forget()
        if captured.frame is None:
            captured.capture.end(captured)
            return
        self._counts = lambda: self._watchdog.counts(captured)
        self._work(captured, captured.frame)

    def _work(self, captured: Captured, frame: Frame) -> None:
        """Process and show a frame, and let the second lane have it."""
        settings = self._settings
        second = self._second if self._compares() else None
        in_step = settings.pace is Pace.LOCKED
        if second is not None:
            second.offer(frame, in_step, self._counts)
        result = self._lane.process(frame, captured.wait_ms, settings)
        if second is None:
            if captured.capture.show(captured):
                self._show(frame, result, settings, None)
            return
        if result is not None:
            self._agreement.add(0, result)
        other = second.wait_for(frame, self._is_awaited) if in_step else second.latest
        if captured.capture.show(captured):
            self._show(frame, result, settings, other, second)
        else:
            second.withdraw()

    def _show(
        self,
        frame: Frame,
        result: Result | None,
        settings: LiveSettings,
        other: Result | None,
        second: SecondLane | None = None,
    ) -> None:
        self._lane.show(frame, result, settings, other)
        with self._publishing:
            self._lane.publish()
            if second is not None:
                second.publish(frame)
        self._tell()
        self._lane.judge(result)
        on_result = self.on_result
        if result is not None and on_result is not None:
            on_result(result, self._lane.signals)

    def _rest(self, model_changed: bool) -> None:
        """While no frame comes: keep the pictures true to the settings, the models and the source's state."""
        state, settings = self.status.state, self._settings
        second = self._second if self._compares() else None
        shown = self._lane.shown
        if second is not None and shown is not None and state not in SILENT_STATES:
            second.catch_up(shown.frame, self._counts)
        elif second is not None and state in SILENT_STATES and not settings.paused:
            second.forget()
        self._lane.refresh(settings, state, model_changed, None if second is None else second.latest)

    def _is_awaited(self) -> bool:
        """Tell whether it is worth to wait for the second lane."""
        return self._compares() and self._settings.pace is Pace.LOCKED and self._counts()

    def _break_off(self) -> None:
        """The next frame does not follow the last one in time."""
        self._lane.gap = True
        if self._second is not None:
            self._second.break_off()

    def _tell(self) -> None:
        if self._stopping.is_set():
            return
        try:
            self._notify()
        except Exception:  # a window that is being taken down must not take the threads with it
            log.exception("The listener failed")


def _is_of_camera(captured: Captured) -> bool:
    return captured.capture.is_camera and captured.frame is not None
