"""The marks of a log, in a file beside it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.core.errors import RecordingError
from engine.core.files import read_regular, replaced
from engine.core.texts import decoded, parse_json, reason
from engine.evaluation.files import as_json

VERSION = 1
LARGEST = 10_000_000  # bytes
KIND = "understudy marks"


@dataclass(frozen=True, order=True)
class Mark:
    """A mark at a frame, by the number that the log has for it, with words that may be empty."""

    frame: int
    words: str = ""


class Marks:
    """The marks of a log, in the order of their frames, and the path of its clip. Every change is saved at once.

    Args:
        log: the log; the marks of `a.jsonl` are in `a.marks.json`.

    Attributes:
        clip: where the clip was found last; None where it was never chosen by hand.
        remark: a sentence on marks that cannot be read, whose file is kept; "" if there are none.
    """

    def __init__(self, log: Path) -> None:
        self.path = log.with_name(f"{log.stem}.marks.json")
        self.clip: Path | None = None
        self.remark = ""
        self._marks: dict[int, Mark] = {}
        try:
            self._read(parse_json(decoded(read_regular(self.path, LARGEST))))
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, LookupError, ArithmeticError) as error:
            self.remark = (
                f"The marks in {self.path.name} cannot be read ({reason(error)}); new ones will go into another file."
            )
            self.path = _free(self.path)

    @property
    def all(self) -> tuple[Mark, ...]:
        """All marks, by their frames."""
        return tuple(sorted(self._marks.values()))

    def toggle(self, frame: int) -> bool:
        """Put a mark at a frame, or remove the one there; return whether there is one now.

        Raises:
            RecordingError: the file cannot be written; the change holds until the log is closed.
        """
        there = self._marks.pop(frame, None)
        if there is None:
            self._marks[frame] = Mark(frame)
        self._save()
        return there is None

    def describe(self, frame: int, words: str) -> None:
        """Give the mark at a frame its words.

        Raises:
            RecordingError: as `toggle`.
        """
        self._marks[frame] = Mark(frame, words)
        self._save()

    def remember_clip(self, clip: Path) -> None:
        """Note where the clip is, so that the log finds it the next time.

        Raises:
            RecordingError: as `toggle`.
        """
        if clip != self.clip:
            self.clip = clip
            self._save()

    def _read(self, values: Any) -> None:
        if not isinstance(values, dict) or values.get("kind") != KIND:
            raise ValueError("it is no file of marks")
        marks = [Mark(int(mark["frame"]), str(mark["words"])) for mark in values["marks"]]
        self._marks = {mark.frame: mark for mark in marks}
        self.clip = Path(values["clip"]) if values.get("clip") else None

    def _save(self) -> None:
        values = {
            "kind": KIND,
            "version": VERSION,
            "clip": None if self.clip is None else str(self.clip),
            "marks": [asdict(mark) for mark in self.all],
        }
        try:
            with replaced(self.path) as temporary:
                temporary.write_text(as_json(values), encoding="utf-8", errors="backslashreplace", newline="\n")
        except OSError as error:
            raise RecordingError(
                f"The marks cannot be saved into {self.path} ({reason(error)})",
                "the folder of the log forbids writing, or the disk is full",
                "copy the log into a folder of your own",
            ) from error


def _free(path: Path) -> Path:
    numbers = (
        path.with_name(f"{path.name.removesuffix('.marks.json')}_{number}.marks.json") for number in range(2, 1000)
    )
    return next(file for file in numbers if not file.exists())
