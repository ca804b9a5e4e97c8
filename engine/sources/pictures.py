"""A picture, a folder of pictures or a pack as a source of frames."""

from __future__ import annotations

import logging
import re
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import SourceError
from engine.core.frame import Frame
from engine.formats.images import PICTURE_SUFFIXES, read_picture
from engine.formats.packs import is_pack
from engine.sources.base import SourceKind
from engine.sources.truth import GroundTruth, truth_of_pack, truth_of_pictures

log = logging.getLogger(__name__)

SHOWING_RATE = 1.0  # pictures per second
NAMED_IN_REMARK = 3


class PicturesSource:
    """Pictures one after the other: a single one, those of a folder in natural order, or those of a pack.

    An unreadable picture in a folder is skipped and recorded. Pictures have ground truth where a pack, or files next to
    them, label exactly one of their faces.

    Args:
        path: a picture, a folder or a pack.

    Attributes:
        frame_count: number of pictures; it falls with each one that must be skipped.
        skipped: the pictures that could not be read so far, each with the reason as a sentence.

    Raises:
        SourceError: there is nothing at `path`, or the folder holds no picture.
        PackError: the folder is a pack but a damaged one.
    """

    kind = SourceKind.PICTURES

    def __init__(self, path: Path) -> None:
        self.name = path.name or str(path.resolve())
        self.rate: float | None = SHOWING_RATE
        self._is_folder = path.is_dir()
        self._paths, self._truth = self._find(path)
        self.frame_count: int | None = len(self._paths)
        self.skipped: dict[Path, str] = {}
        self._place = 0
        self._closed = False

    @property
    def remark(self) -> str:
        """Sentences that name the skipped pictures and useless ground truth; "" if there are none."""
        skipped = ""
        if self.skipped:
            names = ", ".join(path.name for path in [*self.skipped][:NAMED_IN_REMARK])
            names += ", …" if len(self.skipped) > NAMED_IN_REMARK else ""
            skipped = f"{len(self.skipped)} picture(s) of {self.name} could not be read and were skipped: {names}."
        return " ".join(filter(None, (skipped, self._truth.remark)))

    def read(self) -> Frame | None:
        """Return the next readable picture, or None after the last.

        Raises:
            SourceError: the single picture, or every one of the folder, is unreadable.
        """
        while self._place < len(self._paths) and not self._closed:
            path = self._paths[self._place]
            picture = self._read_or_skip(path)
            if picture is not None:
                truth = self._truth.of(path, picture)
                frame = Frame(self._place, time.monotonic(), picture, self.name, path.name, truth=truth)
                self._place += 1
                return frame
        if not self._paths and self.skipped and not self._closed:
            raise SourceError(
                f"None of the {len(self.skipped)} picture(s) of {self.name} can be read",
                f"the first one: {next(iter(self.skipped.values()))}",
                "check the files, or choose another folder",
            )
        return None

    @property
    def duration(self) -> float | None:
        """Seconds for which all pictures are shown."""
        return len(self._paths) / SHOWING_RATE

    def place_at(self, seconds: float) -> int:
        """Return the place of the picture that is shown at a moment, the last one after the end."""
        return max(0, min(int(seconds * SHOWING_RATE), len(self._paths) - 1))

    def seek(self, place: int) -> None:
        """Let the next `read` return the picture at `place`, or the last one."""
        self._place = max(0, min(place, len(self._paths) - 1))

    def close(self) -> None:
        """End the source: `read` returns None from now on."""
        self._closed = True

    def _find(self, path: Path) -> tuple[list[Path], GroundTruth[Path]]:
        if path.is_file():
            return [path], truth_of_pictures(path)
        if not self._is_folder:
            raise SourceError(
                f"There is no picture and no folder {path}", "it was moved, or the path is mistyped", "check the path"
            )
        if is_pack(path):
            truth, pictures = truth_of_pack(path)
            return sorted(pictures, key=_natural), truth
        return _pictures_of(path), truth_of_pictures(path)

    def _read_or_skip(self, path: Path) -> NDArray[np.uint8] | None:
        try:
            return read_picture(path)
        except SourceError as error:
            if not self._is_folder:
                raise
            log.info("Skipped: %s", error)
            self.skipped[path] = error.what
            del self._paths[self._place]  # so that places count readable pictures
            self.frame_count = len(self._paths)
            return None


def _pictures_of(folder: Path) -> list[Path]:
    try:
        files = [file for file in folder.iterdir() if file.suffix.lower() in PICTURE_SUFFIXES and file.is_file()]
    except OSError as error:
        raise SourceError(
            f"The folder {folder} cannot be read ({error.strerror})", "its permissions forbid it", "change them"
        ) from error
    pictures = [file for file in files if not file.name.startswith(".")]
    if not pictures:
        raise SourceError(
            f"The folder {folder} holds no picture",
            f"only files ending in {', '.join(sorted(PICTURE_SUFFIXES))} count, and folders inside it are not searched",
            "choose the folder that holds the pictures",
        )
    return sorted(pictures, key=_natural)


def _natural(path: Path) -> list[tuple[int, int | str]]:
    """Return a key that sorts 2.png before 10.png, whatever the case."""
    parts = re.split(r"(\d+)", path.name.casefold())
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts if part]
