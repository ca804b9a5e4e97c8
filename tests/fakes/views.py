"""Views of two lanes as the window shows them, with any picture, frame and numbers."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from engine.core.faces import Result
from engine.core.frame import Frame
from engine.core.stats import Spread, Stats
from engine.live.view import LaneView, View

RED, BLUE, GREEN = (0, 0, 255, 255), (255, 0, 0, 255), (0, 255, 0, 255)  # BGRA
STATS = Stats(
    fps=29.7,
    latency_ms={
        "detect": Spread(2.1, 3.5),
        "landmark": Spread(5.25, 9.0),
        "smooth": Spread(0.1, 0.2),
        "draw": Spread(1.0, 2.0),
    },
    nme=None,
    found=1.0,
    dropped=7,
    frames=100,
    cpu=0.42,
    jitter=0.21,
)


def plain(colour, width=200, height=100):
    """Return a picture `[height, width, 4]` of one colour."""
    pixels = np.empty((height, width, 4), np.uint8)
    pixels[:] = colour
    return pixels


def result(model="student-68", number=0, captured=None, seconds=None, faces=()):
    """Return what a model says of a frame that was just taken; with `seconds` the frame is a file's."""
    captured = time.monotonic() if captured is None else captured
    frame = Frame(number, captured, np.zeros((100, 200, 3), np.uint8), "fake", time=seconds)
    return Result(frame, faces, model, {}, detected=False)


def lane(pixels, its=None, stats=STATS, other=None):
    """Return what a lane shows."""
    return LaneView(its or result(), (), stats, pixels, other=other)


def one(pixels, its=None):
    """Return the view of a single lane."""
    return View((lane(pixels, its),))


def two(first, second, one_result=None, other_result=None, distance=2.5):
    """Return the view of two lanes; `second` None for one that has shown nothing yet."""
    other = other_result or result("teacher-98")
    first_lane = lane(first, one_result, other=other)
    if second is None:
        return View((first_lane,))
    return View((first_lane, replace(lane(second, other), distance=distance, distance_now=distance)))
