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
from engine.live.view import View
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
        results: of both lanes on screen; None for a lane that is not.
        settings: how they are shown.
        models: cards of the models, by name.
        ages: milliseconds from the capture of each lane's frame until it was shown; None where that was not measured.
        numbers: whether the numbers stand below the caption, the latency among them.
    """

    results: tuple[Result, Result | None]
    settings: LiveSettings
    models: Mapping[str, Card]
    ages: tuple[float | None, float | None]
    numbers: bool = False


def results_on_screen(view: View, layout: Layout) -> tuple[Result, Result | None]:
    """Return the results on screen: on one picture, the second is the one drawn with the first."""
    if layout is Layout.SINGLE:
        return view.first.result, None
    if layout.has_two_pictures:
        return view.first.result, None if view.second is None else view.second.result
    return view.first.result, view.first.other


def lane_lines(data: CaptionData, lane: int) -> tuple[Line, ...]:
    """Name the model of a lane, what it is, and the age of its result; empty where no model ran."""
    result = data.results[lane]
    if result is None or not result.model:
        return ()
    two = data.results[1] is not None
    lines = [Line(result.model, colour=ON_DARK[lane] if two else "")]
    card = data.models.get(model_of(result.model))
    if card is not None:
        lines.append(Line(SEPARATOR.join((role_words(card), points_words(card), size_words(card))), muted=True))
    timing = SEPARATOR.join(_timing(data, lane))
    if timing:
        lines.append(Line(timing, muted=True))
    if lane == 1 and {_points(data, its) for its in data.results} == {68, 98}:  # markups with 68 points in common
        lines.append(Line(translate("Captions", "compared on the 68 shared points"), muted=True))
    return tuple(lines)


def legend_lines(data: CaptionData) -> tuple[Line, ...]:
    """Explain the arrows of `Layout.DIFFERENCE`; empty in other layouts."""
    first, second = data.results
    if data.settings.layout is not Layout.DIFFERENCE or second is None or not second.model:
        return ()
    names = translate("Captions", "arrows: {0} to {1}").format(first.model, second.model)
    words = translate("Captions", "magnified {0:g}\u00d7").format(data.settings.magnification)
    return Line(names), Line(words, muted=True)


def _timing(data: CaptionData, lane: int) -> tuple[str, ...]:
    """Return how a lane's frame relates to the other's, where that matters, and how old its result was when shown."""
    said, age = [], data.ages[lane]
    first, second = data.results
    if second is not None and data.settings.pace is Pace.LOCKED and first.frame.id == second.frame.id:
        said.append(translate("Captions", "same frame"))
    elif second is not None and lane == 1 and not data.settings.layout.has_two_pictures:
        # The caption of the first lane has the age of the picture.
        if first.frame.id == second.frame.id:
            return (translate("Captions", "same frame"),)
        earlier = max((first.frame.captured - second.frame.captured) * 1e3, 0.0)
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
