"""Plays one source at a time. A new source takes over once it gives a picture; if it fails, the former plays on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from PySide6.QtCore import QCoreApplication, QObject, Signal

from app.live.active_source import FIRST, ActiveSource
from app.live.camera_permission import when_cameras_are_decided
from app.live.engine_api import EngineApi
from app.settings.store import SettingsStore
from app.shell.background import Background, Bridge
from engine.core.errors import ModelError, SourceError, UnderstudyError
from engine.inference.landmarker import model_of
from engine.inference.pipeline import Pipeline
from engine.live.feed import active_lanes
from engine.live.file_reader import Playback
from engine.live.session import OnResult
from engine.live.session_reporter import LaneFacts
from engine.live.settings import MOST_LANES, LiveSettings
from engine.live.state import FINAL_STATES, SourceState
from engine.live.view import View
from engine.render.canvas import Pane
from engine.render.scene import Layout
from engine.sources.base import Adjustable, CameraFormat, Source, SourceKind
from engine.sources.opening import SAMPLE

T = TypeVar("T")
STOP_SECONDS = 2.0  # time for a session to end; the window must be gone after 3


class Player(QObject):
    """Owns the sessions. Lives on the GUI thread and never waits.

    Attributes:
        current: what is on screen.
        at_work: the model name of each lane's results; "" before the first.
    """

    viewed = Signal(object)  # View: a new picture of the source on screen
    status_changed = Signal(object)  # Status of the source on screen
    opening = Signal(object, object)  # ActiveSource that is being opened, and its Status
    opened = Signal(object)  # ActiveSource that took over
    kept = Signal(object)  # ActiveSource that stays on screen because the next one failed or was cancelled
    model_changed = Signal(int, str)  # lane, and the name of the model in use there
    errors_changed = Signal(object)  # what is wrong with each lane, UnderstudyError or None
    failed = Signal(object, object)  # UnderstudyError, and a function that tries again
    idle = Signal()  # nothing could be opened, not even the sample
    stopped = Signal()  # every session has ended or was abandoned

    def __init__(self, api: EngineApi, store: SettingsStore, on_result: OnResult | None = None) -> None:
        super().__init__()
        self._api, self._store = api, store
        self._on_result = on_result
        self._mirroring_chosen = False  # by the user, while the next source is being opened
        self.at_work = [""] * MOST_LANES
        self._last_loaded = [""] * MOST_LANES  # of each lane, by name or path; set by threads of the sessions
        self._errors: tuple[UnderstudyError | None, ...] = ()
        self._loop = self._resting = False
        self._pane: Pane | None = None
        self._formats: dict[str, CameraFormat] = {}  # what cameras are asked for, by their names
        self.current: ActiveSource | None = None
        self._next: ActiveSource | None = None
        self._stopping: list[ActiveSource] = []
        self._background = Background(self)
        self._bridge = Bridge(self)
        self._bridge.changed.connect(self._poll)

    def open(self, spec: str | None) -> None:
        """Start a source; it takes over with its first picture.

        Choosing the source on screen cancels the opening of another.
        """
        if self._next is not None:
            self._end(self._next)
            self._next = None
        current = self.current
        if current is not None and current.answers_to(spec) and current.session.status.state not in FINAL_STATES:
            self.kept.emit(current)
            return
        self._start(ActiveSource(spec))

    def reopen(self) -> None:
        """Close the camera on screen and open it again."""
        if self.current is not None:
            self.current.session.reopen()

    def replay(self) -> None:
        """Start the source on screen from its beginning if it has ended."""
        if self.current is None or self._next is not None or self.current.session.status.state not in FINAL_STATES:
            return
        if self.current.session.status.state is SourceState.ENDED and self.playback is not None:
            self.seek(0.0)
        else:
            self._start(ActiveSource(self.current.spec))

    @property
    def playback(self) -> Playback | None:
        """The position in the file on screen; None for cameras."""
        return None if self.current is None else self.current.session.playback

    @property
    def errors(self) -> tuple[UnderstudyError | None, ...]:
        """What is wrong with each lane of the source on screen; None where it works."""
        return () if self.current is None else self.current.session.errors

    @property
    def at_end(self) -> bool:
        """Whether every frame of the file on screen was shown since the last seek."""
        return self.current is not None and self.current.session.at_end

    def lane_facts(self, lane: int) -> LaneFacts:
        """Return what is known of a lane of the session on screen. May be called on any thread."""
        playing, model = self.current, self._wanted(lane, "")
        if playing is None:
            return LaneFacts(model)
        session = playing.session
        errors = session.errors
        error = errors[lane] if lane < len(errors) else None
        rests = lane not in active_lanes(session.settings, lane + 1)
        return LaneFacts(model, session.card(lane), "" if error is None else str(error), rests)

    def seek(self, seconds: float) -> None:
        """Continue at a moment of the file on screen."""
        if self.current is not None:
            self.current.session.seek(seconds)

    def step(self, frames: int) -> None:
        """Go this many frames forward, or back."""
        if self.current is not None:
            self.current.session.step(frames)

    def set_loop(self, loop: bool) -> None:
        """Let files start again at their end or not, this one and later ones."""
        self._loop = loop
        for playing in self._alive:
            playing.session.loop = loop

    def set_pane(self, pane: Pane) -> None:
        """Let ink be drawn for a place on the screen, of this source and of later ones."""
        self._pane = pane
        for playing in self._alive:
            playing.session.pane = pane

    @property
    def camera_format(self) -> CameraFormat | None:
        """The format that the camera on screen is asked for; None while none plays."""
        playing = self.current
        if playing is None or playing.kind is not SourceKind.CAMERA:
            return None
        return self._format_of(playing.name)

    def use_format(self, wanted: CameraFormat) -> None:
        """Ask the camera on screen for a format, now and whenever it is opened again; how it is turned is stored."""
        playing = self.current
        if playing is None or playing.camera is None:
            return
        if wanted.turn != self._format_of(playing.name).turn:
            turns = {**dict(self._store.settings.turns), playing.name: wanted.turn}
            self._store.update("turns", tuple((name, turn) for name, turn in turns.items() if turn))
        self._formats[playing.name] = wanted
        playing.camera.ask(wanted)

    def _format_of(self, camera: str) -> CameraFormat:
        """Return what a camera is asked for. May be called on any thread."""
        stored = dict(self._store.settings.turns).get(camera, 0)
        turn = stored if self._api.turn is None else self._api.turn
        return self._formats.get(camera) or replace(self._api.camera_format, turn=turn)

    def apply(self, path: str) -> None:
        """Apply the settings to the source on screen from the next frame on; `path` says which of them changed.

        A source that is being opened gets them when it takes over.
        """
        if self._next is not None and path == "live.mirrored":
            self._mirroring_chosen = True
        if self.current is not None:
            self.current.session.settings = self._live
            self._request_further_models(self.current)

    def rest(self, resting: bool) -> None:
        """Let nothing be computed for now, as in a pause, or go on."""
        self._resting = resting
        if self.current is not None:
            self.current.session.settings = self._live

    @property
    def models(self) -> tuple[str, ...]:
        """The model requested for each lane, by name or path. May be read on any thread."""
        return self._store.settings.lanes.models

    def use_model(self, model: str, lane: int = FIRST) -> None:
        """Exchange a lane's model, by name or path; if it cannot be loaded, the former one stays in use.

        One lane beyond the last is a new one.
        """
        for playing in self._alive:
            playing.reported[lane] = ""  # choosing a broken model twice is reported twice
            playing.further_models.pop(lane, None)  # so that one that failed is tried again
        self._store_model(model, lane)
        for playing in self._alive:
            if lane == FIRST:
                playing.session.use_model(lambda: self._loaded(FIRST, self._api.load_landmarker, model))
            else:
                self._request_further_models(playing)

    def remove_model(self, lane: int) -> None:
        """Take a lane away; the models of later ones move up. The last lane stays."""
        before = self.models
        models = before[:lane] + before[lane + 1 :]
        if not models:
            return
        for place in range(lane, len(models)):
            self.use_model(models[place], place)
        self._store.update("lanes.models", models)

    def swap_models(self) -> None:
        """Exchange the models of the two lanes that layouts of two show."""
        first, second = self._store.settings.session.two
        models = self.models
        self.use_model(models[second], first)
        self.use_model(models[first], second)

    def stop(self) -> None:
        """End everything; `stopped` is emitted when that is done, and no other signal any more."""
        self._bridge.close()
        for playing in self._alive:
            self._end(playing)
        self.current = self._next = None
        if not self._stopping:
            self.stopped.emit()

    @property
    def _alive(self) -> list[ActiveSource]:
        return [playing for playing in (self.current, self._next) if playing is not None]

    @property
    def _live(self) -> LiveSettings:
        """The settings of the session on screen."""
        settings = self._store.settings.session
        return replace(settings, paused=settings.paused or self._resting)

    def _store_model(self, model: str, lane: int) -> None:
        self._store.update("lanes.models", (*self.models[:lane], model, *self.models[lane + 1 :]))

    def _start(self, playing: ActiveSource) -> None:
        # Only their events: a session that referred to earlier ones would keep them all in memory.
        before = tuple(old.ended for old in self._stopping if old.may_share_device(playing))
        settings = replace(self._live, paused=False)
        self._mirroring_chosen = self._mirroring_chosen and playing.stands_in
        playing.session = self._api.new_session(
            lambda: self._open_source(playing, before),
            lambda: self._make_pipeline(playing),
            settings,
            self._bridge.notify,
        )
        playing.session.loop, playing.session.pane = self._loop, self._pane
        self._next = playing
        self._request_further_models(playing)
        self.opening.emit(playing, playing.session.status)

        def begin() -> None:
            if playing is self._next:  # another may have been chosen while the question was open
                playing.session.start()

        application = QCoreApplication.instance()
        if playing.may_be_camera and application is not None:
            when_cameras_are_decided(application, self, begin)
        else:
            begin()

    def _request_further_models(self, playing: ActiveSource) -> None:
        """Give a session the models of its further lanes, once they are needed."""
        if self._live.layout is Layout.SINGLE:
            return
        for lane, model in enumerate(self.models):
            if lane != FIRST and playing.further_models.get(lane) != model:
                playing.further_models[lane] = model
                self._request_model(playing, lane, model)

    def _request_model(self, playing: ActiveSource, lane: int, model: str) -> None:
        playing.session.use_model(
            lambda: self._loaded(lane, self._api.load_landmarker, model),
            lane,
            # By the time the first one failed, another may have been requested.
            lambda: self._loaded(lane, self._api.make_pipeline, self._wanted(lane, model)),
        )

    def _wanted(self, lane: int, otherwise: str) -> str:
        """Return the model requested for a lane; another where the lane was taken away. For any thread."""
        models = self.models
        return models[lane] if lane < len(models) else otherwise

    def _open_source(self, playing: ActiveSource, before: tuple[threading.Event, ...]) -> Source:
        """Open the source of `playing`, or open it again; runs on its session's thread."""
        for ended in before:  # two readers on one device would make a free camera appear busy
            ended.wait(STOP_SECONDS)
        source = self._api.open_source(playing.found_as, self._format_of)
        playing.camera = source if isinstance(source, Adjustable) else None
        if playing.kind is None:
            playing.name, playing.kind = source.name, source.kind
            playing.is_still = source.kind is SourceKind.PICTURES and source.frame_count == 1
            # Set here, so that the very first picture of a camera is mirrored.
            playing.session.settings = replace(playing.session.settings, mirrored=source.kind is SourceKind.CAMERA)
        return source

    def _make_pipeline(self, playing: ActiveSource) -> Pipeline:
        """Build the pipeline, with the first other model that loads if the requested one is broken.

        Runs on the session's thread.
        """
        model = self.models[FIRST]
        try:
            return self._loaded(FIRST, self._api.make_pipeline, model)
        except ModelError as error:
            playing.model_refusal = error
            for entry in self._api.list_models():
                if entry.error is None and entry.name != model:
                    with suppress(ModelError):  # a listed one may be damaged too
                        return self._loaded(FIRST, self._api.make_pipeline, entry.name)
            raise

    def _loaded(self, lane: int, load: Callable[[str], T], model: str) -> T:
        loaded = load(model)  # on a session's thread
        self._last_loaded[lane] = model
        return loaded

    def _poll(self) -> None:
        if self._next is not None:
            self._poll_next(self._next)
        if self.current is not None:
            self._poll_current(self.current)

    def _poll_next(self, playing: ActiveSource) -> None:
        over = playing.session.status.state in FINAL_STATES  # read first: the last view comes before the end
        view = playing.session.take_view()
        if view is not None:
            self._take_over(playing)
            self._report_view(view)
        elif over:
            self._fail(playing)
        elif self._has_new_status(playing):
            self.opening.emit(playing, playing.session.status)

    def _poll_current(self, playing: ActiveSource) -> None:
        # Read first: the view that names a model comes before its errors.
        errors = playing.session.errors
        view = playing.session.take_view()
        if view is not None:
            self._report_view(view)
        self._report_errors(playing, errors)
        if self._has_new_status(playing):
            status = playing.session.status
            self.status_changed.emit(status)
            if status.error is not None:
                again = playing.found_as  # not `playing`: the banner may keep it for long
                self.failed.emit(status.error, lambda: self._open_again(again))

    def _take_over(self, playing: ActiveSource) -> None:
        former, self.current, self._next = self.current, playing, None
        playing.reported_status = None  # so far it was reported as that of a source being opened
        self._request_further_models(playing)
        live = self._store.settings.live
        mirrored = live.mirrored if self._mirroring_chosen else playing.kind is SourceKind.CAMERA
        self._store.update("live", replace(live, mirrored=mirrored, paused=False))
        playing.session.settings = self._live
        playing.session.on_result = self._on_result
        if former is not None:
            self._end(former)
        self.opened.emit(playing)

    def _fail(self, playing: ActiveSource) -> None:
        self._next = None
        self._end(playing)
        error = playing.session.status.error or playing.session.errors[FIRST]
        if error is None:
            reason = playing.session.status.message or "it is empty or ended at once"
            error = SourceError(f"The source {playing.name} gave no picture", reason, "choose another source")
        again = playing.spec  # not `playing`: the banner may keep it for long
        self.failed.emit(error, lambda: self._open_again(again))
        if self.current is not None:
            self.kept.emit(self.current)
        elif playing.spec != SAMPLE:
            self._start(ActiveSource(SAMPLE, stands_in=True))
        else:
            self.idle.emit()

    def _open_again(self, spec: str | None) -> None:
        """Try again to open the source that failed, unless another is being opened."""
        if self._next is None:
            self.open(spec)

    def _end(self, playing: ActiveSource) -> None:
        def end() -> None:
            playing.session.stop(STOP_SECONDS)
            playing.ended.set()

        playing.session.on_result = None
        self._stopping.append(playing)
        self._background.run(end, lambda _: self._forget(playing))

    def _forget(self, playing: ActiveSource) -> None:
        self._stopping.remove(playing)
        if self._bridge.closed and not self._stopping:
            self.stopped.emit()

    def _report_view(self, view: View) -> None:
        for lane, shown in view.by_number.items():
            model = model_of(shown.result.model)  # "" on frames that no model processed
            if model and model != self.at_work[lane]:
                self.at_work[lane] = model
                self.model_changed.emit(lane, model)
        self.viewed.emit(view)

    def _report_errors(self, playing: ActiveSource, errors: tuple[UnderstudyError | None, ...]) -> None:
        if playing.model_refusal is not None:
            wanted = self.models[FIRST]
            self.failed.emit(playing.model_refusal, lambda: self.use_model(wanted, FIRST))
            playing.model_refusal = None
        if errors != self._errors:
            self._errors = errors
            self.errors_changed.emit(errors)
        for lane, error in enumerate(errors[: len(self.models)]):
            if error is not None and str(error) != playing.reported[lane]:
                playing.reported[lane] = str(error)
                self._report_error(lane, error)

    def _report_error(self, lane: int, error: UnderstudyError) -> None:
        wanted, at_work = self.models[lane], self.at_work[lane]
        if isinstance(error, ModelError) and at_work:
            self._store_model(self._last_loaded[lane], lane)
            self.model_changed.emit(lane, at_work)
        remains = self.models[lane]

        def try_again() -> None:
            if self.models[lane : lane + 1] == (remains,):  # neither taken away nor another's place since
                self.use_model(wanted, lane)

        self.failed.emit(error, try_again)

    def _has_new_status(self, playing: ActiveSource) -> bool:
        status = playing.session.status
        if status == playing.reported_status:
            return False
        playing.reported_status = status
        return True
