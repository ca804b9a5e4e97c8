"""Mending recordings of programs that were killed: by the system, or by a loss of power.

A video as OpenCV writes it has its index at the end, without which no player reads an .mp4. Its pictures are there,
though: MPEG-4 pictures one after another, which need only the header that the same encoder writes for the same size and
rate. Motion JPEG in .avi plays as it is.
"""

from __future__ import annotations

import logging
import mmap
import re
import tempfile
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from engine.core.errors import RecordingError
from engine.core.files import left_behind
from engine.output.video_writer import CODECS, RECORDING, VideoRecorder

log = logging.getLogger(__name__)

_NAME = re.compile(r"\.(?P<stem>.+)\.(?P<width>\d+)x(?P<height>\d+)x(?P<rate>\d+(\.\d+)?)\.[^.]+\.recording")
# Start codes of MPEG-4, ISO/IEC 14496-2, 6.2.1: a sequence, a group of pictures, a picture.
_SEQUENCE, _GROUP, _PICTURE = b"\0\0\1\xb0", b"\0\0\1\xb3", b"\0\0\1\xb6"
_GROUP_BYTES, _CHUNK = 16, 1 << 24


class Form(NamedTuple):
    """Width and height of a video in pixels, and its frames per second."""

    width: int
    height: int
    rate: float


def rescue_recordings(folder: Path) -> list[Path]:
    """Mend what killed programs were recording in a folder; return the new files, `NAME (rescued).mp4`.

    What holds no picture stays as it is.
    """
    rescued = []
    for left in left_behind(folder, RECORDING):
        named = _NAME.fullmatch(left.stem)
        if named is None or left.suffix.lower() not in CODECS:
            continue
        target = left.with_name(f"{named['stem']} (rescued){left.suffix}")
        try:
            if not target.exists() and _mend(
                left, target, Form(int(named["width"]), int(named["height"]), float(named["rate"]))
            ):
                left.unlink()
                rescued.append(target)
        except (RecordingError, OSError, cv2.error) as error:
            log.warning("The recording %s could not be rescued: %s", left, error)
    return rescued


def _mend(left: Path, target: Path, form: Form) -> int:
    """Write the pictures of a file without an index into a whole one; return how many there are."""
    with tempfile.TemporaryDirectory(prefix=".rescue", dir=left.parent) as folder:
        raw = left
        if left.suffix.lower() == ".mp4":
            raw = Path(folder) / "pictures.m4v"
            _write_raw(left, raw, form)
        video = cv2.VideoCapture(str(raw), cv2.CAP_FFMPEG)
        try:
            read, picture = video.read()
            if not read:
                return 0
            with VideoRecorder(target, form.rate, (form.width, form.height)) as recorder:
                while read:
                    recorder.write(np.asarray(picture, np.uint8))
                    read, picture = video.read()
            return recorder.frames
        finally:
            video.release()


def _write_raw(left: Path, raw: Path, form: Form) -> None:
    """Write the pictures of an .mp4 without an index as a bare stream, but for the last one, which is cut off."""
    with left.open("rb") as source, mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as content:
        begin, end = content.find(b"mdat") + 4, content.rfind(_PICTURE)
        group = content.rfind(_GROUP, max(end - _GROUP_BYTES, 0), end) if end > 0 else -1
        with raw.open("wb") as target:
            target.write(_header(form, raw.with_name("header.avi")))
            for place in range(begin, group if group > 0 else end, _CHUNK):
                target.write(content[place : min(place + _CHUNK, group if group > 0 else end)])


def _header(form: Form, scratch: Path) -> bytes:
    """Return what the encoder writes before the first picture of such a video; only in an .avi it stands there."""
    writer = cv2.VideoWriter(
        str(scratch), cv2.VideoWriter.fourcc(*CODECS[".mp4"]), form.rate, (form.width, form.height)
    )
    writer.write(np.zeros((form.height, form.width, 3), np.uint8))
    writer.release()
    content = scratch.read_bytes()
    begin = content.find(_SEQUENCE)
    return content[begin : content.find(_GROUP, begin)]
