"""The sample: a built-in, endless clip with exact ground truth, for machines without a camera."""

from __future__ import annotations

import json
import time

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.errors import SourceError
from engine.core.frame import Frame, Truth
from engine.core.installation import renew
from engine.core.paths import asset_path
from engine.core.schemes import IBUG_68
from engine.formats.images import read_picture
from engine.sources.base import SourceKind, place_shown
from engine.sources.sample_portrait import LOOP_SECONDS, MovingPortrait, Pose, pose_at

WIDTH, HEIGHT = 640, 480
RATE = 30.0
NOISE = 2.0  # standard deviation of the sensor noise in grey levels
_NOISE_PLAY = 64  # pixels by which the noise pattern is shifted


class SampleClip:
    """Computes any frame of the sample.

    Raises:
        SourceError: the portrait or its landmarks are missing or damaged.
    """

    def __init__(self) -> None:
        picture = read_picture(asset_path("sample", "portrait.png"))
        self._portrait = MovingPortrait(picture, _read_landmarks(), WIDTH, HEIGHT)
        # What noise adds and what it takes away, each `[H, W, 3]` and larger than a frame.
        shape = (HEIGHT + _NOISE_PLAY, WIDTH + _NOISE_PLAY, 3)
        noise = np.random.default_rng(0).normal(0, NOISE, shape).astype(np.float32)
        self._noise = [np.maximum(signed, 0).round().astype(np.uint8) for signed in (noise, -noise)]

    def frame(self, number: int) -> tuple[NDArray[np.uint8], Truth]:
        """Return frame `number` as `[480, 640, 3]` uint8 RGB with its landmarks; always the same for a number."""
        pose = pose_at(number / RATE)
        image, landmarks = self._portrait.render(pose)
        _light(image, pose)
        # Strides coprime to the range visit every offset before one repeats.
        y, x = number * 37 % _NOISE_PLAY, number * 23 // _NOISE_PLAY % _NOISE_PLAY
        brighter, darker = (pattern[y : y + HEIGHT, x : x + WIDTH] for pattern in self._noise)
        cv2.add(image, brighter, dst=image)
        cv2.subtract(image, darker, dst=image)
        return image, Truth(IBUG_68, landmarks)


class SampleSource:
    """The sample as a source of frames; the reader sets the pace.

    Raises:
        SourceError: the portrait or its landmarks are missing or damaged.
    """

    name = "Sample"
    kind = SourceKind.SAMPLE
    rate: float | None = RATE
    frame_count: int | None = None
    duration: float | None = LOOP_SECONDS  # after which the script starts over
    remark = ""

    def __init__(self) -> None:
        self._clip = SampleClip()
        self._next_id = 0

    def read(self) -> Frame:
        """Return the next frame; there is always one."""
        number = self._next_id
        self._next_id += 1
        image, truth = self._clip.frame(number)
        return Frame(number, time.monotonic(), image, self.name, time=number / RATE, truth=truth)

    def place_at(self, seconds: float) -> int:
        """Return the number of the frame that is shown at a moment."""
        return place_shown(seconds, RATE)

    def seek(self, place: int) -> None:
        """Let the next `read` return the frame of this number."""
        self._next_id = max(0, place)

    def close(self) -> None:
        """Do nothing: there is no device to release."""


def _read_landmarks() -> NDArray[np.float64]:
    path = asset_path("sample", "portrait.json")
    try:
        landmarks = np.array(json.loads(path.read_text(encoding="utf-8"))["landmarks"], np.float64)
        if landmarks.shape != (IBUG_68.points, 2) or not np.isfinite(landmarks).all():
            raise ValueError("not 68 points")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SourceError(
            f"The sample cannot be shown: its landmarks cannot be read from {path}",
            "the file is missing or was changed",
            renew(),
        ) from error
    return landmarks


def _light(image: NDArray[np.uint8], pose: Pose) -> None:
    """Change brightness and colour of the light, in place."""
    if pose.brightness == 1 and pose.warmth == 0:
        return
    gains = pose.brightness * np.array([1 + 0.07 * pose.warmth, 1.0, 1 - 0.13 * pose.warmth])
    levels = np.clip(np.arange(256)[:, None] * gains, 0, 255).astype(np.uint8)
    cv2.LUT(image, levels[:, None], dst=image)
