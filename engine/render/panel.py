"""The panel of numbers in the corner of the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from engine.core.stats import REFRESH, Stats
from engine.render.layer import Layer, Region
from engine.render.palette import MUTED, TEXT, TRUTH
from engine.render.text import EM_PER_CAPITAL, TextPainter, readable_size

SHOWN_STAGES = ("detect", "landmark", "smooth", "draw")
WIDEST, LARGEST = 0.65, 0.15  # the most of a picture's width and of its area that the panel may take

# Measures in em.
LINE_HEIGHT = 1.5
GROUP_GAP = 0.5
PADDING = 0.85
CORNER = 0.55
RING = 0.3  # radius
LABEL_GAP, NUMBER_GAP, UNIT_GAP = 1.1, 0.9, 0.35
WIDEST_NUMBER = "00.0"


@dataclass(frozen=True)
class Row:
    """A line of the panel: label, numbers in columns, and their unit.

    Attributes:
        numbers: up to two.
        rank: rows of the highest rank are left out first where there is no room.
        gap: whether a group begins, with a gap above.
    """

    label: str
    numbers: tuple[str, ...]
    unit: str
    rank: int
    gap: bool = False


TRUTH_ROW = Row("ground truth", (), "", rank=3, gap=True)


def rows_of(stats: Stats, truth: bool) -> list[Row]:
    """Return the rows of the panel, from top to bottom; where the ground truth is drawn, one explains its marks."""
    rows = []
    if stats.fps is not None:
        rows.append(Row("FPS", (number(stats.fps),), "frames/s", rank=0))
    # A face whose eye corners have no label has no error in eye distances.
    if stats.nme is not None and math.isfinite(stats.nme):
        rows.append(Row("NME", (number(stats.nme),), "% of eye distance", rank=1))
    stages = [name for name in SHOWN_STAGES if name in stats.latency_ms]
    if stages:
        rows.append(Row("latency", ("p50", "p95"), "", rank=4, gap=True))
    for name in stages:
        spread = stats.latency_ms[name]
        rows.append(Row(name, (number(spread.p50), number(spread.p95)), "ms", rank=4))
    if stats.dropped > 0:
        rows.append(Row("dropped", (str(stats.dropped),), "frames", rank=2, gap=True))
    if truth:
        rows.append(TRUTH_ROW)
    return rows


def number(value: float) -> str:
    """Return `value` with three significant digits and at most two decimals, so that its width stays."""
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


class Panel:
    """Draws stats on a dark plate in the upper left corner; updated a few times a second, drawn over each frame."""

    def __init__(self, painter: TextPainter) -> None:
        self._painter = painter
        self._layer = Layer()
        self._shown: tuple[object, ...] = ()
        self._set_at = -math.inf

    def draw(self, picture: NDArray[np.uint8], stats: Stats, now: float, truth: bool) -> None:
        """Draw `stats` on `picture` `[H, W, 4]` uint8 BGRA, refreshed by the time `now` in seconds."""
        rows = rows_of(stats, truth)
        kind = (picture.shape, *(row.label for row in rows))
        if kind != self._shown or not 0 <= now - self._set_at < REFRESH:
            self._set(rows, picture.shape[1], picture.shape[0])
            self._shown, self._set_at = kind, now
        self._layer.lay(picture)

    def _set(self, rows: list[Row], width: int, height: int) -> None:
        """Draw the rows for which there is room on the layer."""
        em = readable_size(width, height)
        margin = round(em)
        while rows:
            layout = Layout(rows, em, self._painter)
            small = layout.width <= WIDEST * width and layout.width * layout.height <= LARGEST * width * height
            if small and layout.height + 2 * margin <= height:
                break
            least = max(row.rank for row in rows)
            rows = [row for row in rows if row.rank < least]
        else:
            self._layer.clear(Region(0, 0, 0, 0))
            return
        self._layer.clear(Region(margin, margin, margin + layout.width, margin + layout.height))
        self._layer.plate(self._layer.region, round(CORNER * em))
        layout.draw(self._layer)


class Layout:
    """The places of the panel's rows, at least one, in pixels from the plate's corner; `em` is in pixels too."""

    def __init__(self, rows: list[Row], em: float, painter: TextPainter) -> None:
        self._rows, self._em, self._painter = rows, em, painter
        self._left = round(PADDING * em)
        labels = max((painter.width(row.label, em) for row in rows if row.numbers), default=0.0)
        column = painter.width(WIDEST_NUMBER, em)
        first = self._left + labels + LABEL_GAP * em + column
        self._columns = (round(first), round(first + NUMBER_GAP * em + column))
        steps = (round(LINE_HEIGHT * em) + round(GROUP_GAP * em) * row.gap for row in rows[1:])
        self._baselines = [*accumulate(steps, initial=self._left + round(em / EM_PER_CAPITAL))]
        self.width = round(max(self._right_end(row) for row in rows) + PADDING * em)
        self.height = self._baselines[-1] + self._left

    def draw(self, layer: Layer) -> None:
        """Set all rows on `layer`, whose region has the size of the panel."""
        for row, baseline in zip(self._rows, self._baselines, strict=True):
            if row is TRUTH_ROW:
                self._draw_legend(layer, row.label, baseline)
            else:
                self._draw_row(layer.pixels, row, baseline)

    def _unit_start(self, row: Row) -> int:
        return self._columns[len(row.numbers) - 1] + round(UNIT_GAP * self._em)

    def _right_end(self, row: Row) -> float:
        if row.numbers:
            return self._unit_start(row) + self._painter.width(row.unit, self._em)
        return self._left + (2 * RING + UNIT_GAP) * self._em + self._painter.width(row.label, self._em)

    def _draw_row(self, pixels: NDArray[np.uint8], row: Row, baseline: int) -> None:
        draw = self._painter.draw
        draw(pixels, row.label, (self._left, baseline), self._em, MUTED)
        for right, text in zip(self._columns, row.numbers, strict=False):
            draw(pixels, text, (right, baseline), self._em, TEXT if row.unit else MUTED, "right")
        draw(pixels, row.unit, (self._unit_start(row), baseline), self._em, MUTED)

    def _draw_legend(self, layer: Layer, label: str, baseline: int) -> None:
        radius = RING * self._em
        centre = (self._left + radius, baseline - self._em / EM_PER_CAPITAL / 2 - 0.5)
        layer.rings(np.add(centre, (layer.region.x0, layer.region.y0))[None], radius, radius / 2, TRUTH)
        start = self._left + 2 * radius + UNIT_GAP * self._em
        self._painter.draw(layer.pixels, label, (start, baseline), self._em, MUTED)
