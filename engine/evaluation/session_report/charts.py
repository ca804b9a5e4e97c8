"""Line charts as SVG inside an HTML page, whose style sheet colours them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 640, 220  # of the drawing, in its own units; the page scales it
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 10, 34  # around the plot
ROUND = (1.0, 2.0, 5.0, 10.0)
TICKS_UP, TICKS_ACROSS = 5, 8

Place = Callable[[float, float], tuple[float, float]]  # of a value, in the drawing


@dataclass(frozen=True)
class Line:
    """One line: its style, the number of a class of the style sheet; its name; and its points, by x.

    It breaks where y is NaN.
    """

    style: int
    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Plot:
    """A chart.

    Attributes:
        title: what is drawn, with its unit.
        across: what goes to the right, with its unit.
        lines: what is drawn; values are 0 or more.
        top: the largest value up; None for the largest of the lines.
        whole: whether only whole numbers stand on the axis to the right.
    """

    title: str
    across: str
    lines: Sequence[Line]
    top: float | None = None
    whole: bool = False


def chart(plot: Plot) -> str:
    """Return a chart as an HTML figure; "" where no line has two points with a value."""
    known = [[(x, y) for x, y in line.points if math.isfinite(y)] for line in plot.lines]
    if max(map(len, known), default=0) < 2:
        return ""
    values = [y for points in known for _, y in points]
    # All values of x count, so that charts over the same time have the same axis.
    left, right = (min_max(x for line in plot.lines for x, _ in line.points) for min_max in (min, max))
    top = plot.top or max(values) * 1.05 or 1.0
    right = max(right, left + 1e-9)

    def place(x: float, y: float) -> tuple[float, float]:
        across, up = (x - left) / (right - left), min(y / top, 1.0)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    paths = [
        f'<path class="line line{line.style}" d="{_path([place(*point) for point in line.points])}"/>'
        for line in plot.lines
    ]
    drawing = "".join([*_grid(plot, place, (left, right), top), *paths])
    words = escape(_words(plot, known))
    return (
        f'<figure><figcaption>{escape(plot.title)}</figcaption><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{words}">{drawing}</svg>{_legend(plot.lines)}</figure>'
    )


def _grid(plot: Plot, place: Place, across: tuple[float, float], top: float) -> Iterator[str]:
    """Yield lines across the plot with their values, the values below it, and what they are."""
    left = across[0]
    for y in _ticks(0.0, top, TICKS_UP):
        height = place(left, y)[1]
        yield f'<line class="grid" x1="{LEFT}" y1="{height:.1f}" x2="{WIDTH - RIGHT}" y2="{height:.1f}"/>'
        yield f'<text x="{LEFT - 6}" y="{height + 4:.1f}" text-anchor="end">{y:.6g}</text>'
    for x in _ticks(*across, TICKS_ACROSS):
        if not plot.whole or x == round(x):
            base = HEIGHT - BOTTOM + 16
            yield f'<text x="{place(x, 0)[0]:.1f}" y="{base}" text-anchor="middle">{x:.6g}</text>'
    middle = (LEFT + WIDTH - RIGHT) / 2
    yield f'<text x="{middle:.0f}" y="{HEIGHT - 3}" text-anchor="middle">{escape(plot.across)}</text>'


def _legend(lines: Sequence[Line]) -> str:
    """Return the names of lines, each after a piece of its line."""
    spans = [
        f'<span><svg class="sample" viewBox="0 0 28 8" aria-hidden="true"><path class="line line{line.style}" '
        f'd="M0 4H28"/></svg>{escape(line.name)}</span>'
        for line in lines
    ]
    return f'<p class="legend">{" ".join(spans)}</p>'


def _ticks(low: float, high: float, most: int) -> list[float]:
    """Return round values from low to high, at equal distances and about `most`."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((digit * power for digit in ROUND if digit * power >= rough), 10 * power)
    return [number * step for number in range(math.ceil(low / step), math.floor(high / step + 1e-9) + 1)]


def _path(places: Sequence[tuple[float, float]]) -> str:
    """Return places as an SVG path, which breaks where y is NaN; a single place becomes a dot."""
    steps, drawing = [], False
    for x, y in places:
        if math.isfinite(y):
            steps.append(f"L{x:.1f} {y:.1f}" if drawing else f"M{x:.1f} {y:.1f}h.1")
        drawing = math.isfinite(y)
    return "".join(steps)


def _words(plot: Plot, known: Sequence[Sequence[tuple[float, float]]]) -> str:
    """Return in words what a chart shows."""
    ranges = [
        f"{line.name} from {min(y for _, y in points):.3g} to {max(y for _, y in points):.3g}"
        for line, points in zip(plot.lines, known, strict=True)
        if points
    ]
    return f"{plot.title}: {'; '.join(ranges)}"
