"""Numbered pictures that are the frames of a video, such as `shot_%04d.png`."""

from __future__ import annotations

import logging
import re
import time
from pathlib import Path

from engine.core.errors import SourceError
from engine.core.frame import Frame
from engine.formats.images import read_picture
from engine.sources.base import FALLBACK_RATE, SourceKind, place_shown
from engine.sources.truth import truth_of_pictures

log = logging.getLogger(__name__)

# %d, or %04d: with zeros in front, at least four digits.
_NUMBER = re.compile(r"%(?:0(\d))?d")


def is_pattern(path: Path) -> bool:
    """Return whether the name of a path stands for numbered pictures."""
    return len(_NUMBER.findall(path.name)) == 1


class SequenceSource:
    """Numbered pictures, in the order of their numbers, as a video of `FALLBACK_RATE` frames a second.

    Pictures that cannot be read are skipped. Ground truth lies next to them as to those of a folder.

    Args:
        pattern: folder and name, in which %d or %04d stands for the number.

    Raises:
        SourceError: no picture has such a name, or the folder cannot be read.
    """

    kind = SourceKind.VIDEO

    def __init__(self, pattern: Path) -> None:
        self.name = pattern.name
        self.rate: float | None = FALLBACK_RATE
        numbered = _numbered(pattern)
        self._paths = [numbered[number] for number in sorted(numbered)]
        self._missing = max(numbered) - min(numbered) + 1 - len(numbered)
        self._truth = truth_of_pictures(pattern.parent)
        self._skipped: list[SourceError] = []
        self._place = 0
        self._closed = False
        self.frame_count: int | None = len(self._paths)

    @property
    def remark(self) -> str:
        """Sentences on numbers that are missing, pictures that were skipped, and useless ground truth."""
        missing = f"{self._missing} number(s) of {self.name} are missing between the first and the last."
        skipped = f"{len(self._skipped)} picture(s) of {self.name} could not be read and were skipped."
        said = (missing if self._missing else "", skipped if self._skipped else "", self._truth.remark)
        return " ".join(filter(None, said))

    @property
    def duration(self) -> float | None:
        """Seconds that it takes."""
        return len(self._paths) / FALLBACK_RATE

    def place_at(self, seconds: float) -> int:
        """Return the place of the picture that is shown at a moment, the last one after the end."""
        return place_shown(seconds, FALLBACK_RATE, len(self._paths))

    def seek(self, place: int) -> None:
        """Let the next `read` return the picture at `place`, or the last one."""
        self._place = max(0, min(place, len(self._paths) - 1))

    def read(self) -> Frame | None:
        """Return the next readable picture, or None after the last.

        Raises:
            SourceError: none can be read.
        """
        while self._place < len(self._paths) and not self._closed:
            place, path = self._place, self._paths[self._place]
            try:
                picture = read_picture(path)
            except SourceError as error:
                log.info("Skipped: %s", error)
                self._skipped.append(error)
                del self._paths[place]
                self.frame_count = len(self._paths)
                continue
            self._place += 1
            truth = self._truth.of(path, picture)
            return Frame(place, time.monotonic(), picture, self.name, time=place / FALLBACK_RATE, truth=truth)
        if not self._paths and not self._closed:
            raise self._skipped[0]
        return None

    def close(self) -> None:
        """End the source: `read` returns None from now on."""
        self._closed = True


def _numbered(pattern: Path) -> dict[int, Path]:
    """Return the pictures that a pattern stands for, by their numbers."""
    found = _NUMBER.search(pattern.name)
    assert found is not None
    digits = f"[0-9]{{{found[1]},}}" if found[1] else "[0-9]+"
    begin, end = pattern.name[: found.start()], pattern.name[found.end() :]
    form = re.compile(f"{re.escape(begin)}({digits}){re.escape(end)}")
    try:
        files = {int(match[1]): file for file in pattern.parent.iterdir() if (match := form.fullmatch(file.name))}
    except OSError as error:
        what, why = f"There are no pictures {pattern}", f"the folder {pattern.parent} cannot be read ({error.strerror})"
        raise SourceError(what, why, "check the path") from error
    if not files:
        what, why = f"There are no pictures {pattern}", f"no file in {pattern.parent} has such a name with a number"
        raise SourceError(what, why, "check the name: %d stands for a number, %04d for one of four digits")
    return files
