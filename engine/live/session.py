"""The live session: frames of a source, processed and drawn on threads of their own, for a window to show.

A reader puts frames into the feed, finders take them and pass on findings, and the composer draws these and publishes
views. `engine.live.view` lists the four records from source to window.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial

from engine.core.errors import UnderstudyError
from engine.core.face_signals import FaceSignals
from engine.core.faces import Result
from engine.core.memory import give_back, share_arena
from engine.inference.card import Card
from engine.inference.landmarker import Landmarker
from engine.inference.pipeline import Pipeline
from engine.live.composer import Composer
from engine.live.feed import Context, Feed, active_lanes
from engine.live.file_reader import FileReader, Playback
from engine.live.finder import Finder
from engine.live.settings import LiveSettings
from engine.live.state import Status, Timing
from engine.live.view import View, ViewBuffer
from engine.live.watchdog import Watchdog
from engine.render.canvas import Pane
from engine.render.overlay import OverlayPainter
from engine.render.scene import Layout
from engine.sources.base import Source

log = logging.getLogger(__name__)

OnResult = Callable[[int, Result, tuple[FaceSignals | None, ...]], None]


class Session:
    """One open source, from its opening to its end. A session is started once; another source needs another session.

    Of a camera the newest frame is processed, and older ones are dropped and counted; of a file no frame is lost, and
    each is shown at its time. The source is opened, and the pipelines built, on threads of the session. No finder slows
    another unless all are locked to each other; beside a faster one, a finder that is slower than a file leaves frames
    of it out.

    Args:
        open_source: opens the source; called again when a camera was lost.
        make_pipeline: builds the first finder's pipeline; called on the finder's thread.
        settings: the initial settings.
        notify: called on threads of the session whenever there is a new view, status or error; must return at once.
        make_painter: makes the painter of a lane.
        timing: see `Timing`.
        clock: returns seconds.

    Attributes:
        settings: what the user set; assign another `LiveSettings` to change it from the next frame on.
        loop: whether a file starts again at its end; a single picture does not.
        pane: where the window shows each picture, for which ink is drawn beforehand; None where it is not known.
        on_result: called on each finder's thread with its number, every result of it and its faces' signals, for
            streams, logs and reports; must return at once.
    """

    def __init__(
        self,
        open_source: Callable[[], Source],
        make_pipeline: Callable[[], Pipeline],
        settings: LiveSettings,
        notify: Callable[[], None],
        *,
        make_painter: Callable[[], OverlayPainter] = OverlayPainter,
        timing: Timing | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        share_arena()
        self.settings, self.loop = settings, False
        self.pane: Pane | None = None
        self.on_result: OnResult | None = None
        self._notify, self._clock = notify, clock
        self._stopping = threading.Event()
        self._feed, self._views = Feed(lambda: self.settings, clock), ViewBuffer()
        self._context = Context(
            feed=self._feed,
            settings=lambda: self.settings,
            state=lambda: self.status.state,
            loop=lambda: self.loop,
            pane=lambda: self.pane,
            notify=self._on_change,
            timing=timing or Timing(),
            clock=clock,
        )
        self._watchdog = Watchdog(open_source, self._context)
        self._composer = Composer(self._views, make_painter, self._context)
        self._finders: list[Finder] = []
        self._add_finder(make_pipeline)

    @property
    def status(self) -> Status:
        """What the source is doing."""
        return self._watchdog.status

    @property
    def playback(self) -> Playback | None:
        """The position in a file; None for cameras, and before the first frame."""
        return None if (file := self._file) is None else file.playback

    @property
    def at_end(self) -> bool:
        """Whether every frame of a file was shown since the last seek; `status` may say so of what came before it."""
        return (file := self._file) is not None and file.epoch.drained

    @property
    def camera_rate(self) -> float | None:
        """Frames per second that the camera sends, as measured; None for files, and before the second frame."""
        reader = self._watchdog.reader
        return 1 / reader.period if reader is not None and reader.epoch.is_camera and reader.period > 0 else None

    @property
    def errors(self) -> tuple[UnderstudyError | None, ...]:
        """What is wrong with each finder's model or pipeline; None once it works again, and while it rests."""
        active = active_lanes(self.settings, len(self._finders))
        return tuple(finder.error if number in active else None for number, finder in enumerate(self._finders))

    def card(self, finder: int) -> Card | None:
        """Return the card of the model that a finder runs; None before it is loaded. Safe from any thread."""
        return self._finders[finder].card if finder < len(self._finders) else None

    def start(self) -> None:
        """Begin; returns at once."""
        self._watchdog.start()
        self._composer.start()
        self._finders[0].start()

    def stop(self, timeout: float = 3.0) -> bool:
        """End within `timeout` seconds from any state; `notify` is not called any more.

        Returns:
            Whether every thread ended. One that hangs in a driver or a model is abandoned and does no harm: what it
            still delivers is dropped.
        """
        deadline = self._clock() + timeout
        self._stopping.set()
        self._feed.close()
        self._composer.close()
        stopped = self._watchdog.stop(timeout)
        stuck = [finder for finder in self._finders if not finder.join(deadline - self._clock())]
        for _ in stuck:
            log.warning("The model does not return; its thread is abandoned")
        ended = self._composer.join(deadline - self._clock()) and stopped and not stuck
        give_back()
        return ended

    def reopen(self) -> None:
        """Close the camera and open it again, as when its picture is frozen; files are not affected."""
        self._watchdog.reopen()

    def seek(self, seconds: float) -> None:
        """Continue at a moment of a file, also after its end and in a pause; returns at once.

        Of many calls in a row only the last one counts. No earlier frame is shown any more.
        """
        if (file := self._file) is not None:
            file.seek(seconds)

    def step(self, frames: int) -> None:
        """Go this many frames of a file forward, or back; several calls add up. A pause continues at the new frame."""
        if (file := self._file) is not None:
            file.step(frames)

    def use_model(
        self,
        make_landmarker: Callable[[], Landmarker],
        finder: int = 0,
        make_pipeline: Callable[[], Pipeline] | None = None,
    ) -> None:
        """Exchange a finder's model between two frames.

        It is loaded on the finder's thread; if that fails, `errors` says why and the old model stays in use.

        Args:
            make_landmarker: loads the model.
            finder: number of the finder; one beyond the last makes a new finder, which begins with its pipeline.
            make_pipeline: builds the pipeline of a new finder; called on its thread.
        """
        if finder < len(self._finders):
            self._finders[finder].use_model(make_landmarker)
        elif make_pipeline is not None:
            self._add_finder(make_pipeline).start()

    def take_view(self) -> View | None:
        """Return the newest view, or None if there was no new one since the last call. For one thread only."""
        view = self._views.take()
        if view is not None and self.settings.layout is Layout.SINGLE:
            return View(view.lanes[:1])
        if view is not None and len(view.lanes) > self.settings.lanes:
            return View(view.lanes[: self.settings.lanes])
        return view

    @property
    def _file(self) -> FileReader | None:
        reader = self._watchdog.reader
        return reader if isinstance(reader, FileReader) else None

    def _add_finder(self, make_pipeline: Callable[[], Pipeline]) -> Finder:
        number = len(self._finders)
        finder = Finder(number, make_pipeline, self._context, self._composer, partial(self._report, number))
        self._composer.add(finder)  # before it can deliver a finding
        self._feed.add()
        self._finders.append(finder)
        return finder

    def _report(self, finder: int, result: Result, signals: tuple[FaceSignals | None, ...]) -> None:
        on_result = self.on_result
        if on_result is not None:
            on_result(finder, result, signals)

    def _on_change(self) -> None:
        if self._stopping.is_set():
            return
        try:
            self._notify()
        except Exception:  # a window that is being destroyed must not end the threads
            log.exception("The listener failed")
