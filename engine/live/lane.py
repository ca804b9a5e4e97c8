"""A lane: one model at work on the frames of a session, with its picture, its numbers and its errors."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from engine.core.errors import ModelError, UnderstudyError
from engine.core.faces import Result
from engine.core.frame import Frame
from engine.core.mailbox import Mailbox
from engine.core.stats import Meter, Stats
from engine.inference.landmarker import Landmarker, not_finite_error
from engine.inference.pipeline import Pipeline
from engine.inference.signals import FaceSignals, SignalReader
from engine.live.buffers import TripleBuffer
from engine.live.settings import LiveSettings
from engine.live.state import FINAL_STATES, SILENT_STATES, SourceState, Timing
from engine.live.view import LaneView
from engine.render.overlay import Composer
from engine.render.scene import Layout, Scene

log = logging.getLogger(__name__)

# What goes with a picture: the result, its signals, the lane's numbers, and the other lane's result drawn with it.
Shown = tuple[Result, tuple[FaceSignals | None, ...], Stats, Result | None]


@dataclass(frozen=True)
class Looks:
    """What decides how a result is drawn; when it changes, the picture on screen is drawn anew."""

    settings: tuple[object, ...]
    other: int  # id of the other lane's result, whose arrays must not be compared


class Lane:
    """One model at work. Belongs to one thread, but for `use_model`, `error` and `take`.

    Args:
        make_pipeline: builds the pipeline; called on the lane's thread.
        tell: called when there is a new view or error.
        composer: draws the pictures.
        timing: see `Timing`.
        clock: tells seconds.
        beside: whether its picture is shown beside another lane's only; in other layouts it draws none.

    Attributes:
        gap: set it when the next frame does not follow the last one in time.
    """

    def __init__(
        self,
        make_pipeline: Callable[[], Pipeline],
        tell: Callable[[], None],
        composer: Composer,
        timing: Timing,
        clock: Callable[[], float],
        beside: bool = False,
    ) -> None:
        self._make_pipeline, self._tell, self._composer = make_pipeline, tell, composer
        self._timing, self._clock, self._beside = timing, clock, beside
        self._wanted_model: Mailbox[Callable[[], Landmarker]] = Mailbox()
        self._model_error: UnderstudyError | None = None
        self._frame_error: UnderstudyError | None = None
        self._buffers: TripleBuffer[Shown] = TripleBuffer()
        self._pipeline: Pipeline | None = None
        self._signal_reader = SignalReader()
        self._signals: tuple[FaceSignals | None, ...] = ()
        self._meter = Meter(refresh=timing.refresh)
        self._stats = self._meter.stats()
        self.gap = False
        self._standstill = self._last_result_at = self._failed_at = 0.0
        self._cpu_before = 0.0
        self._shown: Result | None = None
        self._shown_signals: tuple[FaceSignals | None, ...] = ()
        self._shown_with: Looks | None = None
        self._other: Result | None = None

    @property
    def error(self) -> UnderstudyError | None:
        """What is wrong with the model or the pipeline; None once it works again."""
        return self._frame_error or self._model_error

    @property
    def shown(self) -> Result | None:
        """The result on the newest picture."""
        return self._shown

    @property
    def signals(self) -> tuple[FaceSignals | None, ...]:
        """Signals of the faces of the newest result."""
        return self._signals

    def use_model(self, make_landmarker: Callable[[], Landmarker]) -> None:
        """Exchange the model before the next frame; if it cannot be loaded, `error` says why and the old one stays."""
        self._wanted_model.replace(make_landmarker)

    def take(self) -> LaneView | None:
        """Return the newest view, or None if there was no new one since the last call. For one thread only."""
        taken = self._buffers.take()
        if taken is None:
            return None
        picture, (result, signals, stats, other) = taken
        return LaneView(result, signals, stats, picture, other)

    def build(self) -> None:
        """Build the pipeline."""
        try:
            self._pipeline = self._make_pipeline()
        except Exception as error:  # as in `process`
            self._fail_model(error)

    def exchange_model(self) -> bool:
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
        except Exception as error:  # as in `process`
            self._fail_model(error)
            return False
        self._meter.forget()
        self._model_error = self._frame_error = None
        self._tell()
        return True

    def process(self, frame: Frame, wait_ms: float, settings: LiveSettings) -> Result | None:
        """Return what the model says of a frame; None if there is no model or it failed, which `error` tells."""
        self._cpu_before = time.thread_time()
        try:
            if self._pipeline is None:
                return None
            if self.gap:
                self._pipeline.reset()
            self._pipeline.smoothing = settings.smoothing
            result = self._pipeline.process(frame, wait_ms)
            self._signals = self._signal_reader.read(result)
        except Exception as error:  # a model or a runtime may throw anything, and the session must outlive it
            self.fail_frame(error)
            return None
        return result

    def show(self, frame: Frame, result: Result | None, settings: LiveSettings, other: Result | None = None) -> None:
        """Draw a frame with its result, or the bare picture, which does not count."""
        try:
            draw_ms = self._draw(result or bare(frame), settings, other)
        except Exception as error:  # as in `process`
            self.fail_frame(error)
            self._draw(bare(frame), settings, None)
            return
        if result is not None:
            self._count(result, draw_ms)

    def publish(self) -> None:
        """Hand over what was drawn last."""
        if self._shown is not None:
            self._buffers.publish((self._shown, self._shown_signals, self._stats, self._other))

    def clear(self) -> None:
        """Show nothing any more until the next frame, which does not follow the last one in time."""
        self._shown, self._shown_signals, self._other = None, (), None
        self.gap = True

    def judge(self, result: Result | None) -> None:
        """Report numbers that are none, after the picture that names their model; clear an error that is over."""
        if result is None:
            return
        if result.not_finite:
            self.fail_frame(not_finite_error(result.model))
        elif self._frame_error is not None and self._clock() - self._failed_at >= self._timing.recovery:
            self._frame_error = None
            self._tell()

    def refresh(
        self, settings: LiveSettings, state: SourceState, model_changed: bool, other: Result | None = None
    ) -> None:
        """While no frame comes: keep the picture on screen true to the settings, the model and the source's state."""
        shown = self._shown
        if shown is None:
            return
        if state in SILENT_STATES:
            self.gap = True
        if state in SILENT_STATES and shown.faces and not settings.paused:
            self._redraw(bare(shown.frame), settings, None)
        elif model_changed and (settings.paused or state in FINAL_STATES):
            self._work_again(shown.frame, settings, other)
        elif _looks(settings, other) != self._shown_with:
            self._redraw(shown, settings, other)

    def fail_frame(self, error: Exception) -> None:
        """Report an error once, however many frames it spoils."""
        self._failed_at = self._clock()
        sentence = _model_sentence(error, "The model failed on a frame")
        if str(sentence) != str(self._frame_error):
            log.error("A frame could not be processed: %s", error, exc_info=error)
            self._frame_error = sentence
            self._tell()

    def _fail_model(self, error: Exception) -> None:
        log.error("The model cannot be used: %s", error, exc_info=not isinstance(error, UnderstudyError))
        self._model_error = _model_sentence(error, "The model cannot be loaded")
        self._tell()

    def _work_again(self, frame: Frame, settings: LiveSettings, other: Result | None) -> None:
        """Show what the new model says of the frame on screen, with its own numbers."""
        result = self.process(frame, 0.0, settings)
        self.show(frame, result, settings, other)
        self._redraw(result or bare(frame), settings, other)
        self.judge(result)

    def _redraw(self, result: Result, settings: LiveSettings, other: Result | None) -> None:
        self._draw(result, settings, other)
        self.publish()
        self._tell()

    def _draw(self, result: Result, settings: LiveSettings, other: Result | None) -> float:
        """Draw a result into the free buffer; return the milliseconds it took.

        Raises:
            UnderstudyError: the filter or the drawing failed.
        """
        start = time.perf_counter()
        signals = self._signals_of(result)
        scene = Scene(
            result,
            self._stats,
            settings.overlay,
            settings.mirrored,
            signals,
            settings.layout,
            other,
            settings.magnification,
            settings.filter,
        )
        if self._beside and not settings.layout.has_two_pictures:
            self._buffers.writable(0, 0)  # nobody would see it
        else:
            self._compose(scene)
        self._shown, self._shown_signals = result, signals
        self._other, self._shown_with = other, _looks(settings, other)
        return (time.perf_counter() - start) * 1e3

    def _compose(self, scene: Scene) -> None:
        frame = scene.result.frame
        try:
            self._composer.compose(scene, self._buffers.writable(frame.height, frame.width))
        except Exception as error:  # a filter may throw anything
            raise _drawing_sentence(error) from error

    def _signals_of(self, result: Result) -> tuple[FaceSignals | None, ...]:
        """Return what was read of a result that is on screen or was just found; nothing of a bare frame."""
        if result is self._shown:
            return self._shown_signals
        return self._signals if result.faces else ()

    def _count(self, result: Result, draw_ms: float) -> None:
        """Add a result to the numbers, leaving out the time for which the picture stood still."""
        now = self._clock()
        if self.gap and self._last_result_at:
            self._standstill += now - self._last_result_at
            self._meter.resume(result.frame.id)
        self.gap, self._last_result_at = False, now
        cpu_ms = (time.thread_time() - self._cpu_before) * 1e3
        self._meter.add(result, now - self._standstill, draw_ms, cpu_ms)
        self._stats = self._meter.stats()


def bare(frame: Frame) -> Result:
    """Return the result of a frame on which nobody looked for faces."""
    return Result(frame, (), "", {}, detected=False)


def _looks(settings: LiveSettings, other: Result | None) -> Looks:
    magnification = settings.magnification if settings.layout is Layout.DIFFERENCE else 0.0
    loaded = None if settings.filter is None else settings.filter.loaded
    told = (settings.overlay, settings.mirrored, settings.layout, magnification, id(loaded))
    return Looks(told, id(other) if other is not None else 0)


def _model_sentence(error: Exception, what: str) -> UnderstudyError:
    if isinstance(error, UnderstudyError):
        return error
    return ModelError(f"{what} ({error})", "the model or its runtime is faulty", "choose another model")


def _drawing_sentence(error: Exception) -> UnderstudyError:
    if isinstance(error, UnderstudyError):
        return error
    why, fix = "the filter or the drawing is faulty", "switch the filter off"
    return UnderstudyError(f"The picture could not be drawn ({error})", why, fix)
