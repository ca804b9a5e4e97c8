"""What a window gets to show of a session."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.core.faces import Result
from engine.core.stats import Stats
from engine.inference.signals import FaceSignals
from engine.render.scene import Layout


@dataclass(frozen=True)
class LaneView:
    """What a lane shows.

    Attributes:
        result: what was found on the frame.
        signals: of each of the result's faces; None for a face that has none.
        stats: the lane's numbers as they stand.
        picture: `[H, W, 4]` uint8 BGRA with the overlay; valid until the next `Session.take_view`. Empty where the lane
            has no picture of its own.
        other: the other lane's result that is drawn on the picture too; None where there is none.
    """

    result: Result
    signals: tuple[FaceSignals | None, ...]
    stats: Stats
    picture: NDArray[np.uint8]
    other: Result | None = None


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

    def models(self, layout: Layout) -> tuple[str, str]:
        """Return the names of the models that a layout shows, "" where there is none."""
        beside = None if self.second is None else self.second.result
        second = beside if layout.has_two_pictures else self.first.other
        return self.first.result.model, second.model if second is not None else ""
