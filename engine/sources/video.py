"""A video file as a source of frames."""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
from numpy.typing import NDArray

from engine.errors import SourceError
from engine.frame import Frame
from engine.sources.base import FALLBACK_RATE, SourceKind
from engine.sources.camera import VideoCapture
from engine.sources.colour import to_rgb
from engine.sources.truth import truth_of_video

log = logging.getLogger(__name__)

# What a header says beyond these bounds is no rate at which anything was filmed.
SLOWEST_RATE, FASTEST_RATE = 0.5, 240.0
HEAD_BYTES = 4096
# Headers count a few frames more than can be decoded even in whole files.
COUNT_TOLERANCE = 0.02


class VideoSource:
    """The frames of a video file, turned upright by its orientation flag, each at its own time.

    The end is found by reading, never by the header, whose number of frames is only a hint: `frame_count` stays None.
    Frames carry ground truth where files beside the video label one face of theirs.

    Args:
        path: the file.
        open_capture: opens a file by its name and backend.

    Raises:
        SourceError: the file is missing, empty, or holds no picture that can be decoded.
    """

    kind = SourceKind.VIDEO

    def __init__(self, path: Path, open_capture: Callable[[str, int], VideoCapture] = cv2.VideoCapture) -> None:
        _check_file(path)
        self.name = path.name
        self.frame_count: int | None = None
        # FFmpeg by name: others would take a file of numbers in its name for a series of pictures.
        self._capture = open_capture(os.fspath(path), cv2.CAP_FFMPEG)
        self._capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
        self.rate: float | None = _plausible_rate(self._capture.get(cv2.CAP_PROP_FPS))
        self._announced = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self._next_id = 0
        self._time = 0.0
        self._ended = self._closed = False
        self._truth = truth_of_video(path)
        # A file must not be released while a read is inside the decoder: that ends the whole program.
        self._decoder = threading.Lock()
        # Only a picture proves that this is a video.
        self._first = self._decode() if self._capture.isOpened() else None
        if self._first is None:
            self._capture.release()
            raise _not_a_video(path)

    @property
    def truth_remark(self) -> str:
        """A sentence on ground truth beside the video that cannot be used; "" if there is none."""
        return self._truth.remark

    @property
    def remark(self) -> str:
        """Sentences on useless ground truth, and on an end long before the header's, as of damaged files; else ""."""
        missing = self._announced - self._next_id
        cut = ""
        if self._ended and missing > max(2.0, COUNT_TOLERANCE * self._announced):
            cut = (
                f"The video {self.name} ended after {self._next_id} of {self._announced:.0f} frames: "
                "it is cut off or damaged. Copy or download it again."
            )
        return " ".join(filter(None, (cut, self.truth_remark)))

    def read(self) -> Frame | None:
        """Return the next frame, or None at the end of what can be decoded and once the source was closed."""
        with self._decoder:
            if self._ended or self._closed:
                return None
            picture, self._first = (self._first if self._first is not None else self._decode()), None
            if picture is None:
                self._ended = True
                return None
            moment = self._frame_time()
        image = to_rgb(picture, self.name)
        truth = self._truth.of(self._next_id, image)
        frame = Frame(self._next_id, time.monotonic(), image, self.name, time=moment, truth=truth)
        self._next_id += 1
        return frame

    def close(self) -> None:
        """Release the file as soon as no read is inside the decoder."""
        self._closed = True
        with self._decoder:
            self._capture.release()

    def _decode(self) -> NDArray[Any] | None:
        try:
            done, picture = self._capture.read()
        except cv2.error as error:
            log.warning("Decoding %s failed: %s", self.name, error)
            return None
        return picture if done and picture is not None and picture.size else None

    def _frame_time(self) -> float:
        """Return the frame's own time in seconds; the last one plus a period where the file gives no sensible one."""
        told = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1e3
        if self._next_id == 0:
            self._time = told if math.isfinite(told) and told >= 0 else 0.0
        elif math.isfinite(told) and told > self._time:
            self._time = told
        else:
            self._time += 1 / (self.rate or FALLBACK_RATE)
        return self._time


def _plausible_rate(told: Any) -> float:
    return float(told) if math.isfinite(told) and SLOWEST_RATE <= told <= FASTEST_RATE else FALLBACK_RATE


def _check_file(path: Path) -> None:
    if not os.path.isfile(path):
        raise SourceError(
            f"There is no video {path}", "it was moved or renamed, or the path is mistyped", "check the path"
        )
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise SourceError(
            f"The video {path} cannot be read ({error.strerror})",
            "its permissions forbid it, or its drive is gone",
            "check the file's permissions",
        ) from error
    if not head:
        raise SourceError(f"The video {path} is empty", "its download or copy was interrupted", "copy it again")
    # Every container of videos has a zero byte early on, and no text has. FFmpeg would play texts, as those of old
    # terminals, and follow playlists into the network.
    if b"\0" not in head:
        raise _not_a_video(path)


def _not_a_video(path: Path) -> SourceError:
    return SourceError(
        f"{path} cannot be played",
        "it is cut off, damaged, or no video but another kind of file with a video's name",
        "open it in a video player to make sure, then copy or convert it again, for example to MP4",
    )
