"""What the window asks of the engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from engine.filters.library import FilterEntry
from engine.inference.detector import DEFAULT_DETECTOR
from engine.inference.landmarker import Landmarker
from engine.inference.library import ModelEntry, ModelLibrary
from engine.inference.pipeline import Pipeline
from engine.live.session import Session
from engine.live.settings import LiveSettings
from engine.sources.base import CameraFormat, Source
from engine.sources.camera import DEFAULT_FORMAT
from engine.sources.discovery import Camera

# Makes a session that has not started yet, as `Session` itself does.
NewSession = Callable[[Callable[[], Source], Callable[[], Pipeline], LiveSettings, Callable[[], None]], Session]


@dataclass(frozen=True)
class EngineApi:
    """What the window needs of the engine. Every part but `new_session` may take long and is called on other threads.

    Attributes:
        list_cameras: cameras that are plugged in.
        open_source: opens a source by its text; None is the first camera, or else the sample. Also takes what returns
            the format that a camera is asked for, by its name.
        list_models: the available models, broken ones with the reason.
        list_filters: the available AR filters, broken ones with the reason.
        make_pipeline: builds the pipeline for a model, by name or path.
        load_landmarker: loads a model by name or path; by name, its int8 twin where that is fast.
        new_session: makes a session.
        camera_format: what cameras are asked for unless the user chose something else.
        library: where models from elsewhere are saved.
        turn: by how many degrees all cameras are turned, if the command line says so; None as was chosen for each.
        detector: name of the face detector.
    """

    list_cameras: Callable[[], list[Camera]]
    open_source: Callable[[str | None, Callable[[str], CameraFormat]], Source]
    list_models: Callable[[], list[ModelEntry]]
    list_filters: Callable[[], list[FilterEntry]]
    make_pipeline: Callable[[str], Pipeline]
    load_landmarker: Callable[[str], Landmarker]
    new_session: NewSession
    camera_format: CameraFormat = DEFAULT_FORMAT
    turn: int | None = None
    library: ModelLibrary = field(default_factory=ModelLibrary)
    detector: str = DEFAULT_DETECTOR
