"""Recording pictures into a video file that gets its name only if it is complete."""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.core.errors import RecordingError, refusal
from engine.core.files import free_bytes, partial_path
from engine.formats.plain_name import PlainName
from engine.output.letterbox import Letterbox

log = logging.getLogger(__name__)

CODECS = {".mp4": "mp4v", ".avi": "MJPG"}
# The mark of files that are being recorded: `engine.output.rescue` mends those of programs that were killed. Before it
# stand width, height and rate.
RECORDING = "recording"
# A video needs room for its index at the end; without it the file cannot be played.
RESERVED_BYTES = 32_000_000
FRAMES_PER_DISK_CHECK = 15
FASTEST_RATE = 240.0
# MPEG-4 divides a second into at most 65535 parts, and OpenCV asks for a thousandth of the rate where it can.
FASTEST_EXACT_RATE = 65.0
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
        free_bytes: returns the free space of a folder.
        patience: seconds that reading the file again may take. If it takes longer, only the beginning, the index and
            the last frame are checked.

    Attributes:
        frames: that were written.
        is_whole: whether the file has its name, with every frame in it.

    Raises:
        RecordingError: the ending is unknown, a number makes no sense, or the file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        rate: float,
        size: tuple[int, int],
        open_writer: Callable[..., cv2.VideoWriter] = cv2.VideoWriter,
        free_bytes: Callable[[Path], int] = free_bytes,
        patience: float = math.inf,
    ) -> None:
        self.path = path
        self.frames, self.is_whole = 0, False
        self._free_bytes = free_bytes
        self._patience = patience
        check_target(path)
        if not (math.isfinite(rate) and 0 < rate <= FASTEST_RATE) or min(size) < SMALLEST_SIDE:
            raise RecordingError(
                f"A video of {size[0]} x {size[1]} pixels and {rate:g} frames per second cannot be recorded",
                f"sides of {SMALLEST_SIDE} pixels and more and up to {FASTEST_RATE:g} frames per second can",
                "choose another source",
            )
        self._check_space()
        # OpenCV chooses the container by the ending, so the temporary name keeps it.
        self._partial = partial_path(path.with_stem(f"{path.stem}.{size[0]}x{size[1]}x{rate:.6g}"), RECORDING)
        self._plain = _plain_name(self._partial)
        self._letterbox = Letterbox(size)
        codec = cv2.VideoWriter.fourcc(*CODECS[path.suffix.lower()])
        rate = float(rate) if rate < FASTEST_EXACT_RATE else round(rate, 2)  # the nearest that every codec takes
        self._writer: cv2.VideoWriter | None = open_writer(self._plain.text, codec, rate, size)
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

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            self.close()
        except Exception:
            if error is None:
                raise
            # The error that ended the recording is the one to report.
            log.exception("The recording %s could not be finished", self.path)

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
            try:
                self._check_space()
            except RecordingError as full:
                if not self.frames:
                    raise
                self.close()  # while there is still room on the disk
                fix = f"{full.fix}; the first {self.frames} frames are safe in {self.path}"
                raise RecordingError(full.what, full.why, fix) from None
        self._writer.write(self._letterbox.fit(picture))
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
        found = _count_frames(self._plain.text, self._patience)
        if found == self.frames > 0:
            self._move(self._partial, self.path)
            self.is_whole = True
            return
        fix = "free some space and record again"
        if found:  # a part that can be played is kept
            part = self.path.with_name(f"{self.path.stem}.part{self.path.suffix}")
            self._move(self._partial, part)
            fix = f"free some space; what was written can be played from {part}"
        self._partial.unlink(missing_ok=True)
        if not self.frames:
            raise RecordingError(f"Nothing was recorded into {self.path}", "no picture came", "record for longer")
        only = f"Only {found} of {self.frames} frames are in the recording {self.path.name}"
        raise RecordingError(only, "the disk is full, or its drive was removed", fix)

    def _check_space(self) -> None:
        free = self._free_bytes(self.path.parent)
        if free < RESERVED_BYTES:
            raise RecordingError(
                f"The disk is full: {free / 1e6:.0f} MB are left for {self.path}",
                f"recording stops at {RESERVED_BYTES / 1e6:.0f} MB, because a video without its end cannot be played",
                "free some space, or record to another drive",
            )

    def _move(self, source: Path, target: Path) -> None:
        try:
            source.replace(target)
        except OSError as error:
            raise RecordingError(
                f"The recording cannot be named {target} ({error.strerror})",
                refusal(error, "another program holds a file of this name", "")[0],
                f"the complete recording is in {source}",
            ) from error


def check_target(path: Path) -> None:
    """Check that a video can be recorded as `path`, before there is a picture of it.

    Raises:
        RecordingError: its ending is unknown, a folder has its name, or its folder is missing or forbids writing.
    """
    if path.suffix.lower() not in CODECS:
        raise RecordingError(
            f"A video cannot be recorded as {path.name}",
            f"only {' and '.join(CODECS)} can be written",
            f"name it {path.stem}.mp4",
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


def _plain_name(path: Path) -> PlainName:
    try:
        return PlainName(path)
    except OSError as error:
        raise RecordingError(
            f"The video {path} cannot be recorded under its name ({error.strerror})",
            "it holds characters that the encoder does not take, and no link to it can be made",
            "choose another name or folder",
        ) from error


def _count_frames(name: str, patience: float) -> int:
    """Return how many frames of a file can really be decoded; its header may promise more.

    After `patience` seconds the header is trusted if the last frame that it promises can be decoded.
    """
    capture = cv2.VideoCapture(name, cv2.CAP_FFMPEG)
    deadline = time.monotonic() + patience
    count = 0
    while capture.grab():
        count += 1
        if time.monotonic() >= deadline:
            promised = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
            capture.set(cv2.CAP_PROP_POS_FRAMES, promised - 1)
            count = promised if capture.grab() and promised else count
            break
    capture.release()
    return count
