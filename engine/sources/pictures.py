"""A picture, a folder of pictures or a pack as a source of frames."""

from __future__ import annotations

import logging
import re
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import SourceError
from engine.frame import Frame, Truth
from engine.packs import is_pack, read_pack
from engine.pictures import PICTURE_SUFFIXES, read_picture
from engine.sources.base import SourceKind

log = logging.getLogger(__name__)

SHOWING_RATE = 1.0  # pictures per second
NAMED_IN_REMARK = 3


@dataclass(frozen=True)
class Skipped:
    """A picture that could not be read.

    Attributes:
        path: where it lies.
        reason: the sentence that says why.
    """

    path: Path
    reason: str


class PicturesSource:
    """Pictures one after the other: a single one, those of a folder in natural order, or those of a pack.

    An unreadable picture in a folder is skipped and remembered. Pictures of a pack carry ground truth where exactly
    one face of theirs is labelled.

    Args:
        path: a picture, a folder or a pack.

    Attributes:
        frame_count: number of pictures; it falls with each one that must be skipped.
        skipped: the pictures that could not be read so far.

    Raises:
        SourceError: there is nothing at `path`, or the folder holds no picture.
        PackError: the folder is a pack but a damaged one.
    """

    kind = SourceKind.PICTURES

    def __init__(self, path: Path) -> None:
        self.name = path.name or str(path.resolve())
        self.rate: float | None = SHOWING_RATE
        self._is_folder = path.is_dir()
        self._truths: dict[Path, Truth] = {}
        self._paths = self._find(path)
        self.frame_count: int | None = len(self._paths)
        self.skipped: list[Skipped] = []
        self._place = 0
        self._closed = False
        self._next_id = 0

    @property
    def remark(self) -> str:
        """A sentence that names the skipped pictures; "" if there are none."""
        if not self.skipped:
            return ""
        names = ", ".join(skipped.path.name for skipped in self.skipped[:NAMED_IN_REMARK])
        more = ", …" if len(self.skipped) > NAMED_IN_REMARK else ""
        return f"{len(self.skipped)} picture(s) of {self.name} could not be read and were skipped: {names}{more}."

    def read(self) -> Frame | None:
        """Return the next readable picture, or None after the last.

        Raises:
            SourceError: the single picture, or every one of the folder, is unreadable.
        """
        while self._place < len(self._paths) and not self._closed:
            path = self._paths[self._place]
            self._place += 1
            picture = self._read_or_skip(path)
            if picture is not None:
                frame = Frame(
                    self._next_id, time.monotonic(), picture, self.name, path.name, truth=self._truths.get(path)
                )
                self._next_id += 1
                return frame
        if self._next_id == 0 and self.skipped and not self._closed:
            raise SourceError(
                f"None of the {len(self.skipped)} picture(s) of {self.name} can be read",
                f"the first one: {self.skipped[0].reason}",
                "check the files, or choose another folder",
            )
        return None

    def close(self) -> None:
        """End the source: `read` returns None from now on."""
        self._closed = True

    def _find(self, path: Path) -> list[Path]:
        if path.is_file():
            return [path]
        if not self._is_folder:
            raise SourceError(
                f"There is no picture and no folder {path}", "it was moved, or the path is mistyped", "check the path"
            )
        if is_pack(path):
            self._truths, pictures = _read_labels(path)
            return pictures
        return _pictures_of(path)

    def _read_or_skip(self, path: Path) -> NDArray[np.uint8] | None:
        try:
            return read_picture(path)
        except SourceError as error:
            if not self._is_folder:
                raise
            log.info("Skipped: %s", error)
            self.skipped.append(Skipped(path, error.what))
            self.frame_count = len(self._paths) - len(self.skipped)
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
            "choose the folder in which the pictures lie",
        )
    return sorted(pictures, key=_natural)


def _read_labels(folder: Path) -> tuple[dict[Path, Truth], list[Path]]:
    """Return the ground truth of a pack's pictures with one labelled face, and all its pictures in natural order."""
    pack = read_pack(folder, skip_unlabelled=True)
    labels = defaultdict(list)
    for face in pack.faces:
        labels[face.image].append(face.landmarks)
    truths = {image: Truth(pack.scheme, faces[0]) for image, faces in labels.items() if len(faces) == 1}
    return truths, sorted(labels, key=_natural)


def _natural(path: Path) -> list[tuple[int, int | str]]:
    """Return a key that sorts 2.png before 10.png, whatever the case."""
    parts = re.split(r"(\d+)", path.name.casefold())
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts if part]
