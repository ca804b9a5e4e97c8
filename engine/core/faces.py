"""The result of the pipeline for one frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.core.frame import Frame
from engine.core.geometry import Box
from engine.core.records import Finite
from engine.core.schemes import Scheme

# Pixels: the larger side of the smallest landmark box on which landmarks are exact. Of faces of 40 pixels the error is
# 5 % higher than of large ones, of 32 pixels 12 %, of 24 pixels 30 %.
SMALLEST_FACE = 40.0
# The stages of the pipeline, in order.
STAGES = ("capture", "detect", "landmark", "smooth", "draw")


@dataclass(frozen=True)
class EyeLevels:
    """What the aspect ratio of an eye is as a model places the lids, whose points meet in no closed eye.

    Attributes:
        closed, open: of a closed eye and of an open one, as most are.
        cut: what tells the two apart best.

    Raises:
        ValueError: they are not in this order.
    """

    closed: Finite = 0.12
    open: Finite = 0.28
    cut: Finite = 0.192

    def __post_init__(self) -> None:
        if not self.closed < self.cut < self.open:
            raise ValueError(f"the eye levels {self} are not in order: closed, cut, open")

    def openness(self, ratio: float) -> float:
        """Return where an aspect ratio is between closed, 0, and open, 1; beyond both too, NaN for NaN."""
        return (ratio - self.closed) / (self.open - self.closed)


@dataclass(frozen=True)
class Face:
    """One face.

    Attributes:
        id: stays the same while the face is tracked.
        box: tight box around the landmarks.
        score: in [0, 1], that this is a face: mean of the higher half of the confidences.
        scheme: markup of the landmarks.
        landmarks: `[K, 2]` float32, pixels of the picture, smoothed where smoothing is on.
        confidence: `[K]` float32 in [0, 1], that each point is visible.
        roll: angle of the eye line in radians, clockwise on screen.
    """

    id: int
    box: Box
    score: float
    scheme: Scheme
    landmarks: NDArray[np.float32]
    confidence: NDArray[np.float32]
    roll: float

    def as_68(self) -> NDArray[np.float32]:
        """Return the landmarks `[68, 2]` in the order of iBUG-68; the scheme must have these points."""
        return self.scheme.to_68(self.landmarks)


@dataclass(frozen=True)
class Result:
    """Everything found on a frame.

    Attributes:
        frame: the frame itself, so a result can never be drawn on another one.
        faces: faces found, largest first.
        model: name of the landmark model.
        stages: milliseconds of each stage for this frame; `capture` is the wait for the source.
        detected: whether the detector ran, instead of tracking from the last landmarks.
        nme: error of the face nearest to the ground truth in percent of the eye distance; None without truth.
        not_finite: whether an output of the model was not finite; such faces are not in `faces`.
        run: number of the unbroken run of results that it belongs to; every discontinuity begins a new run.
        eyes: how open eyes are read off the model's landmarks.
        cpu_ms: milliseconds of processor time that it took.
    """

    frame: Frame
    faces: tuple[Face, ...]
    model: str
    stages: Mapping[str, float]
    detected: bool
    nme: float | None = None
    not_finite: bool = False
    run: int = 0
    eyes: EyeLevels = EyeLevels()
    cpu_ms: float = 0.0

    @property
    def latency(self) -> float:
        """Milliseconds from the arrival of the frame to its landmarks, without the wait for the source."""
        return sum(spent for name, spent in self.stages.items() if name != "capture")

    @property
    def too_small(self) -> bool:
        """Whether there are only faces that are too small for exact landmarks."""
        sizes = [max(face.box.width, face.box.height) for face in self.faces]
        return bool(sizes) and max(sizes) < SMALLEST_FACE
