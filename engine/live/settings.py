"""What the user sets while frames run, and what the window gets to show."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from engine.core.faces import Result
from engine.core.stats import Readings
from engine.filters.stage import FilterStage
from engine.inference.pipeline import DEFAULT_SMOOTHING
from engine.inference.signals import FaceSignals
from engine.render.scene import Layout, OverlayOptions


class Pace(Enum):
    """How two lanes keep time."""

    LOCKED = "locked"  # both show the same frame, as fast as the slower model
    LIVE = "live"  # each at its own pace


@dataclass(frozen=True)
class LiveSettings:
    """What the user sets while frames run. Replaced as a whole, and read once per frame.

    Attributes:
        overlay: what is drawn.
        mirrored: whether the picture is shown as in a mirror.
        smoothing: strength of the smoothing, 0 for none to 1.
        paused: whether the picture stands still. A file waits; the frames of a camera go by and are not counted.
        layout: how two lanes are shown. The second lane rests in `Layout.SINGLE`.
        pace: how two lanes keep time.
        magnification: how much longer than true the arrows of `Layout.DIFFERENCE` are drawn.
        filter: the AR filter on the faces; None for none.
    """

    overlay: OverlayOptions = field(default_factory=OverlayOptions)
    mirrored: bool = False
    smoothing: float = DEFAULT_SMOOTHING
    paused: bool = False
    layout: Layout = Layout.SINGLE
    pace: Pace = Pace.LIVE
    magnification: float = 3.0
    filter: FilterStage | None = None


@dataclass(frozen=True)
class LaneView:
    """What a lane shows.

    Attributes:
        result: what was found on the frame.
        signals: of each of the result's faces; None for a face that has none.
        readings: the lane's numbers as they stand.
        picture: `[H, W, 4]` uint8 BGRA with the overlay; valid until the next `Session.take_view`. Empty where the lane
            has no picture of its own.
        rival: the other lane's result that is drawn on the picture too; None where there is none.
    """

    result: Result
    signals: tuple[FaceSignals | None, ...]
    readings: Readings
    picture: NDArray[np.uint8]
    rival: Result | None = None


@dataclass(frozen=True)
class View:
    """What the window shows.

    Attributes:
        first: the first lane.
        second: the second lane; None while it rests or has shown nothing yet.
        agreement: mean distance of the landmarks of both lanes on the same frames in percent of the eye distance, see
            `engine.live.agreement`; None while there is none. It says how near the models are to each other, not how
            accurate either is.
        agreement_now: the same of the newest frame alone; None where the models saw no face in common.
    """

    first: LaneView
    second: LaneView | None = None
    agreement: float | None = None
    agreement_now: float | None = None
