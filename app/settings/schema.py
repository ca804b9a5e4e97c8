"""The settings that the window remembers from one start to the next, and those that it has only while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, is_dataclass, replace
from functools import cache, cached_property
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_type_hints

from app.theme.theme import ThemeChoice
from engine.core.records import Range, Rule
from engine.inference.library import DEFAULT_MODEL
from engine.live.settings import MOST_LANES, LiveSettings

Place = Annotated[int, Range(-100_000, 100_000)]  # logical pixels; no desktop is wider
Models = Annotated[tuple[str, ...], Rule("one to four models", lambda names: 1 <= len(names) <= MOST_LANES)]
Length = Annotated[int, Range(1, 100_000)]  # logical pixels


@dataclass(frozen=True)
class WindowPlace:
    """Where the window is while it is neither maximised nor in full screen, in logical pixels.

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
    """The requested models.

    Attributes:
        models: of each lane, by name or path; one to `MOST_LANES`.
    """

    models: Models = (DEFAULT_MODEL,)


@dataclass(frozen=True)
class FoldedSections:
    """Which sections of the side panel show their headings alone."""

    source: bool = False
    models: bool = False
    overlay: bool = False
    filter: bool = False
    signals: bool = False
    output: bool = True


@dataclass(frozen=True)
class TrainChoices:
    """The last choices on the page Train.

    Attributes:
        recipe: name of a recipe.
        data: folder of the packs.
        runs: folder that holds a folder for each run; None for the default.
        pictures: folder of one's own pictures.
    """

    recipe: str | None = None
    data: Path | None = None
    runs: Path | None = None
    pictures: Path | None = None


@dataclass(frozen=True)
class Settings:
    """Everything that the user sets in the window.

    A single setting has a path, such as `live.overlay.points`.

    Attributes:
        source: the source, as `open_source` takes it; None for the first camera, or else the sample.
        turns: names of cameras, each with the degrees by which its pictures are turned clockwise.
        controls: whether the side panel and the chart are shown beside the picture.
        signals: whether the panel of signals is shown.
        folded: which sections of the side panel are folded.
        filter: the AR filter, by name, or by its folder if it is not in the library; None for none.
        stream: where landmarks were sent last, as the stream's own address; None for nowhere yet. Sending begins only
            when it is asked for.
        recordings: folder for recordings; None for the default.
        theme: light, dark, or as the desktop.
        presenter: whether the presenter's numbers are shown.
        window: where the window is.
        lanes: the models.
        live: the settings of a session, but for what `session` puts in.
        training: the last choices on the page Train.
    """

    source: str | None = None
    turns: tuple[tuple[str, Literal[0, 90, 180, 270]], ...] = ()
    controls: bool = True
    signals: bool = False
    folded: FoldedSections = field(default_factory=FoldedSections)
    filter: str | None = None
    stream: str | None = None
    recordings: Path | None = None
    theme: ThemeChoice = ThemeChoice.SYSTEM
    presenter: bool = False
    window: WindowPlace = field(default_factory=WindowPlace)
    lanes: LaneSettings = field(default_factory=LaneSettings)
    live: LiveSettings = field(default_factory=LiveSettings)
    training: TrainChoices = field(default_factory=TrainChoices)

    @cached_property
    def session(self) -> LiveSettings:
        """The settings of a session: a lane for each model, and no panel of stats, which the window paints itself."""
        overlay = replace(self.live.overlay, numbers=False)
        return replace(self.live, overlay=overlay, lanes=len(self.lanes.models))


# What belongs to the source on screen or was loaded for it; not remembered.
PASSING = ("live.mirrored", "live.paused", "live.filter", "live.lanes")
# Keys of the file that are not the path without `live.`: they are older than the record.
FILE_KEYS = {
    "live.layout": "lanes.layout",
    "live.pace": "lanes.pace",
    "live.pair": "lanes.pair",
    "live.magnification": "lanes.magnification",
}


def value_at(settings: Settings, path: str) -> Any:
    """Return the setting, or the record of settings, at a path.

    Raises:
        AttributeError: there is none.
    """
    return attrgetter(path)(settings)


def with_value(record: Any, path: str, value: Any) -> Any:
    """Return a copy of a record with another value at a path.

    Raises:
        AttributeError: nothing is there.
    """
    name, _, rest = path.partition(".")
    before = getattr(record, name)
    return replace(record, **{name: with_value(before, rest, value) if rest else value})


@cache
def setting_types() -> dict[str, Any]:
    """Return the annotation of every single setting, by its path."""
    return dict(_types(Settings, ""))


@cache
def paths_by_key() -> dict[str, str]:
    """Return the path of every setting that is remembered, by its key in the file."""
    return {FILE_KEYS.get(path, path.removeprefix("live.")): path for path in setting_types() if path not in PASSING}


def range_of(path: str) -> Range:
    """Return what the number at a path may be.

    Raises:
        StopIteration: its record names no range.
    """
    return next(part for part in get_args(setting_types()[path]) if isinstance(part, Range))


def _types(kind: type[Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, hint in get_type_hints(kind, include_extras=True).items():
        if isinstance(hint, type) and is_dataclass(hint):
            yield from _types(hint, f"{prefix}{name}.")
        else:
            yield prefix + name, hint
