"""An engine for tests of the window whose sessions are real: their threads, watchdogs and overlays; cameras and models
are fakes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.live.engine_api import EngineApi
from engine.core.errors import SourceError
from engine.inference.library import ModelEntry
from engine.live.session import Session
from engine.sources.base import CameraFormat, Source
from engine.sources.discovery import Camera
from tests.fakes.live_fakes import FAST, FakePipeline, landmarker

MODELS = ("student-68", "teacher-68")


class SessionEngine:
    """What the window asks of the engine.

    Attributes:
        makers: by the text of a source: what opens it, on a thread of its session.
        opened: what was asked for, in order.
        sessions: every session made, oldest first.
        make_pipeline: makes a lane's pipeline, by the name of its model.
        load_landmarker: loads another model.
        cameras: what is plugged in.
        timing: the sessions' patience.
    """

    def __init__(self) -> None:
        self.makers: dict[str | None, Callable[[], Source]] = {}
        self.opened: list[str | None] = []
        self.sessions: list[Session] = []
        self.make_pipeline: Callable[[str], Any] = FakePipeline
        self.load_landmarker: Callable[[str], Any] = landmarker
        self.cameras: list[Camera] = []
        self.timing = replace(FAST, stall=0.5, dead=1.0)  # a busy machine is no faulty camera
        self.api = EngineApi(
            list_cameras=lambda: list(self.cameras),
            open_source=self._open,
            list_models=lambda: [ModelEntry(name, Path(f"{name}.tflite"), None, None) for name in MODELS],
            list_filters=lambda: [],
            make_pipeline=lambda name: self.make_pipeline(name),
            load_landmarker=lambda name: self.load_landmarker(name),
            new_session=self._new_session,
        )

    def release(self) -> None:
        """Nothing is held here; tests let go what they hold."""

    def _open(self, spec: str | None, format_of: Callable[[str], CameraFormat]) -> Source:
        self.opened.append(spec)
        if spec not in self.makers:
            raise SourceError(f"There is no “{spec}”", "the test did not make it", "make it")
        return self.makers[spec]()

    def _new_session(self, open_source, make_pipeline, settings, notify) -> Session:
        session = Session(open_source, make_pipeline, settings, notify, timing=self.timing)
        self.sessions.append(session)
        return session
