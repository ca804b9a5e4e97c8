"""A finder: runs one model on the frames of a session, on a thread of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from engine.core.errors import ModelError, UnderstudyError
from engine.core.face_signals import FaceSignals
from engine.core.faces import Result
from engine.core.frame import Epoch, Frame
from engine.core.mailbox import Mailbox
from engine.core.memory import give_back
from engine.core.stats import Meter
from engine.core.texts import reason
from engine.inference.card import Card
from engine.inference.landmarker import Landmarker, not_finite_error
from engine.inference.pipeline import Pipeline
from engine.inference.signals import SignalReader
from engine.live.feed import Context, active_lanes
from engine.live.state import FINAL_STATES, SILENT_STATES
from engine.live.view import NO_PICTURE, LaneView

log = logging.getLogger(__name__)

OnResult = Callable[[Result, tuple[FaceSignals | None, ...]], None]


class Findings(Protocol):
    """Where findings go: what a finder knows of the composer.

    Attributes:
        frame: the first finder's newest frame; None before the first.
    """

    frame: Frame | None

    def put(self, number: int, finding: LaneView) -> None: ...

    def wait_until_taken(self, number: int, timeout: float) -> bool: ...

    def is_awaited(self, number: int) -> bool: ...


class Finder:
    """Takes frames from the feed, runs its model on them and passes the findings to the composer.

    When the model fails on a frame, the bare frame is passed on, `error` says why, and the next frame is tried. While
    the picture stands still, a model that has not processed it does so.

    Args:
        number: its place among the finders of the session, from 0.
        make_pipeline: builds the pipeline; called on the finder's thread.
        context: holds the feed that frames come from.
        findings: the composer, which draws what is found.
        on_result: called on the finder's thread with every result and its faces' signals.

    Attributes:
        stats: its current numbers.
    """

    def __init__(
        self,
        number: int,
        make_pipeline: Callable[[], Pipeline],
        context: Context,
        findings: Findings,
        on_result: OnResult | None = None,
    ) -> None:
        self._number, self._make_pipeline, self._on_result = number, make_pipeline, on_result
        self._context, self._feed, self._findings = context, context.feed, findings
        self._wanted_model: Mailbox[Callable[[], Landmarker]] = Mailbox()
        self._error_lock = threading.Lock()  # the thread that draws sets errors too
        self._model_error: UnderstudyError | None = None
        self._frame_error: UnderstudyError | None = None
        self._failed_at = 0.0
        # Used by the finder's thread alone.
        self._pipeline: Pipeline | None = None
        self._signal_reader = SignalReader()
        self._follows: Epoch | None = None  # to which the tracked faces belong
        self._processed: Frame | None = None
        self._run, self._model_since = 0, 0  # numbers of the run, and of the first one of this model
        # Used while its lane is drawn, on this thread or the composer's; `Lane.drawing` is held then.
        self._meter = Meter(refresh=context.timing.refresh)
        self._counted_run = 0
        self.stats = self._meter.stats()
        self._thread = threading.Thread(target=self._work, name=f"finder {number}", daemon=True)

    @property
    def error(self) -> UnderstudyError | None:
        """What is wrong with the model or the pipeline; None once it works again."""
        return self._frame_error or self._model_error

    @property
    def card(self) -> Card | None:
        """The card of the model in use; None before it is loaded."""
        pipeline = self._pipeline
        return None if pipeline is None else pipeline.landmarker.card

    def use_model(self, make_landmarker: Callable[[], Landmarker]) -> None:
        """Exchange the model before the next frame; if it cannot be loaded, `error` says why and the old one stays."""
        self._wanted_model.replace(make_landmarker)

    def process_again(self) -> None:
        """Process the frame on screen again, as its finding was dropped. Safe from any thread."""
        self._processed = None

    def start(self) -> None:
        """Begin to build the pipeline and to wait for frames, until the feed is closed."""
        self._thread.start()

    def join(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for the thread; return whether it ended."""
        if self._thread.ident is not None:
            self._thread.join(max(0.0, timeout))
        return not self._thread.is_alive()

    def fail(self, error: UnderstudyError, cause: Exception) -> None:
        """Report an error once, however many frames it affects. Safe from any thread."""
        with self._error_lock:
            self._failed_at = self._context.clock()
            if str(error) == str(self._frame_error):
                return
            self._frame_error = error
        log.error("A frame could not be processed: %s", cause, exc_info=cause)
        self._context.notify()

    def check_numbers(self, result: Result) -> None:
        """Report numbers that are not finite, after the picture that names their model; clear an error that is over."""
        if result.not_finite:
            error = not_finite_error(result.model)
            self.fail(error, error)
            return
        with self._error_lock:
            recovered = self._context.clock() - self._failed_at >= self._context.timing.recovery
            if self._frame_error is None or not recovered:
                return
            self._frame_error = None
        self._context.notify()

    def count(self, result: Result, draw_ms: float, draw_cpu_ms: float) -> None:
        """Add a result that was drawn to the stats, without the time for which the picture stood still."""
        if result.run != self._counted_run:
            if self._counted_run < self._model_since <= result.run:
                self._meter.forget()
            self._meter.resume(result.frame.id)
        self._counted_run = result.run
        self._meter.add(result, self._context.clock(), draw_ms, result.cpu_ms + draw_cpu_ms)
        self.stats = self._meter.stats()

    def _work(self) -> None:
        try:
            self._pipeline = self._make_pipeline()
        except Exception as error:  # noqa: BLE001  as in `_find`
            self._fail_model(error)
        while not self._feed.closed:
            try:
                self._step()
            except Exception as error:  # noqa: BLE001  an unexpected error must not end the thread
                self.fail(_sentence(error, "The model failed on a frame"), error)
        self._pipeline = self._processed = None  # freed at once, though others hold the finder

    def _step(self) -> None:
        """Exchange the model if asked to, and process a frame if one comes within a tick."""
        self._exchange_model()
        if self._pipeline is not None and self._pipeline.landmarker.flip != self._flips:
            self._processed = None  # so that a picture that stands still is looked at again
        if not self._is_active():
            self._follows = self._processed = None
        elif self._context.settings().paused:
            self._follows = None
        tick = self._context.timing.tick
        if not self._findings.wait_until_taken(self._number, tick):
            return
        frame = self._feed.take(self._number, tick)
        if frame is None:
            self._catch_up()
        elif not frame.epoch.over:
            self._deliver(self._find(frame, frame.wait_ms))

    def _deliver(self, finding: LaneView) -> None:
        """Pass a finding on, unless its epoch has ended in the meantime."""
        if finding.result.frame.epoch.over:
            self._processed = None  # the first lane may show this frame, and then it is found again
            return
        try:
            if self._on_result is not None and finding.result.model:
                self._on_result(finding.result, finding.signals)
        finally:
            self._findings.put(self._number, finding)

    def _is_active(self) -> bool:
        return self._number in active_lanes(self._context.settings(), self._number + 1)

    @property
    def _flips(self) -> bool:
        """Whether this model is to look at the mirror image too: a teacher is, where the user wants it."""
        pipeline = self._pipeline
        return self._context.settings().flip and pipeline is not None and pipeline.landmarker.card.is_teacher

    def _exchange_model(self) -> None:
        """Load the requested model, if there is a request."""
        make_landmarker = self._wanted_model.take(timeout=0.0)
        if make_landmarker is None:
            return
        try:
            landmarker = make_landmarker()
            if self._pipeline is None:
                self._pipeline = self._make_pipeline()
            self._pipeline.landmarker = landmarker
            self._pipeline.reset()
            give_back()  # the memory of the former one
        except Exception as error:  # noqa: BLE001  as in `_find`
            self._fail_model(error)
            return
        self._processed = None
        self._run += 1
        self._model_since = self._run
        with self._error_lock:
            self._model_error = self._frame_error = None
        self._context.notify()

    def _catch_up(self) -> None:
        """While no frame comes: process the one on screen, unless this model has done so."""
        frame, state = self._findings.frame, self._context.state()
        if frame is None or frame is self._processed or not self._is_active():
            return
        stands_still = self._context.settings().paused or state in FINAL_STATES
        is_free = self._number > 0 and state not in SILENT_STATES and self._feed.is_quiet
        is_awaited = self._findings.is_awaited(self._number)
        is_worthwhile = self._number == 0 or is_awaited or not frame.epoch.over
        if is_worthwhile and (stands_still or is_free or is_awaited):
            self._findings.put(self._number, self._find(frame, 0.0))

    def _find(self, frame: Frame, wait_ms: float) -> LaneView:
        """Return the model's finding on a frame; the bare frame if there is no model or it failed, as `error` says."""
        cpu = time.thread_time()
        self._processed = frame
        try:
            if self._pipeline is None:
                return self._bare(frame)
            if frame.epoch is not self._follows:
                self._pipeline.reset()
                self._follows = frame.epoch
                self._run += 1
            self._pipeline.smoothing = self._context.settings().smoothing
            self._pipeline.landmarker.flip = self._flips
            result = self._pipeline.process(frame, wait_ms)
            signals = self._signal_reader.read(result)
            result, signals = self._context.ids.rename(self._number, result, signals)
        except Exception as error:  # noqa: BLE001  a model or a runtime may raise anything, and the session must go on
            self.fail(_sentence(error, "The model failed on a frame"), error)
            return self._bare(frame)
        result = replace(result, run=self._run, cpu_ms=(time.thread_time() - cpu) * 1e3)
        return LaneView(result, signals, self.stats, NO_PICTURE)

    def _bare(self, frame: Frame) -> LaneView:
        return LaneView(bare(frame), (), self.stats, NO_PICTURE)

    def _fail_model(self, error: Exception) -> None:
        log.error("The model cannot be used: %s", error, exc_info=not isinstance(error, UnderstudyError))
        self._model_error = _sentence(error, "The model cannot be loaded")
        self._context.notify()


def bare(frame: Frame) -> Result:
    """Return the result of a frame that no model has processed; its model's name is ""."""
    return Result(frame, (), "", {}, detected=False)


def _sentence(error: Exception, what: str) -> UnderstudyError:
    if isinstance(error, UnderstudyError):
        return error
    return ModelError(f"{what} ({reason(error)})", "the model or its runtime is faulty", "choose another model")
