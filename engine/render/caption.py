"""The line at the foot of saved pictures: which models are compared, and what the marks mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.render.layer import Layer, Region
from engine.render.palette import HOTTEST, LANES, MUTED, TEXT, Colour, heat_colour
from engine.render.scene import Layout
from engine.render.text import EM_PER_CAPITAL, TextPainter, readable_size

MOST = 0.35  # of a picture's height
# Measures in em.
LINE_HEIGHT = 1.7
PADDING = 0.7
DOT = 0.28  # radius
MARK_GAP = 0.4  # between a mark and its words
BAR_WIDTH, BAR_HEIGHT = 5.0, 0.3  # of the scale of the heat


@dataclass(frozen=True)
class Words:
    """A part of the line, after a dot of a colour, the scale of the heat, or nothing."""

    text: str
    colour: Colour | None = None
    scale: bool = False


def words_of(models: Mapping[int, str], layout: Layout, magnification: float) -> tuple[Words, ...]:
    """Return what the caption says: the models, and what the arrows and the heat of a difference mean.

    Args:
        models: their names by the numbers of their lanes; "" for a lane without one.
        layout: how they are shown; `Layout.SINGLE` needs no words.
        magnification: how much longer than true the arrows of `Layout.DIFFERENCE` are.
    """
    if layout is Layout.SINGLE:
        return ()
    named = [Words(name, LANES[lane]) for lane, name in models.items() if name]
    if layout is Layout.DIFFERENCE and len(named) == 2:
        named.append(Words(f"arrows \u00d7{magnification:g} to {named[1].text}"))
        named.append(Words(f"0 to {HOTTEST:g}+ % of eye distance", scale=True))
    return tuple(named)


class Caption:
    """Draws the line on pictures; its layout changes only with its words or the size of the pictures."""

    def __init__(self) -> None:
        self._painter = TextPainter()
        self._layer = Layer()
        self._set_for: tuple[object, ...] = ()

    def lay(self, picture: NDArray[np.uint8], words: tuple[Words, ...]) -> None:
        """Write words at the foot of `picture` `[H, W, 4]` uint8 BGRA, in place.

        They are on one line, the first at the left and the last at the right; where that is too narrow, each has a line
        of its own, and the last are left out before they hide more than `MOST` of the picture.
        """
        if not words:
            return
        if (words, picture.shape) != self._set_for:
            self._set(words, picture.shape[1], picture.shape[0])
            self._set_for = words, picture.shape
        self._layer.lay(picture)

    def _set(self, words: tuple[Words, ...], width: int, height: int) -> None:
        em = readable_size(width, height)
        widths = [_indent(part) * em + self._painter.width(part.text, em) for part in words]
        room = width - 2 * PADDING * em
        gap = (room - sum(widths)) / max(len(words) - 1, 1)
        in_line = gap >= 2 * PADDING * em
        lines = 1 if in_line else min(len(words), max(1, int(MOST * height / (LINE_HEIGHT * em))))
        self._layer.clear(Region(0, max(0, height - round((lines * LINE_HEIGHT + 0.2) * em)), width, height))
        self._layer.plate(self._layer.region, 0)
        x = PADDING * em
        for line, (part, wide) in enumerate(zip(words if in_line else words[:lines], widths, strict=False)):
            baseline = height - round(((0 if in_line else lines - 1 - line) * LINE_HEIGHT + 0.6) * em)
            self._draw(part, x, baseline, em)
            x += wide + gap if in_line else 0.0

    def _draw(self, part: Words, x: float, baseline: int, em: float) -> None:
        middle = baseline - em / EM_PER_CAPITAL / 2 - 0.5
        if part.colour is not None:
            dot = np.array([[x + DOT * em, middle]], np.float32)
            self._layer.dots(dot, DOT * em, np.array([part.colour], np.float32), np.ones(1, np.float32))
        if part.scale:
            left, top = (round(place) for place in self._layer.local(x, middle - BAR_HEIGHT * em / 2))
            bar = self._layer.pixels[max(top, 0) : top + round(BAR_HEIGHT * em), left : left + round(BAR_WIDTH * em)]
            shades = [(*heat_colour(HOTTEST * share), 255) for share in np.linspace(0, 1, bar.shape[1])]
            bar[:] = np.array(shades, np.uint8).reshape(-1, 4)
        start, base = self._layer.local(x + _indent(part) * em, baseline)
        self._painter.draw(self._layer.pixels, part.text, (start, base), em, TEXT if part.colour else MUTED)


def _indent(part: Words) -> float:
    """Return the width of the mark before a part, in em."""
    if part.scale:
        return BAR_WIDTH + MARK_GAP
    return 0.0 if part.colour is None else 2 * DOT + MARK_GAP
