"""Plays one source at a time. A new source takes over once it gives a picture; if it fails, the former plays on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from PySide6.QtCore import QObject, Signal

from app.background import Background
from app.bridge import Bridge
from app.playing import Playing
from engine.errors import ModelError, SourceError, UnderstudyError
from engine.live import Session
from engine.live_settings import LiveSettings, View
from engine.live_state import FINAL_STATES, SourceState
from engine.models.landmarker import Landmarker
from engine.models.library import ModelEntry
from engine.pipeline import Pipeline
from engine.sources.base import Source, SourceKind
from engine.sources.discovery import Camera
from engine.sources.opening import SAMPLE

STOP_SECONDS = 2.0  # what a session gets for ending; the window must be gone after 3


class NewSession(Protocol):
    """Makes a session that has not started yet."""

    def __call__(
        self,
        open_source: Callable[[], Source],
        make_pipeline: Callable[[], Pipeline],
        settings: LiveSettings,
        notify: Callable[[], None],
    ) -> Session: ...


@dataclass(frozen=True)
class Parts:
    """What the window asks of the engine. Every part but `new_session` may take long and runs on other threads.

    Attributes:
        list_cameras: cameras that are plugged in.
        open_source: opens a source by its text; None is the first camera, or else the sample.
        list_models: the models that are there, broken ones with the reason.
        make_pipeline: builds the way of a frame for a model, by name or path.
        load_landmarker: loads a model by name or path.
        new_session: makes a session.
    """

    list_cameras: Callable[[], list[Camera]]
    open_source: Callable[[str | None], Source]
    list_models: Callable[[], list[ModelEntry]]
    make_pipeline: Callable[[str], Pipeline]
    load_landmarker: Callable[[str], Landmarker]
    new_session: NewSession


class Player(QObject):
    """Owns the sessions. Lives on the GUI thread and never waits for anything there."""

    viewed = Signal(object)  # View: a new picture of the source on screen
    status_changed = Signal(object)  # Status of the source on screen
    opening = Signal(object, object)  # Playing that is on its way, and its Status
    opened = Signal(object)  # Playing that took over
    kept = Signal(object)  # Playing that stays on screen because the next one failed or was called off
    model_changed = Signal(str)  # name of the model at work
    troubled = Signal(object)  # UnderstudyError
    idle = Signal()  # nothing could be opened, not even the sample
    stopped = Signal()  # every session has ended or has been given up

    def __init__(self, parts: Parts, settings: LiveSettings, model: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._parts = parts
        self._settings = settings
        self._mirroring_chosen = False  # by hand, while the next source is on its way
        self._model = model  # what is asked for, by name or path
        self._loaded = ""  # what was loaded last, by name or path; set by threads of the sessions
        self._model_at_work = ""  # the name that results carry
        self._current: Playing | None = None
        self._next: Playing | None = None
        self._stopping: list[Playing] = []
        self._background = Background(self)
        self._bridge = Bridge(self)
        self._bridge.changed.connect(self._look)

    @property
    def current(self) -> Playing | None:
        """What is on screen."""
        return self._current

    @property
    def model_at_work(self) -> str:
        """Name of the model behind the picture on screen, "" before the first."""
        return self._model_at_work

    def open(self, spec: str | None) -> None:
        """Start a source; it takes over with its first picture.

        Choosing what is on screen already calls off whatever was on its way.
        """
        self._call_off()
        current = self._current
        if current is not None and current.answers_to(spec) and self._state(current) not in FINAL_STATES:
            self.kept.emit(current)
            return
        self._start(Playing(spec))

    def replay(self) -> None:
        """Start the source on screen from its beginning if it has ended."""
        if self._current is not None and self._next is None and self._state(self._current) in FINAL_STATES:
            self._start(Playing(self._current.spec))

    def apply(self, settings: LiveSettings) -> None:
        """Use these settings from the next frame on; a source on its way gets them when it takes over."""
        if self._next is not None and settings.mirrored != self._settings.mirrored:
            self._mirroring_chosen = True
        self._settings = settings
        if self._current is not None:
            self._current.session.settings = settings

    def use_model(self, model: str) -> None:
        """Exchange the model, by name or path; if it cannot be loaded, the former one stays at work."""
        self._model = model
        for playing in (self._current, self._next):
            if playing is not None:
                playing.told_words = ""  # choosing a broken model twice is told twice
                playing.session.use_model(lambda: self._load_landmarker(model))

    def stop(self) -> None:
        """End everything; `stopped` tells when. Nothing else is told any more."""
        self._bridge.close()
        for playing in (self._current, self._next):
            if playing is not None:
                self._end(playing)
        self._current = self._next = None
        if not self._stopping:
            self.stopped.emit()

    def _start(self, playing: Playing) -> None:
        before = tuple(old for old in self._stopping if old.may_share_device(playing))
        settings = replace(self._settings, paused=False)
        self._mirroring_chosen = self._mirroring_chosen and playing.stands_in
        playing.session = self._parts.new_session(
            lambda: self._open_source(playing, before),
            lambda: self._make_pipeline(playing),
            settings,
            self._bridge.notify,
        )
        self._next = playing
        self.opening.emit(playing, playing.session.status)
        playing.session.start()

    def _open_source(self, playing: Playing, before: tuple[Playing, ...]) -> Source:
        """Open the source of `playing`, or open it again; runs on its session's thread."""
        for old in before:  # two readers on one device would make a free camera look busy
            old.ended.wait(STOP_SECONDS)
        source = self._parts.open_source(playing.found_as)
        if playing.kind is None:
            playing.name, playing.kind = source.name, source.kind
            playing.is_still = source.kind is SourceKind.PICTURES and source.frame_count == 1
            # Set here, so that the very first picture of a camera is mirrored.
            playing.session.settings = replace(playing.session.settings, mirrored=source.kind is SourceKind.CAMERA)
        return source

    def _make_pipeline(self, playing: Playing) -> Pipeline:
        """Build the pipeline, with another model if the wanted one is broken; runs on the session's thread."""
        model = self._model
        try:
            return self._build_pipeline(model)
        except ModelError as error:
            playing.model_refusal = error
            for entry in self._parts.list_models():
                if entry.error is None and entry.name != model:
                    return self._build_pipeline(entry.name)
            raise

    def _build_pipeline(self, model: str) -> Pipeline:
        pipeline = self._parts.make_pipeline(model)
        self._loaded = model
        return pipeline

    def _load_landmarker(self, model: str) -> Landmarker:
        """Load another model; runs on a session's thread."""
        landmarker = self._parts.load_landmarker(model)
        self._loaded = model
        return landmarker

    def _look(self) -> None:
        """See what the sessions have made."""
        if self._next is not None:
            self._look_at_next(self._next)
        if self._current is not None:
            self._look_at_current(self._current)

    def _look_at_next(self, playing: Playing) -> None:
        over = self._state(playing) in FINAL_STATES  # asked first: the last view comes before the end
        view = playing.session.take_view()
        if view is not None:
            self._take_over(playing)
            self._tell_view(view)
        elif over:
            self._give_up(playing)
        elif self._has_new_status(playing):
            self.opening.emit(playing, playing.session.status)

    def _look_at_current(self, playing: Playing) -> None:
        error = playing.session.error  # asked first: the view that names a model comes before its errors
        view = playing.session.take_view()
        if view is not None:
            self._tell_view(view)
        self._tell_errors(playing, error)
        if self._has_new_status(playing):
            status = playing.session.status
            self.status_changed.emit(status)
            if status.error is not None:
                self.troubled.emit(status.error)

    def _take_over(self, playing: Playing) -> None:
        former, self._current, self._next = self._current, playing, None
        playing.told_status = None  # so far it was told as that of a source on its way
        mirrored = self._settings.mirrored if self._mirroring_chosen else playing.kind is SourceKind.CAMERA
        playing.session.settings = replace(self._settings, mirrored=mirrored, paused=False)
        if former is not None:
            self._end(former)
        self.opened.emit(playing)

    def _give_up(self, playing: Playing) -> None:
        self._next = None
        self._end(playing)
        self.troubled.emit(playing.session.status.error or playing.session.error or _empty(playing))
        if self._current is not None:
            self.kept.emit(self._current)
        elif playing.spec != SAMPLE:
            self._start(Playing(SAMPLE, stands_in=True))
        else:
            self.idle.emit()

    def _call_off(self) -> None:
        if self._next is not None:
            self._end(self._next)
            self._next = None

    def _end(self, playing: Playing) -> None:
        def end() -> None:
            playing.session.stop(STOP_SECONDS)
            playing.ended.set()

        self._stopping.append(playing)
        self._background.run(end, lambda _: self._forget(playing))

    def _forget(self, playing: Playing) -> None:
        self._stopping.remove(playing)
        if self._bridge.closed and not self._stopping:
            self.stopped.emit()

    def _tell_view(self, view: View) -> None:
        model = view.first.result.model  # "" on frames that no model saw
        if model and model != self._model_at_work:
            self._model_at_work = model
            self.model_changed.emit(self._model_at_work)
        self.viewed.emit(view)

    def _tell_errors(self, playing: Playing, error: UnderstudyError | None) -> None:
        if playing.model_refusal is not None:
            self.troubled.emit(playing.model_refusal)
            playing.model_refusal = None
        if error is not None and error is not playing.told and str(error) != playing.told_words:
            self._tell_error(error)
        playing.told, playing.told_words = error, playing.told_words if error is None else str(error)

    def _tell_error(self, error: UnderstudyError) -> None:
        if isinstance(error, ModelError) and self._model_at_work:
            self._model = self._loaded
            self.model_changed.emit(self._model_at_work)
        self.troubled.emit(error)

    def _has_new_status(self, playing: Playing) -> bool:
        status = playing.session.status
        if status == playing.told_status:
            return False
        playing.told_status = status
        return True

    def _state(self, playing: Playing) -> SourceState:
        return playing.session.status.state


def _empty(playing: Playing) -> SourceError:
    reason = playing.session.status.message or "it is empty or ended at once"
    return SourceError(f"The source {playing.name} gave no picture", reason, "choose another source")
