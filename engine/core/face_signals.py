"""The signals of a face: how its head is turned, how far its eyes and mouth are open, and its blinks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# The names of the signals that are numbers.
SIGNALS = ("yaw", "pitch", "roll", "eye_left", "eye_right", "blinks", "mouth")


@dataclass(frozen=True)
class HeadPose:
    """How a head is turned, seen along the line from the camera to it: a face that looks into the camera has 0, 0, 0.

    Attributes:
        yaw: degrees in (-90, 90), positive towards the right of the picture (the person's left).
        pitch: degrees in (-90, 90), positive upwards.
        roll: degrees in (-180, 180], positive clockwise as seen, about the direction that yaw and pitch give.
        confidence: in [0, 1]: 1 where the landmarks fit the face model exactly, 0 at the limit beyond which there is
            no pose.
        axes: `[4, 2]` float32, pixels of the picture: the tip of the nose, and the ends of the axes that lead from it
            to the person's left, up, and forwards.
        rotation: `[3, 3]` float64, from the face's directions (x to the person's left, y down, z to the back) to the
            picture's (x right, y down, z away).
    """

    yaw: float
    pitch: float
    roll: float
    confidence: float
    axes: NDArray[np.float32]
    rotation: NDArray[np.float64]


@dataclass(frozen=True)
class FaceSignals:
    """The signals of one face. Left and right are the person's own; NaN stands for an unknown value.

    Attributes:
        id: the face's.
        pose: how the head is turned; None where no rigid face looks like its landmarks.
        eye_right, eye_left: openness in [0, 1], 0 closed, 1 as open as this person's eyes usually are; NaN where the
            eye is seen from the side. Looking down lowers the lids, and so this value.
        blinks: since tracking of this face began.
        mouth: openness in [0, 1], 0 closed, 1 wide open; NaN where the mouth is seen from the side.
    """

    id: int
    pose: HeadPose | None
    eye_right: float
    eye_left: float
    blinks: int
    mouth: float

    @property
    def yaw(self) -> float:
        """The head's yaw in degrees, see `HeadPose`; NaN without a pose, as the following."""
        return math.nan if self.pose is None else self.pose.yaw

    @property
    def pitch(self) -> float:
        """The head's pitch in degrees."""
        return math.nan if self.pose is None else self.pose.pitch

    @property
    def roll(self) -> float:
        """The head's roll in degrees."""
        return math.nan if self.pose is None else self.pose.roll

    def numbers(self) -> dict[str, float]:
        """Return the signals by their names, NaN where they are unknown."""
        return {name: getattr(self, name) for name in SIGNALS}

    def as_record(self) -> dict[str, float | None]:
        """Return the signals as plain values for JSON, rounded to a thousandth; None where they are unknown."""
        return {name: round(value, 3) if math.isfinite(value) else None for name, value in self.numbers().items()}
