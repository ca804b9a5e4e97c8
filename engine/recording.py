"""Recording pictures into a video file that is there whole, or not at all under its name."""

from __future__ import annotations

import logging
import math
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.errors import RecordingError

log = logging.getLogger(__name__)

CODECS = {".mp4": "mp4v", ".avi": "MJPG"}
# A video needs room for its index at the end; without it the file cannot be played.
RESERVED_BYTES = 32_000_000
FRAMES_PER_DISK_CHECK = 15
FASTEST_RATE = 240.0
SMALLEST_SIDE = 2


class VideoRecorder:
    """Writes pictures into a video file.

    While it records, the file has a temporary name in the same folder. On `close` it is read again, and moved to its
    name only if every frame is in it; a file that had this name before stays untouched until then.

    Args:
        path: the file; its ending decides the format: .mp4 (MPEG-4) or .avi (Motion JPEG).
        rate: frames per second.
        size: width and height of the video in pixels; pictures of another size are fitted in, with black bars.
        open_writer: opens a video writer, as `cv2.VideoWriter` does.
        free_bytes: tells the free space of a folder.

    Raises:
        RecordingError: the ending is unknown, a number makes no sense, or the file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        rate: float,
        size: tuple[int, int],
        open_writer: Callable[..., cv2.VideoWriter] = cv2.VideoWriter,
        free_bytes: Callable[[Path], int] | None = None,
    ) -> None:
        self.path = path
        self.frames = 0
        self._size = size
        self._free_bytes = free_bytes or _free_bytes
        _check(path, rate, size)
        self._check_space()
        # OpenCV chooses the container by the ending, so the temporary name keeps it.
        self._partial = path.with_name(f".{path.stem}.part{path.suffix}")
        self._bgr = np.empty((size[1], size[0], 3), np.uint8)
        self._canvas = np.zeros((size[1], size[0], 3), np.uint8)
        self._writer: cv2.VideoWriter | None = open_writer(
            os.fspath(self._partial), cv2.VideoWriter.fourcc(*CODECS[path.suffix.lower()]), float(rate), size
        )
        if not self._writer.isOpened():
            self._writer.release()
            self._partial.unlink(missing_ok=True)
            raise RecordingError(
                f"The video {path} cannot be recorded",
                f"the folder forbids writing, or {path.suffix} of {size[0]} x {size[1]} pixels cannot be encoded here",
                "choose another folder or format (.mp4 or .avi)",
            )

    def __enter__(self) -> VideoRecorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
            return
        try:
            self.close()
        except RecordingError as failure:  # the error that ended the recording is the one to be told
            log.warning("%s", failure)

    def write(self, picture: NDArray[np.uint8]) -> None:
        """Append a picture `[H, W, 4]` BGRA or `[H, W, 3]` BGR, uint8.

        Raises:
            RecordingError: the disk is nearly full; what was recorded until then is finished and kept.
        """
        if self._writer is None:
            raise RecordingError(
                f"The recording {self.path} has ended already",
                "it was closed, or the disk was full",
                "start another one",
            )
        if self.frames % FRAMES_PER_DISK_CHECK == 0:
            self._stop_if_full()
        self._writer.write(self._fitted(picture))
        self.frames += 1

    def close(self) -> None:
        """Finish the file, check it and give it its name. A second call does nothing.

        Raises:
            RecordingError: nothing was recorded, or frames are missing from the file; a part that plays is kept.
        """
        if self._writer is None:
            return
        self._writer.release()
        self._writer = None
        found = _count_frames(self._partial)
        if found == self.frames > 0:
            self._move(self._partial, self.path)
            return
        if not self.frames:
            self._partial.unlink(missing_ok=True)
            raise RecordingError(f"Nothing was recorded into {self.path}", "no picture came", "record for longer")
        raise RecordingError(
            f"Only {found} of {self.frames} frames are in the recording {self.path.name}",
            "the disk is full, or its drive was removed",
            self._keep_or_remove(found),
        )

    def _stop_if_full(self) -> None:
        """Finish the file while there is still room to finish it."""
        try:
            self._check_space()
        except RecordingError as full:
            if not self.frames:
                raise
            recorded = self.frames
            self.close()
            raise RecordingError(
                full.what, full.why, f"{full.fix}; the first {recorded} frames are safe in {self.path}"
            ) from None

    def _check_space(self) -> None:
        free = self._free_bytes(self.path.parent)
        if free < RESERVED_BYTES:
            raise RecordingError(
                f"The disk is full: {free / 1e6:.0f} MB are left for {self.path}",
                f"recording stops at {RESERVED_BYTES / 1e6:.0f} MB, because a video without its end cannot be played",
                "free some space, or record to another drive",
            )

    def _fitted(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the picture as BGR of the video's size; a kept buffer that the next call overwrites."""
        height, width = picture.shape[:2]
        if (width, height) == self._size:
            return cv2.cvtColor(picture, cv2.COLOR_BGRA2BGR, dst=self._bgr) if picture.shape[2] == 4 else picture
        scale = min(self._size[0] / width, self._size[1] / height)
        inner = max(1, round(width * scale)), max(1, round(height * scale))
        bgr = picture if picture.shape[2] == 3 else cv2.cvtColor(picture, cv2.COLOR_BGRA2BGR)
        left, top = (self._size[0] - inner[0]) // 2, (self._size[1] - inner[1]) // 2
        self._canvas[:] = 0
        shrinks = scale < 1
        self._canvas[top : top + inner[1], left : left + inner[0]] = cv2.resize(
            bgr, inner, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        )
        return self._canvas

    def _keep_or_remove(self, frames: int) -> str:
        """Keep a part that plays, under a name of its own; return the advice that names it."""
        if not frames:
            self._partial.unlink(missing_ok=True)
            return "free some space and record again"
        part = self.path.with_name(f"{self.path.stem}.part{self.path.suffix}")
        self._move(self._partial, part)
        return f"free some space; what was written can be played from {part}"

    def _move(self, source: Path, target: Path) -> None:
        try:
            source.replace(target)
        except OSError as error:
            raise RecordingError(
                f"The recording cannot be named {target} ({error.strerror})",
                "another program holds a file of this name",
                f"the whole recording lies in {source}",
            ) from error


def _check(path: Path, rate: float, size: tuple[int, int]) -> None:
    if path.suffix.lower() not in CODECS:
        raise RecordingError(
            f"A video cannot be recorded as {path.name}",
            f"only {' and '.join(CODECS)} can be written",
            f"name it {path.stem}.mp4",
        )
    if not (math.isfinite(rate) and 0 < rate <= FASTEST_RATE) or min(size) < SMALLEST_SIDE:
        raise RecordingError(
            f"A video of {size[0]} x {size[1]} pixels and {rate:g} frames per second cannot be recorded",
            f"sides of {SMALLEST_SIDE} pixels and more and up to {FASTEST_RATE:g} frames per second can",
            "choose another source",
        )
    if path.is_dir():
        raise RecordingError(
            f"The recording cannot be named {path}", "a folder has this name already", "choose another name"
        )
    if not path.parent.is_dir():
        raise RecordingError(
            f"The folder {path.parent} for the recording does not exist", "its name is mistyped", "make it first"
        )
    if not os.access(path.parent, os.W_OK):
        raise RecordingError(
            f"The folder {path.parent} cannot be written to", "its permissions forbid it", "choose another folder"
        )


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _count_frames(path: Path) -> int:
    """Return how many frames of a file can really be decoded; its header may promise more."""
    capture = cv2.VideoCapture(os.fspath(path), cv2.CAP_FFMPEG)
    count = 0
    while capture.grab():
        count += 1
    capture.release()
    return count
