"""Why a file cannot be played as a video: the sentences, and what a look at its first bytes shows."""

from __future__ import annotations

import os
import shutil
from itertools import count
from pathlib import Path

from engine.core.errors import SourceError
from engine.core.files import open_regular
from engine.core.platforms import shell_line
from engine.core.processes import FFMPEG
from engine.formats.signatures import HEAD_BYTES, FileKind, kind_of_bytes


def check_file(path: Path) -> None:
    """Refuse what is no video by its first bytes, before a decoder opens it.

    Raises:
        SourceError: the file is missing, empty, unreadable, a playlist or a text.
    """
    if not os.path.isfile(path):  # noqa: PTH113  Path raises for names too long
        raise SourceError(
            f"There is no video {path}", "it was moved or renamed, or the path is mistyped", "check the path"
        )
    try:
        with open_regular(path) as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise SourceError(
            f"The video {path} cannot be read ({error.strerror})",
            "its permissions forbid it, or its drive is gone",
            "check the file's permissions",
        ) from error
    if not head:
        raise SourceError(f"The video {path} is empty", "its download or copy was interrupted", "copy it again")
    if kind_of_bytes(head) is FileKind.PLAYLIST:
        raise SourceError(
            f"{path} cannot be played",
            "it is a playlist, which names other files or hosts, and only the file that you name is opened",
            "open the video itself",
        )
    # Every video container has a zero byte early on, and no text has. FFmpeg would play texts, as those of old
    # terminals.
    if b"\0" not in head:
        raise not_a_video(path)


def av1(path: Path) -> SourceError:
    """Return why a video coded in AV1 cannot be played, with the command that converts it into a new file."""
    source = path.absolute()
    names = (f"{source.stem}-h264{'' if number == 1 else f'-{number}'}.mp4" for number in count(1))
    target = next(file for file in map(source.with_name, names) if not os.path.lexists(file))
    # In MP4 the program leaves the times of the pictures as they are.
    words = [FFMPEG, "-i", str(source), "-c:v", "libx264", str(target)]
    command = shell_line(words)
    install = "" if shutil.which(FFMPEG) else f"install the program {FFMPEG}, then "
    return SourceError(
        f"{path} cannot be played",
        "it is coded in AV1, which the decoder that is included does not read",
        f"{install}convert it with “{command}” and open the result",
    )


def only_sound(path: Path) -> SourceError:
    """Return why a file of sound cannot be shown."""
    what, why = f"{path} cannot be shown", "it holds sound and no pictures"
    return SourceError(what, why, "open the video that this sound belongs to")


def not_a_video(path: Path) -> SourceError:
    """Return why a file cannot be played of which no picture can be decoded."""
    return SourceError(
        f"{path} cannot be played",
        "it is cut off, damaged, or no video but another kind of file with a video's name",
        "open it in a video player to make sure, then copy or convert it again, for example to MP4",
    )
