"""The live session: frames of a source, worked on and drawn on threads of their own, for a window to show."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.buffers import TripleBuffer
from engine.capture import Capture, Captured
from engine.errors import ModelError, UnderstudyError
from engine.frame import Frame
from engine.live_state import FINAL_STATES, SILENT_STATES, Status, Timing
from engine.models.landmarker import Landmarker, not_finite_error
from engine.overlay import Composer, OverlayOptions
from engine.pipeline import DEFAULT_SMOOTHING, Pipeline
from engine.readings import Meter, Readings
from engine.result import Result
from engine.slot import Slot
from engine.sources.base import Source
from engine.supervisor import Supervisor

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LiveSettings:
    """What the user sets while frames run. Replaced as a whole, and read once per frame.

    Attributes:
        overlay: what is drawn.
        mirrored: whether the picture is shown as in a mirror.
        smoothing: strength of the smoothing, 0 for none to 1.
        paused: whether the picture stands still. A file waits; the frames of a camera go by and are not counted.
    """

    overlay: OverlayOptions = field(default_factory=OverlayOptions)
    mirrored: bool = False
    smoothing: float = DEFAULT_SMOOTHING
    paused: bool = False


@dataclass(frozen=True)
class View:
    """What the window shows.

    Attributes:
        result: what was found on the frame.
        readings: the numbers as they stand.
        picture: `[H, W, 4]` uint8 BGRA with the overlay; valid until the next `Session.take_view`.
    """

    result: Result
    readings: Readings
    picture: NDArray[np.uint8]


class Session:
    """One source at work, from its opening to its end. A session is started once; another source needs another one.

    A camera's newest frame is worked on and older ones are dropped and counted; of a file no frame is lost, and each
    is shown at its time. The source is opened, and the pipeline built, on threads of the session.

    Args:
        open_source: opens the source; called again when a camera was lost.
        make_pipeline: builds the pipeline; called on the inference thread.
        settings: what to begin with.
        notify: called on threads of the session whenever there is a new view, status or error; must return at once.
        composer: draws the pictures; a new one if None.
        timing: see `Timing`.
        clock: tells seconds.
    """

    def __init__(
        self,
        open_source: Callable[[], Source],
        make_pipeline: Callable[[], Pipeline],
        settings: LiveSettings,
        notify: Callable[[], None],
        *,
        composer: Composer | None = None,
        timing: Timing | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make_pipeline, self._settings, self._notify, self._clock = make_pipeline, settings, notify, clock
        self._composer = composer or Composer()
        self._timing = timing or Timing()
        self._slot: Slot[Captured] = Slot()
        self._supervisor = Supervisor(open_source, self._slot, self._tell, self._timing, clock)
        self._buffers: TripleBuffer[tuple[Result, Readings]] = TripleBuffer()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="inference", daemon=True)
        self._wanted_model: Slot[Callable[[], Landmarker]] = Slot()
        self._model_error: UnderstudyError | None = None
        self._frame_error: UnderstudyError | None = None
        # From here on: used by the inference thread alone.
        self._failed_at = 0.0
        self._pipeline: Pipeline | None = None
        self._meter = Meter(refresh=self._timing.refresh)
        self._readings = self._meter.readings()
        self._source: Capture | None = None
        self._gap = False
        self._standstill = 0.0
        self._last_result_at = 0.0
        self._shown: Result | None = None
        self._shown_with: LiveSettings | None = None
        self.settings = settings

    @property
    def settings(self) -> LiveSettings:
        """What the user set; assign another `LiveSettings` to change it from the next frame on."""
        return self._settings

    @settings.setter
    def settings(self, settings: LiveSettings) -> None:
        self._settings = settings
        if settings.paused:
            self._supervisor.hold.set()
        else:
            self._supervisor.hold.clear()

    @property
    def status(self) -> Status:
        """What the source is doing."""
        return self._supervisor.status

    @property
    def error(self) -> UnderstudyError | None:
        """What is wrong with the model or the pipeline; None once it works again."""
        return self._frame_error or self._model_error

    def start(self) -> None:
        """Begin; returns at once."""
        self._supervisor.start()
        self._thread.start()

    def stop(self, timeout: float = 3.0) -> bool:
        """End within `timeout` seconds from any state; `notify` is not called any more.

        Returns:
            Whether every thread ended. One that a driver or a model holds is left behind and cannot do harm: what it
            still delivers is thrown away.
        """
        deadline = self._clock() + timeout
        self._stopping.set()
        self._slot.close()
        stopped = self._supervisor.stop(timeout)
        if self._thread.ident is not None:
            self._thread.join(max(0.0, deadline - self._clock()))
        if self._thread.is_alive():
            log.warning("The model does not return; its thread is left behind")
        return stopped and not self._thread.is_alive()

    def use_model(self, make_landmarker: Callable[[], Landmarker]) -> None:
        """Exchange the model between two frames.

        It is loaded on the inference thread; if that fails, `error` says why and the old model stays at work.
        """
        self._wanted_model.replace(make_landmarker)

    def take_view(self) -> View | None:
        """Return the newest view, or None if there was no new one since the last call. For one thread only."""
        taken = self._buffers.take()
        if taken is None:
            return None
        picture, (result, readings) = taken
        return View(result, readings, picture)

    def _run(self) -> None:
        self._build_pipeline()
        while not self._stopping.is_set():
            try:
                self._turn()
            except Exception as error:  # whatever it is, the next frame may be a better one
                self._fail_frame(error)

    def _turn(self) -> None:
        """Do what there is to do; wait for a frame for as long as a tick."""
        model_changed = self._exchange_model()
        captured = None
        if self._settings.paused:
            self._gap = True
            self._stopping.wait(self._timing.tick)
        else:
            captured = self._slot.take(self._timing.tick)
        if captured is None:
            self._refresh(model_changed)
        elif self._supervisor.is_current(captured.capture):
            self._receive(captured)

    def _receive(self, captured: Captured) -> None:
        if captured.capture is not self._source:
            self._source, self._gap = captured.capture, True
        if captured.frame is None:
            captured.capture.drained = True
            return
        if self._gap and self._pipeline is not None:
            self._pipeline.reset()
        self._work(captured.frame, captured.wait_ms)

    def _work(self, frame: Frame, wait_ms: float) -> None:
        """Process and show a frame; if the pipeline fails, show the bare picture, which does not count."""
        settings = self._settings
        try:
            result = self._process(frame, wait_ms, settings)
            draw_ms = self._draw(result or _bare(frame), settings)
        except Exception as error:  # a model or a runtime may throw anything, and the session must outlive it
            result = None
            self._fail_frame(error)
            self._draw(_bare(frame), settings)
        else:
            if result is not None:
                self._count(result, draw_ms)
        self._publish()
        self._judge(result)

    def _process(self, frame: Frame, wait_ms: float, settings: LiveSettings) -> Result | None:
        """Return what the pipeline says of the frame; None if there is no pipeline."""
        if self._pipeline is None:
            return None
        self._pipeline.smoothing = settings.smoothing
        return self._pipeline.process(frame, wait_ms)

    def _draw(self, result: Result, settings: LiveSettings) -> float:
        """Draw a result into the free buffer; return the milliseconds it took."""
        start = time.perf_counter()
        picture = self._buffers.writable(result.frame.height, result.frame.width)
        self._composer.compose(result, self._readings, settings.overlay, settings.mirrored, picture)
        self._shown, self._shown_with = result, settings
        return (time.perf_counter() - start) * 1e3

    def _publish(self) -> None:
        if self._shown is not None:
            self._buffers.publish((self._shown, self._readings))
            self._tell()

    def _judge(self, result: Result | None) -> None:
        """Report numbers that are none, after the picture that names their model; clear an error that is over."""
        if result is None:
            return
        if result.not_finite:
            self._fail_frame(not_finite_error(result.model))
        elif self._frame_error is not None and self._clock() - self._failed_at >= self._timing.recovery:
            self._frame_error = None
            self._tell()

    def _count(self, result: Result, draw_ms: float) -> None:
        """Add a result to the numbers, leaving out the time for which the picture stood still."""
        now = self._clock()
        if self._gap and self._last_result_at:
            self._standstill += now - self._last_result_at
        self._gap, self._last_result_at = False, now
        self._meter.add(result, now - self._standstill, draw_ms)
        self._readings = self._meter.readings()

    def _refresh(self, model_changed: bool) -> None:
        """While no frame comes: keep the picture on screen true to the settings, the model and the source's state."""
        shown = self._shown
        if shown is None:
            return
        state = self.status.state
        paused = self._settings.paused
        if state in SILENT_STATES:
            self._gap = True
        if state in SILENT_STATES and shown.faces and not paused:
            self._redraw(_bare(shown.frame))
        elif model_changed and (paused or state in FINAL_STATES):
            self._work_again(shown.frame)
        elif self._looks() != self._shown_looks():
            self._redraw(shown)

    def _redraw(self, result: Result) -> None:
        self._draw(result, self._settings)
        self._publish()

    def _work_again(self, frame: Frame) -> None:
        """Show what the new model says of the frame on screen, with its own numbers."""
        result = self._process(frame, 0.0, self._settings)
        if result is not None:
            self._count(result, self._draw(result, self._settings))
        self._redraw(result or _bare(frame))
        self._judge(result)

    def _looks(self) -> tuple[OverlayOptions, bool]:
        return self._settings.overlay, self._settings.mirrored

    def _shown_looks(self) -> tuple[OverlayOptions, bool] | None:
        shown = self._shown_with
        return None if shown is None else (shown.overlay, shown.mirrored)

    def _build_pipeline(self) -> None:
        try:
            self._pipeline = self._make_pipeline()
        except Exception as error:  # as in _work
            self._fail_model(error)

    def _exchange_model(self) -> bool:
        """Load the model that is wanted, if one is; return whether the pipeline changed."""
        make_landmarker = self._wanted_model.take(timeout=0.0)
        if make_landmarker is None:
            return False
        try:
            landmarker = make_landmarker()
            if self._pipeline is None:
                self._pipeline = self._make_pipeline()
            self._pipeline.landmarker = landmarker
            self._pipeline.reset()
        except Exception as error:  # as in _work
            self._fail_model(error)
            return False
        self._meter.forget()
        self._model_error = self._frame_error = None
        self._tell()
        return True

    def _fail_model(self, error: Exception) -> None:
        log.error("The model cannot be used: %s", error, exc_info=not isinstance(error, UnderstudyError))
        self._model_error = _as_sentence(error, "The model cannot be loaded")
        self._tell()

    def _fail_frame(self, error: Exception) -> None:
        """Report an error once, however many frames it spoils."""
        self._failed_at = self._clock()
        sentence = _as_sentence(error, "The model failed on a frame")
        if str(sentence) != str(self._frame_error):
            log.error("A frame could not be processed: %s", error, exc_info=error)
            self._frame_error = sentence
            self._tell()

    def _tell(self) -> None:
        if self._stopping.is_set():
            return
        try:
            self._notify()
        except Exception:  # a window that is being taken down must not take the threads with it
            log.exception("The listener failed")


def _bare(frame: Frame) -> Result:
    """Return the result of a frame on which nobody looked for faces."""
    return Result(frame, (), "", {}, detected=False)


def _as_sentence(error: Exception, what: str) -> UnderstudyError:
    if isinstance(error, UnderstudyError):
        return error
    return ModelError(f"{what} ({error})", "the model or its runtime is faulty", "choose another model")
