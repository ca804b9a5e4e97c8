"""The sound of a file, copied into a video made of its pictures by the user's own FFmpeg program."""

from __future__ import annotations

import logging
import shutil
import subprocess
from pathlib import Path

import cv2

from engine.core.files import replaced
from engine.core.platforms import NO_TERMINAL
from engine.core.processes import FFMPEG, foreign_environment
from engine.formats.container_header import LONGEST_SECONDS, read_container_header
from engine.formats.plain_name import PlainName
from engine.sources.base import FALLBACK_RATE

log = logging.getLogger(__name__)

LONGEST_WAIT = 600.0  # seconds
# Codecs of sound to try in turn: as it is, and one that each container that is written can hold.
CODECS = {".mp4": ("copy", "aac"), ".avi": ("copy", "pcm_s16le")}


def copy_sound(source: Path, video: Path) -> str:
    """Add the sound of a file to a video that begins with the file's first picture.

    Returns: a sentence if the sound is missing, "" if it was added or there is none. The video is complete either way.
    """
    if not source.is_file():  # numbered pictures
        return ""
    sound = read_container_header(source).sound
    if sound is False:
        return ""
    missing = f"The sound of {source.name} is missing in {video.name}" if sound else f"{video.name} has no sound"
    program = shutil.which(FFMPEG)
    if program is None:
        return f"{missing}: only the program ffmpeg can copy it, and it is not installed. Install it and try again."
    why = ""
    for codec in CODECS[video.suffix.lower()]:
        try:
            with replaced(video) as temporary:
                _mux(program, source, video, codec, temporary)
            return ""
        except (OSError, subprocess.SubprocessError) as error:
            why = f" ({_last_line(error)})"
            log.warning("%s could not copy the sound of %s with %s%s", program, source, codec, why)
    return f"{missing}: the program ffmpeg could not copy it{why}. Convert the file to MP4 with AAC and try again."


def _mux(program: str, source: Path, video: Path, codec: str, target: Path) -> None:
    """Write the pictures of `video` and the sound of `source`, if it has any, into `target`.

    Raises:
        OSError: the program cannot be started, or a name cannot be given to it.
        subprocess.SubprocessError: it failed or took too long.
    """
    names = [PlainName(path) for path in (video, source, target)]
    begin = 0.0 if read_container_header(source).as_stored else _first_picture(names[1])
    # Sound before the first picture is left out, as the video begins with that.
    late = ("-seek_timestamp", "1", "-ss", f"{begin:.3f}") if begin > 0 else ()
    pictures, sound = (("-protocol_whitelist", "file", "-i", f"file:{name.text}") for name in names[:2])
    inputs = [*pictures, *late, *sound]
    copied = ["-map", "0:v", "-map", "1:a?", "-c:v", "copy", "-c:a", codec, "-t", f"{_seconds(names[0]):.3f}"]
    command = [program, "-nostdin", "-v", "error", "-y", *inputs, *copied, f"file:{names[2].text}"]
    subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, timeout=LONGEST_WAIT, check=True,
        env=foreign_environment(), creationflags=NO_TERMINAL,
    )  # fmt: skip
    if not target.stat().st_size:
        raise OSError("it wrote nothing")


def _first_picture(name: PlainName) -> float:
    """Return when the first picture of a file is shown, in seconds by its container's own clock; 0 where unknown."""
    capture = cv2.VideoCapture(name.text, cv2.CAP_FFMPEG)
    capture.grab()
    rate, place = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_PTS)
    capture.release()
    return place / rate if rate > 0 and 0 < place / rate <= LONGEST_SECONDS else 0.0


def _seconds(name: PlainName) -> float:
    """Return how long a video of a constant rate lasts."""
    capture = cv2.VideoCapture(name.text, cv2.CAP_FFMPEG)
    seconds = capture.get(cv2.CAP_PROP_FRAME_COUNT) / (capture.get(cv2.CAP_PROP_FPS) or FALLBACK_RATE)
    capture.release()
    return float(seconds)


def _last_line(error: Exception) -> str:
    said = error.stderr.decode("utf-8", "replace") if isinstance(error, subprocess.CalledProcessError) else str(error)
    return ([line.strip() for line in said.splitlines() if line.strip()] or ["without a reason"])[-1]
