"""What the window remembers from one start to the next."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from app.theme.theme import ThemeChoice
from engine.inference.library import DEFAULT_MODEL
from engine.inference.pipeline import DEFAULT_SMOOTHING
from engine.live.settings import Pace
from engine.render.scene import Layout, OverlayOptions


@dataclass(frozen=True)
class Range:
    """The least and the most that a number may be."""

    low: float
    high: float


Place = Annotated[int, Range(-100_000, 100_000)]  # logical pixels; no desk of screens is wider
Length = Annotated[int, Range(1, 100_000)]  # logical pixels


@dataclass(frozen=True)
class WindowPlace:
    """Where the window stands while it is neither maximised nor on the whole screen, in logical pixels.

    Attributes:
        x, y: its top left corner; None lets the desktop choose.
        width, height: its size.
        maximised: whether it fills the screen.
    """

    x: Place | None = None
    y: Place | None = None
    width: Length = 1280
    height: Length = 800
    maximised: bool = False


@dataclass(frozen=True)
class LaneSettings:
    """The models at work and how they are shown.

    Attributes:
        first: model of the first lane, by name or path.
        second: model of the second lane; None while there is only one.
        layout: how two lanes are shown.
        pace: how two lanes keep time.
        magnification: how much longer than true the arrows of `Layout.DIFFERENCE` are drawn.
    """

    first: str = DEFAULT_MODEL
    second: str | None = None
    layout: Layout = Layout.SINGLE
    pace: Pace = Pace.LIVE
    magnification: Annotated[float, Range(1, 10)] = 3.0


@dataclass(frozen=True)
class TrainChoices:
    """What was chosen last on the page of trainings.

    Attributes:
        recipe: name of a recipe.
        data: folder of the packs.
        runs: folder that holds a folder for each run; None for the usual one.
    """

    recipe: str | None = None
    data: Path | None = None
    runs: Path | None = None


@dataclass(frozen=True)
class Settings:
    """Everything that is remembered. The names are the keys of the file.

    Attributes:
        source: what was played, as `open_source` takes it; None for the first camera, or else the sample.
        smoothing: strength of the smoothing, 0 for none to 1.
        signals: whether the panel of signals is shown.
        filter: name of the AR filter; None for none.
        stream: where landmarks are sent, as the stream's own address; None for nowhere.
        recordings: folder for recordings; None for the usual one.
        theme: light, dark, or as the desktop.
        presenter: whether the presenter's numbers are shown.
        window: where the window stands.
        lanes: the models and how they are shown.
        overlay: what is drawn on the picture.
        training: what was chosen last on the page of trainings.
    """

    source: str | None = None
    smoothing: Annotated[float, Range(0, 1)] = DEFAULT_SMOOTHING
    signals: bool = False
    filter: str | None = None
    stream: str | None = None
    recordings: Path | None = None
    theme: ThemeChoice = ThemeChoice.SYSTEM
    presenter: bool = False
    window: WindowPlace = field(default_factory=WindowPlace)
    lanes: LaneSettings = field(default_factory=LaneSettings)
    overlay: OverlayOptions = field(default_factory=OverlayOptions)
    training: TrainChoices = field(default_factory=TrainChoices)
