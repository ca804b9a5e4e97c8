"""What the user sets while frames run."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated

from engine.core.records import Range
from engine.inference.pipeline import DEFAULT_SMOOTHING
from engine.render.scene import DEFAULT_MAGNIFICATION, Layout, OverlayOptions, Paint

MOST_LANES = 4  # that are shown at the same time
FIRST_TWO = (0, 1)
LaneNumber = Annotated[int, Range(0, MOST_LANES - 1)]


class Pace(Enum):
    """How several lanes are synchronised."""

    LOCKED = "locked"  # all show the same frame, as fast as the slowest model
    LIVE = "live"  # each at its own pace


@dataclass(frozen=True)
class LiveSettings:
    """What the user sets while frames run. Replaced as a whole, and read once per frame.

    Attributes:
        overlay: what is drawn.
        mirrored: whether the picture is shown as in a mirror.
        smoothing: strength of the smoothing, 0 for none to 1.
        flip: whether teachers look at each face twice, as it is and in the mirror, see `Landmarker.flip`.
        paused: whether the picture stands still. A file waits; frames of a camera are discarded and not counted.
        layout: how several lanes are shown. Those that it does not show rest, but never the first.
        pace: how several lanes are synchronised.
        lanes: how many lanes are in use; any further ones rest.
        pair: numbers of the two lanes that a layout of two shows; the first two if these are not in use.
        magnification: how much longer than true the arrows of `Layout.DIFFERENCE` are drawn.
        filter: the AR filter on the faces; None for none.
    """

    overlay: OverlayOptions = field(default_factory=OverlayOptions)
    mirrored: bool = False
    smoothing: Annotated[float, Range(0, 1)] = DEFAULT_SMOOTHING
    flip: bool = False
    paused: bool = False
    layout: Layout = Layout.SINGLE
    pace: Pace = Pace.LIVE
    lanes: Annotated[int, Range(1, MOST_LANES)] = 2
    pair: tuple[LaneNumber, LaneNumber] = FIRST_TWO
    magnification: Annotated[float, Range(1, 10)] = DEFAULT_MAGNIFICATION
    filter: Paint | None = None

    @property
    def on_screen(self) -> tuple[int, ...]:
        """The numbers of the lanes that the layout shows, rising; the others are compared with the first of them."""
        if self.layout is Layout.SINGLE:
            return (0,)
        if self.layout is Layout.SIDE_BY_SIDE:
            return tuple(range(self.lanes))
        return self.two[: self.lanes]

    @property
    def two(self) -> tuple[int, int]:
        """The numbers of the lanes that a layout of two shows, rising."""
        first, second = min(self.pair), max(self.pair)
        return (first, second) if first < second < self.lanes else FIRST_TWO

    @property
    def pictured(self) -> tuple[int, ...]:
        """The numbers of those of them that have a picture of their own."""
        return self.on_screen if self.layout.has_picture_for_each else self.on_screen[:1]
