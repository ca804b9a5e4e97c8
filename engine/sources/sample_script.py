"""The script of the sample: the state of camera, head, face and light at each moment of its loop."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

LOOP_SECONDS = 24.0
# Only the sensor noise changes here: jitter is measured in this interval.
STILL_SECONDS = (3.0, 5.5)


@dataclass(frozen=True)
class Pose:
    """One moment of the script.

    Attributes:
        pan_x, pan_y: place of the middle of the face, in pixels from the centre of the frame.
        zoom: frame pixels per portrait pixel.
        roll: turn of the camera in degrees; positive turns the picture clockwise.
        yaw: turn of the head in degrees; positive to the right of the picture.
        nod: turn of the head in degrees; positive downwards.
        tilt: lean of the head on its neck in degrees; positive clockwise.
        blink: 0 eyes open, 1 closed.
        mouth: 0 as in the portrait, 1 wide open.
        brightness: gain of the light; 1 as in the portrait.
        warmth: colour of the light; 0 as in the portrait, 1 a lamp in the evening, -1 shade.
    """

    pan_x: float
    pan_y: float
    zoom: float
    roll: float
    yaw: float
    nod: float
    tilt: float
    blink: float
    mouth: float
    brightness: float
    warmth: float


# Per channel the keys (second, value); between two keys the value eases, after the last it returns to the first.
_KEYS: dict[str, tuple[tuple[float, float], ...]] = {
    "pan_x": ((0, -70), (2.9, 0), (8, 0), (10, 50), (12, -50), (14, 0), (17, 30), (19, 0), (20.5, 0), (22.3, -20)),
    "pan_y": ((0, 20), (2.9, 15), (8, 15), (10, 5), (12, 10), (14, 15), (17.5, -10), (20, 10), (22.3, 25)),
    "zoom": ((0, 1.5), (2.9, 2), (5.6, 2), (8.5, 2.6), (10, 2.5), (13, 2), (17.5, 2.3), (20.5, 1.8), (22.3, 1.45)),
    "roll": ((0, 0), (9, 0), (10.7, 20), (13.4, -20), (15, 0)),
    "yaw": ((0, 6), (2.9, 0), (5.6, 0), (6.9, 16), (8.6, -16), (10, 0), (15.5, 0), (17, -10), (19, 9), (21, 0)),
    "nod": ((0, 0), (13.5, 0), (14.6, 8), (15.8, -7), (17, 0)),
    "tilt": ((0, -4), (2.9, 0), (5.6, 0), (7, 3), (9, -4), (10.5, 0), (16, 0), (17.5, 5), (20, -4), (22, 3)),
    "mouth": (
        (0, 0), (14.9, 0), (15.5, 0.6), (15.9, 0.1), (16.3, 0.5), (16.7, 0.2), (17.2, 0.8), (17.7, 0),
        (18.8, 0), (19.6, 0.85), (20.6, 0.85), (21.3, 0),
    ),
    "brightness": ((0, 1), (8, 1), (10.5, 0.6), (12, 0.75), (13.5, 1), (20, 1), (21.5, 1.12), (23.5, 1)),
    "warmth": ((0, 0), (6, 0), (8.5, -0.8), (10.5, 0.2), (12.5, 1), (15, 0)),
}  # fmt: skip

# Each blink: the second it begins and how long the eyes stay closed.
_BLINKS = ((1.3, 0.05), (6.4, 0.05), (8.9, 0.05), (12.4, 0.05), (12.8, 0.05), (14.3, 0.5), (18.3, 0.07), (22.4, 0.07))
_CLOSING, _OPENING = 0.1, 0.2  # seconds


def pose_at(seconds: float) -> Pose:
    """Return the pose at a time of the clip in seconds; the script starts over after `LOOP_SECONDS`."""
    moment = seconds % LOOP_SECONDS
    values = {name: _eased(keys, moment) for name, keys in _KEYS.items()}
    return Pose(blink=max(_blink(moment - begin, closed) for begin, closed in _BLINKS), **values)


def _eased(keys: tuple[tuple[float, float], ...], moment: float) -> float:
    """Interpolate the keys around `moment` along half a cosine."""
    loop = (*keys, (keys[0][0] + LOOP_SECONDS, keys[0][1]))
    for (begin, start), (end, stop) in pairwise(loop):
        if moment < end:
            return start + (stop - start) * _ease((moment - begin) / (end - begin))
    return keys[0][1]


def _blink(elapsed: float, closed: float) -> float:
    """Return how far the eyes are closed `elapsed` seconds after a blink began."""
    if elapsed < _CLOSING:
        return _ease(elapsed / _CLOSING)
    return 1 - _ease((elapsed - _CLOSING - closed) / _OPENING)


def _ease(share: float) -> float:
    return 0.5 - 0.5 * math.cos(math.pi * min(max(share, 0.0), 1.0))
