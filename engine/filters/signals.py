"""What a filter may follow: how the head is turned, and how far eyes and mouth are open."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.inference.signals import FaceSignals


@dataclass(frozen=True)
class FixedSignals:
    """Signals as given; by default those of a face that looks straight ahead, eyes open and mouth closed.

    Attributes:
        yaw, pitch, roll: of the head in degrees, 0 looking straight into the camera.
        eye_right, eye_left, mouth: openness in [0, 1].
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    eye_right: float = 1.0
    eye_left: float = 1.0
    mouth: float = 0.0


Signals = FaceSignals | FixedSignals
NEUTRAL = FixedSignals()
SIGNAL_NAMES = ("yaw", "pitch", "roll", "mouth", "eyes", "eye_right", "eye_left")


def signal_value(signals: Signals, name: str) -> float:
    """Return the signal of that name out of `SIGNAL_NAMES`; that of the neutral face where it is unknown (NaN)."""
    if name == "eyes":
        return (signal_value(signals, "eye_right") + signal_value(signals, "eye_left")) / 2
    value = getattr(signals, name)
    return float(value if np.isfinite(value) else getattr(NEUTRAL, name))


def ramp(value: float, start: tuple[float, float], end: tuple[float, float]) -> float:
    """Return what a straight line through (start[0], end[0]) and (start[1], end[1]) gives, level beyond both."""
    share = (value - start[0]) / (start[1] - start[0])
    return end[0] + (end[1] - end[0]) * min(max(share, 0.0), 1.0)
