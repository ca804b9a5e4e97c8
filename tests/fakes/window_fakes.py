"""An engine for tests of the window: sessions that do what the test says, without cameras or models."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from app.live.engine_api import EngineApi
from engine.core.errors import ModelError, SourceError, UnderstudyError
from engine.core.faces import Result
from engine.core.frame import Frame, Truth
from engine.core.schemes import IBUG_68
from engine.core.stats import Meter
from engine.inference.library import ModelEntry
from engine.live.file_reader import Playback
from engine.live.settings import LiveSettings
from engine.live.state import SourceState, Status
from engine.live.view import LaneView, View
from engine.render.scene import Layout
from engine.sources.base import CameraFormat, SourceKind
from engine.sources.discovery import Camera

BROKEN = ModelError("The model “broken” is damaged", "its bytes changed on the way", "install it again")
GREY = (40, 80, 120, 255)  # BGRA of the pictures of fake sessions


def make_view(model="student-68", size=(320, 240), colour=GREY, truth=False) -> View:
    """Return a view of one plain colour; `size` is width and height."""
    width, height = size
    image = np.zeros((height, width, 3), np.uint8)
    known = Truth(IBUG_68, np.zeros((68, 2), np.float32)) if truth else None
    result = Result(Frame(0, 0.0, image, "fake", truth=known), (), model, {}, detected=False)
    picture = np.empty((height, width, 4), np.uint8)
    picture[:] = colour
    return View((LaneView(result, (), Meter().stats(), picture),))


class FakeSource:
    """As much of a source as the player looks at."""

    def __init__(self, name: str, kind: SourceKind, frame_count: int | None = None) -> None:
        self.name, self.kind, self.frame_count = name, kind, frame_count


class FakeSession:
    """A session with one thread that opens the source and the pipeline and then gives a single view."""

    def __init__(self, engine: FakeEngine, open_source, make_pipeline, settings: LiveSettings, notify) -> None:
        self._engine = engine
        self.open_source, self._make_pipeline, self._notify = open_source, make_pipeline, notify
        self.settings = settings
        self.status = Status(SourceState.STARTING, "", "")
        self.error = self.on_result = None
        self.further_errors: dict[int, UnderstudyError | None] = {}
        self.playback: Playback | None = None
        self.camera_rate: float | None = None
        self.loop, self.pane = False, None
        self.asked: list[tuple[str, float]] = []
        self.further_models: dict[int, list[str]] = {}  # that were loaded, by the numbers of their lanes
        self.reopened = 0
        self.stopped = threading.Event()
        self._giving = threading.Lock()
        self._view: View | None = None
        self._model = ""
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float = 3.0) -> bool:
        self.stopped.set()
        return not self._engine.stop_hangs.wait(timeout) if self._engine.hang_on_stop else True

    @property
    def errors(self) -> tuple[UnderstudyError | None, ...]:
        return self.error, *(self.further_errors.get(lane) for lane in range(1, self.settings.lanes))

    @property
    def second_models(self) -> list[str]:
        return self.further_models.get(1, [])

    def use_model(self, make_landmarker, finder=0, make_pipeline=None) -> None:
        if finder:
            self._use_further_model(finder, make_landmarker)
            return

        def load() -> None:
            try:
                self._model = make_landmarker().name
                self.error = None
            except ModelError as error:
                self.error = error
            self.give()

        threading.Thread(target=load, daemon=True).start()

    def _use_further_model(self, lane: int, make_landmarker: Callable[[], SimpleNamespace]) -> None:
        def load() -> None:
            try:
                self.further_models.setdefault(lane, []).append(make_landmarker().name)
                self.further_errors[lane] = None
            except ModelError as error:
                self.further_errors[lane] = error
            self.give()

        threading.Thread(target=load, daemon=True).start()

    def reopen(self) -> None:
        self.reopened += 1

    def seek(self, seconds: float) -> None:
        self.asked.append(("seek", seconds))

    def step(self, frames: int) -> None:
        self.asked.append(("step", frames))

    def take_view(self) -> View | None:
        view, self._view = self._view, None
        return view

    def give(self, **looks) -> None:
        """Have a new view; see `make_view`."""
        with self._giving:  # models are loaded on several threads, and the last view has all of them
            view = make_view(self._model, truth=self._engine.truth, **looks)
            if self.settings.layout is not Layout.SINGLE:
                names = [self.further_models.get(lane) for lane in range(1, self.settings.lanes)]
                view = View((view.first, *(its and make_view(its[-1], **looks).first for its in names)))
            self._view = view
        self._notify()

    def report(self, state: SourceState, message: str = "") -> None:
        """Change the status."""
        self.status = Status(state, self.status.source, message)
        self._notify()

    def fail(self, error: UnderstudyError) -> None:
        """Fail for good."""
        self.status = Status(SourceState.FAILED, self.status.source, str(error), error)
        self._notify()

    def _run(self) -> None:
        try:
            source = self.open_source()
            self._model = self._make_pipeline().name
        except (SourceError, ModelError) as error:
            self.fail(error)
            return
        self.status = Status(SourceState.LIVE, source.name, "")
        self.give()


class FakeEngine:
    """What the window asks of the engine, under the control of a test.

    Attributes:
        sessions: every session made, oldest first.
        cameras: what is plugged in.
        outcomes: by the text of a source: a source, an error to raise, or an event to wait for before it opens.
        truth: whether views carry ground truth.
        hang_on_stop: whether sessions take their whole time-out to stop.
        broken_models: those that do not load, and are listed so.
        damaged_models: those that do not load, but are listed as usable.
    """

    def __init__(self) -> None:
        self.sessions: list[FakeSession] = []
        self.cameras: list[Camera] = []
        self.outcomes: dict[str | None, FakeSource | Exception | threading.Event] = {}
        self.opened: list[str | None] = []
        self.formats: dict[str, CameraFormat] = {}
        self.truth = False
        self.hang_on_stop = False
        self.stop_hangs = threading.Event()
        self.broken_models: set[str] = {"broken"}
        self.damaged_models: set[str] = set()
        self.api = EngineApi(
            list_cameras=lambda: list(self.cameras),
            open_source=self._open,
            list_models=self._models,
            list_filters=lambda: [],
            make_pipeline=self._load,
            load_landmarker=self._load,
            new_session=self._new_session,
        )

    def release(self) -> None:
        """Let everything that hangs go on, so that no thread outlives its test."""
        self.stop_hangs.set()
        for outcome in self.outcomes.values():
            if isinstance(outcome, threading.Event):
                outcome.set()

    def _new_session(self, open_source, make_pipeline, settings, notify) -> FakeSession:
        session = FakeSession(self, open_source, make_pipeline, settings, notify)
        self.sessions.append(session)
        return session

    def _open(self, spec: str | None, format_of: Callable[[str], CameraFormat]) -> FakeSource:
        self.opened.append(spec)
        self.formats = {camera.name: format_of(camera.name) for camera in self.cameras}
        outcome = self.outcomes.get(spec)
        if isinstance(outcome, Exception):
            raise outcome
        if isinstance(outcome, threading.Event):
            outcome.wait(20)
        if isinstance(outcome, FakeSource):
            return outcome
        for camera in self.cameras[:1] if spec is None else self.cameras:
            if spec in (None, camera.name):
                return FakeSource(camera.name, SourceKind.CAMERA)
        if spec in (None, "sample"):
            return FakeSource("Sample", SourceKind.SAMPLE)
        return FakeSource(Path(spec).name, SourceKind.VIDEO)

    def _models(self) -> list[ModelEntry]:
        names = ("broken", "student-68", "student-68-lite")
        return [
            ModelEntry(name, Path(f"{name}.tflite"), None, BROKEN if name in self.broken_models else None)
            for name in names
        ]

    def _load(self, model: str) -> SimpleNamespace:
        if model in self.broken_models | self.damaged_models:
            raise BROKEN
        return SimpleNamespace(name=model)


def camera(name: str, index: int = 0) -> Camera:
    """Return a camera as it is listed."""
    return Camera(index=index, backend=0, name=name, path=f"/dev/video{index}")
