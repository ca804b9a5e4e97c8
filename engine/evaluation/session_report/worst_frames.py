"""The worst frames of a session, each kept as small pictures of its face, one a lane."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.faces import Result
from engine.core.frame import Frame
from engine.core.geometry import Box
from engine.render.face_tile import face_tile
from engine.render.overlay import OverlayPainter

COUNT = 6  # frames that are kept
APART = 1.0  # seconds between two of them, or all would show one moment
SIDE, QUALITY = 280, 85  # of a picture: pixels, and percent of JPEG
JOINED_LATER = "joined later"  # the words of a lane that was not there yet


@dataclass(frozen=True)
class WorstFrame:
    """One of them.

    Attributes:
        value: what it is ranked by; infinite where a face was missed.
        number, name, moment: the frame's number, the name of its picture or "", and its seconds since the first.
        words: for each lane, what is said below its picture.
        pictures: for each lane a JPEG; None where the lane gave no result, or joined later.
    """

    value: float
    number: int
    name: str
    moment: float
    words: tuple[str, ...]
    pictures: tuple[bytes | None, ...]


class WorstFrames:
    """Keeps the frames with the largest values, and draws them when they come.

    Args:
        apart: seconds between two of them; 0 for pictures, which do not continue one another.
    """

    def __init__(self, apart: float = APART) -> None:
        self._apart, self._kept = apart, list[WorstFrame]()
        self._overlay = OverlayPainter()

    @property
    def frames(self) -> tuple[WorstFrame, ...]:
        """Those kept, the worst first."""
        return tuple(sorted(self._kept, key=lambda kept: -kept.value))

    def add(
        self,
        value: float,
        moment: float,
        frame: Frame,
        shown: Box,
        results: Sequence[Result | None],
        words: Sequence[str],
    ) -> None:
        """Keep a frame if it is among the worst.

        Args:
            value: what it is ranked by.
            moment: seconds since the first frame.
            frame: its picture and ground truth are drawn.
            shown: the box around the face that is shown.
            results: of each lane; None where it failed or left the frame out.
            words: what is said below each lane's picture.
        """
        near = [kept for kept in self._kept if abs(kept.moment - moment) < self._apart]
        if any(kept.value >= value for kept in near):
            return
        others = [kept for kept in self._kept if kept not in near]
        if len(others) == COUNT:
            least = min(others, key=lambda kept: kept.value)
            if least.value >= value:
                return
            others.remove(least)
        pictures = tuple(None if result is None else self._picture(frame, shown, result) for result in results)
        self._kept = [*others, WorstFrame(value, frame.number, frame.name, moment, tuple(words), pictures)]

    def add_lane(self) -> None:
        """Add a lane that has no picture of the frames kept so far."""
        self._kept = [
            replace(kept, words=(*kept.words, JOINED_LATER), pictures=(*kept.pictures, None)) for kept in self._kept
        ]

    def of_lanes(self, lanes: Sequence[int]) -> WorstFrames:
        """Return the same frames with the words and pictures of some lanes only, to which nothing is added."""
        made = copy.copy(self)
        made._kept = [
            replace(
                kept,
                words=tuple(kept.words[lane] for lane in lanes),
                pictures=tuple(kept.pictures[lane] for lane in lanes),
            )
            for kept in self._kept
        ]
        return made

    def _picture(self, frame: Frame, shown: Box, result: Result) -> bytes:
        return as_jpeg(face_tile(self._overlay, frame.image, shown, result.faces, frame.truth, SIDE))


def as_jpeg(picture: NDArray[np.uint8]) -> bytes:
    """Return a picture `[H, W, 4]` uint8 BGRA as a JPEG file."""
    _, data = cv2.imencode(".jpg", picture[:, :, :3], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return data.tobytes()
