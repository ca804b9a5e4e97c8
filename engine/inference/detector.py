"""What a face detector returns, how a landmark model's crop follows from it, and which detectors there are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import UsageError
from engine.core.geometry import Box, Crop
from engine.core.installation import add_extra
from engine.inference.card import CropRule

# Larger side of the landmark box, and how far its centre is below the detector's, in sides of the detector's box.
BOX_SCALE = 0.95
BOX_DOWN = 0.07

DEFAULT_DETECTOR = "blazeface"
# Name: module, class, and the package that it needs beyond those of the application.
DETECTORS = {
    "blazeface": ("engine.inference.blazeface", "BlazeFace", None),
    "mediapipe": ("engine.inference.mediapipe_detector", "MediaPipeDetector", "mediapipe"),
}
# By its maker's notice of June 2026, MediaPipe sends usage figures; in versions below this one no such code was found.
MEDIAPIPE_LIMIT = 1


@dataclass(frozen=True)
class Detection:
    """A face found by a detector.

    Attributes:
        box: the detector's own box, pixels of the picture.
        score: in [0, 1].
        right_eye, left_eye: `(x, y)` of the eyes (the subject's right and left), pixels of the picture.
    """

    box: Box
    score: float
    right_eye: tuple[float, float]
    left_eye: tuple[float, float]

    @property
    def roll(self) -> float:
        """Angle of the eye line in radians, clockwise on screen."""
        return math.atan2(self.left_eye[1] - self.right_eye[1], self.left_eye[0] - self.right_eye[0])


class FaceDetector(Protocol):
    """Finds faces in a picture. Belongs to one thread."""

    def detect(self, picture: NDArray[np.uint8]) -> list[Detection]:
        """Return the faces of an RGB picture `[H, W, 3]` uint8, best first."""


def crop_of_detection(detection: Detection, rule: CropRule) -> Crop:
    """Return the crop of a detected face for a landmark model, level with its eyes if the rule says so.

    The model's landmark box is guessed from the detector's: `BOX_SCALE` and `BOX_DOWN` are medians over the training
    faces of helen68 and lfpw68, in the frame turned by the detector's eyes.
    """
    side = max(detection.box.width, detection.box.height)
    down = BOX_DOWN * side + rule.dy * BOX_SCALE * side
    centre_x, centre_y = detection.box.centre
    roll = detection.roll if rule.level else 0.0
    return Crop(centre_x - math.sin(roll) * down, centre_y + math.cos(roll) * down, rule.scale * BOX_SCALE * side, roll)


def mediapipe_tells() -> bool | None:
    """Return whether the installed MediaPipe sends usage figures to its maker; None if it is not installed."""
    try:
        return int(version("mediapipe").partition(".")[0]) >= MEDIAPIPE_LIMIT
    except PackageNotFoundError:
        return None


def make_detector(name: str = DEFAULT_DETECTOR) -> FaceDetector:
    """Return a detector by its name, one of `DETECTORS`.

    Raises:
        UsageError: there is no such detector, or the package it needs is not installed or breaks our promise.
        ModelError: its model file is missing or damaged.
    """
    if name not in DETECTORS:
        raise UsageError(
            f"There is no face detector “{name}”", f"the detectors are: {', '.join(DETECTORS)}", "choose one of these"
        )
    module, kind, package = DETECTORS[name]
    if package is not None and find_spec(package) is None:
        raise UsageError(
            f"The face detector “{name}” needs the package {package}",
            "it is an extra and not installed",
            f"{add_extra(package)}, or use {DEFAULT_DETECTOR}",
        )
    if package == "mediapipe" and mediapipe_tells():
        raise UsageError(
            f"MediaPipe {version(package)} sends usage figures to its maker",
            "that is what its maker's notice says; Understudy promises that nothing leaves this machine",
            f"{add_extra(package)} for one that does not, or use {DEFAULT_DETECTOR}",
        )
    detector: FaceDetector = getattr(import_module(module), kind)()
    return detector
