"""What the user sets while frames run."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated

from engine.core.records import Range
from engine.inference.pipeline import DEFAULT_SMOOTHING
from engine.render.scene import DEFAULT_MAGNIFICATION, Layout, OverlayOptions, Paint


class Pace(Enum):
    """How two lanes are synchronised."""

    LOCKED = "locked"  # both show the same frame, as fast as the slower model
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
        layout: how two lanes are shown. The second lane rests in `Layout.SINGLE`.
        pace: how two lanes are synchronised.
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
    magnification: Annotated[float, Range(1, 10)] = DEFAULT_MAGNIFICATION
    filter: Paint | None = None
