"""A picture, a folder of pictures or a pack as a source of frames."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import SourceError
from engine.core.frame import Frame
from engine.formats.images import PICTURE_SUFFIXES, count_pictures, read_picture
from engine.formats.packs import is_pack
from engine.formats.signatures import VIDEO_SUFFIXES, FileKind, kind_of
from engine.sources.base import SourceKind, place_shown
from engine.sources.truth import GroundTruth, truth_of_pack, truth_of_pictures

log = logging.getLogger(__name__)

SHOWING_RATE = 1.0  # pictures per second
NAMED_IN_REMARK = 3
# What lies beside pictures, such as labels, and is never one.
BESIDE_PICTURES = {".pts", ".csv", ".json", ".jsonl", ".txt", ".npz", ".md", ".toml", ".xml", ".html", ".py", ".zip"}
# Pictures without a mark at their beginning by which they could be told.
UNMARKED_PICTURES = {".tga", ".pcx", ".ico", ".pict", ".dcm"}


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
        self._left_out: list[Path] = []  # pictures and videos of the folder that are not shown
        self._several: list[Path] = []  # files of several pictures, of which the first was shown
        self._paths, self._truth = self._find(path)
        self.frame_count: int | None = len(self._paths)
        self.skipped: dict[Path, str] = {}
        self._place = 0
        self._closed = False

    @property
    def remark(self) -> str:
        """Sentences that name what was skipped or left out, and useless ground truth; "" if there is nothing."""
        said = (
            (self.skipped, f"picture(s) of {self.name} could not be read and were skipped"),
            (self._several, f"file(s) of {self.name} hold several pictures, of which only the first was read"),
            (self._left_out, f"file(s) of {self.name} cannot be read as pictures and were left out"),
        )
        sentences = [f"{len(paths)} {what}: {_some_names(paths)}." for paths, what in said if paths]
        return " ".join(filter(None, (*sentences, self.truth_remark)))

    @property
    def truth_remark(self) -> str:
        """Sentences on ground truth that could not be used; "" if there was none."""
        return self._truth.remark

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
    def names(self) -> tuple[str, ...]:
        """The names of the pictures, in their order."""
        return tuple(path.name for path in self._paths)

    @property
    def duration(self) -> float | None:
        """Seconds for which all pictures are shown."""
        return len(self._paths) / SHOWING_RATE

    def place_at(self, seconds: float) -> int:
        """Return the place of the picture that is shown at a moment, the last one after the end."""
        return place_shown(seconds, SHOWING_RATE, len(self._paths))

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
        pictures, self._left_out = _pictures_of(path)
        return pictures, truth_of_pictures(path)

    def _read_or_skip(self, path: Path) -> NDArray[np.uint8] | None:
        try:
            picture = read_picture(path)
            if count_pictures(path) > 1 and path not in self._several:
                self._several.append(path)
            return picture
        except SourceError as error:
            if not self._is_folder:
                raise
            log.info("Skipped: %s", error)
            self.skipped[path] = error.what
            del self._paths[self._place]  # so that places count readable pictures
            self.frame_count = len(self._paths)
            return None


def _pictures_of(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the pictures of a folder, and the files that show something but cannot be read as pictures."""
    try:
        files = [file for file in folder.iterdir() if not file.name.startswith(".") and not file.is_dir()]
    except OSError as error:
        raise SourceError(
            f"The folder {folder} cannot be read ({error.strerror})", "its permissions forbid it", "change them"
        ) from error
    kinds = {file: _kind_in_folder(file) for file in files}
    pictures, left_out = (
        sorted((file for file, kind in kinds.items() if kind in wanted), key=_natural)
        for wanted in ((FileKind.PICTURE,), (FileKind.FOREIGN, FileKind.VIDEO))
    )
    if not pictures:
        seen = f"; it holds {_some_names(left_out)}, which cannot be read as pictures" if left_out else ""
        raise SourceError(
            f"The folder {folder} holds no picture",
            f"only pictures such as JPEG, PNG and WebP count, and folders inside it are not searched{seen}",
            "choose the folder that holds the pictures",
        )
    return pictures, left_out


def _kind_in_folder(file: Path) -> FileKind:
    ending = file.suffix.lower()
    if not file.is_file():  # a link to nothing, a pipe or a device; only as a picture or video would it be missed
        return FileKind.FOREIGN if ending in PICTURE_SUFFIXES | VIDEO_SUFFIXES else FileKind.UNKNOWN
    if ending in PICTURE_SUFFIXES:
        return FileKind.PICTURE  # if it is none after all, reading it says so
    if ending in BESIDE_PICTURES:
        return FileKind.UNKNOWN
    try:
        kind = kind_of(file)
    except OSError:
        kind = FileKind.UNKNOWN
    if kind is FileKind.UNKNOWN and ending in UNMARKED_PICTURES:
        return FileKind.FOREIGN
    return FileKind.VIDEO if kind is FileKind.UNKNOWN and ending in VIDEO_SUFFIXES else kind


def _some_names(paths: Iterable[Path]) -> str:
    names = [path.name for path in paths]
    return ", ".join(names[:NAMED_IN_REMARK]) + (", …" if len(names) > NAMED_IN_REMARK else "")


def _natural(path: Path) -> list[tuple[int, int | str]]:
    """Return a key that sorts 2.png before 10.png, whatever the case."""
    parts = re.split(r"(\d+)", path.name.casefold())
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in parts if part]
