"""The captions on the live view: which model made a picture, how old it is, what the colours mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from app.models.facts import points_words, role_words, size_words
from app.theme.theme import ON_DARK
from engine.core.faces import Result
from engine.inference.card import Card
from engine.inference.landmarker import model_of
from engine.live.settings import LiveSettings, Pace
from engine.render.scene import Layout

translate = QCoreApplication.translate  # under the name that lupdate looks for

SEPARATOR = " · "


@dataclass(frozen=True)
class Line:
    """A line of a caption.

    Attributes:
        text: what it says.
        muted: whether it is secondary.
        colour: of the mark before it, `#rrggbb`; "" for none.
    """

    text: str
    muted: bool = False
    colour: str = ""


@dataclass(frozen=True)
class CaptionData:
    """What captions are made from.

    Attributes:
        results: of the lanes on screen, in the order of `settings.on_screen`; None for a lane without one.
        settings: how they are shown.
        models: cards of the models, by name.
        ages: milliseconds from the capture of each lane's frame until it was shown, in the same order; None where that
            was not measured.
        numbers: whether the numbers stand below the caption, the latency among them.
    """

    results: tuple[Result | None, ...]
    settings: LiveSettings
    models: Mapping[str, Card]
    ages: tuple[float | None, ...]
    numbers: bool = False


def lane_lines(data: CaptionData, place: int) -> tuple[Line, ...]:
    """Name the model of a lane by its place on screen, what it is, and its result's age; empty where no model ran."""
    result = data.results[place]
    if result is None or not result.model:
        return ()
    several = any(other is not None for other in data.results[1:])
    lines = [Line(result.model, colour=ON_DARK[data.settings.on_screen[place]] if several else "")]
    card = data.models.get(model_of(result.model))
    if card is not None:
        lines.append(Line(SEPARATOR.join((role_words(card), points_words(card), size_words(card))), muted=True))
    timing = SEPARATOR.join(_timing(data, place))
    if timing:
        lines.append(Line(timing, muted=True))
    compared = {_points(data, its) for its in (data.results[0], result)}
    if place > 0 and compared == {68, 98}:  # markups with 68 points in common
        lines.append(Line(translate("Captions", "compared on the 68 shared points"), muted=True))
    return tuple(lines)


def legend_lines(data: CaptionData) -> tuple[Line, ...]:
    """Explain the arrows of `Layout.DIFFERENCE`; empty in other layouts."""
    if data.settings.layout is not Layout.DIFFERENCE or len(data.results) < 2:
        return ()
    first, second = data.results
    if first is None or second is None or not second.model:
        return ()
    names = translate("Captions", "arrows: {0} to {1}").format(first.model, second.model)
    words = translate("Captions", "magnified {0:g}\u00d7").format(data.settings.magnification)
    return Line(names), Line(words, muted=True)


def _timing(data: CaptionData, place: int) -> tuple[str, ...]:
    """Return how a lane's frame relates to the others', where that matters, and how old its result was when shown."""
    said, age = [], data.ages[place]
    frames = [result.frame for result in data.results if result is not None]
    same = len(frames) == len(data.results) > 1 and all(frame.id == frames[0].id for frame in frames)
    if same and data.settings.pace is Pace.LOCKED:
        said.append(translate("Captions", "same frame"))
    elif place == 1 and not data.settings.layout.has_picture_for_each:
        # The caption of the first lane has the age of the picture.
        if same:
            return (translate("Captions", "same frame"),)
        earlier = max((frames[0].captured - frames[-1].captured) * 1e3, 0.0)
        return (translate("Captions", "of a frame {0:.0f} ms earlier").format(earlier),)
    if age is not None and not data.numbers:
        said.append(translate("Captions", "shown {0:.0f} ms after capture").format(age))
    return tuple(said)


def _points(data: CaptionData, result: Result | None) -> int | None:
    """Return how many landmarks a result's model finds; None if that is unknown."""
    if result is None:
        return None
    if (card := data.models.get(model_of(result.model))) is not None:
        return card.scheme
    return result.faces[0].scheme.points if result.faces else None
