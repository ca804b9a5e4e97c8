"""The card of a model: what it is, how its crop is cut, what it was trained on, how accurate it is."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from engine.core.errors import ModelError
from engine.core.faces import EyeLevels
from engine.core.files import replaced
from engine.core.foreign_schemes import foreign_scheme
from engine.core.records import (
    Choice,
    Form,
    KeyPath,
    Mistake,
    Range,
    Rule,
    read_record,
    wrong_value,
)
from engine.core.schemes import SCHEMES, Scheme
from engine.core.texts import read_json, reason
from engine.inference.conventions import ForeignInput, ForeignOutput, contradiction

LARGEST_CARD = 1_000_000  # bytes
MOST_POINTS = 10_000
Count = Annotated[int, Range(0, 1e15), Form("a whole number")]
# Of measured results: the fields that are numbers wherever they are known.
FIGURES = ("nme", "nme_box", "fr10", "auc10", "visibility_auc", "eyes_auc")
ROLES = ("student", "teacher")
_BYTES = Rule("[0, 255], as normalisation belongs into the model,", lambda limits: list(limits) == [0, 255])


def _read_metrics(value: Any, path: KeyPath) -> tuple[dict[str, Any], ...]:
    """Return measured results, whose figures must be finite numbers wherever they are known."""
    for figures in value:
        for name, entry in figures.items():
            number = float(entry) if isinstance(entry, int | float) or (entry is not None and name in FIGURES) else 0.0
            if not math.isfinite(number):
                raise wrong_value(path, entry, "a finite number", "3.21")
    return tuple(value)


@dataclass(frozen=True)
class CropRule:
    """How a model's crop is cut.

    Attributes:
        scale: side of the square crop as a multiple of the larger side of the tight landmark box.
        dy: how far the centre is moved down, as a share of that larger side.
        level: whether the crop is turned so that the eye line is level, where the roll is known.
    """

    scale: Annotated[float, Range(0.1, 10)]
    dy: Annotated[float, Range(-10, 10)] = 0.0
    level: bool = True


@dataclass(frozen=True)
class TrainingFacts:
    """How a model was trained.

    Attributes:
        recipe: name of the run, `RECIPE` or `RECIPE:STAGE`.
        steps, batch: number and size of its steps.
        lineage: what led to it, first to last: the initial weights, then the runs before this one.
    """

    recipe: str
    steps: int
    batch: int
    lineage: tuple[str, ...]


@dataclass(frozen=True)
class TeacherGain:
    """What a teacher brought: runs from the same weights, with and without it, on the same faces.

    Attributes:
        data, split: the faces.
        faces: how many of them both kinds of run found.
        steps: of each run.
        seeds: runs of each kind, over which the errors are averaged.
        alone, taught: NME in percent of the distance of the outer eye corners.
        low, high: 95 % interval of `taught` minus `alone`.
    """

    data: str
    split: str
    faces: Count
    steps: Count
    seeds: Count
    alone: Annotated[float, Range(0, 1000)]
    taught: Annotated[float, Range(0, 1000)]
    low: Annotated[float, Range(-1000, 1000)]
    high: Annotated[float, Range(-1000, 1000)]


@dataclass(frozen=True, kw_only=True)
class Card:
    """A model's card. See docs/ARCHITECTURE.md, “The model contract”, and docs/foreign-models.md.

    Attributes:
        name: unique name, that of the file.
        role: `student` or `teacher`.
        system: the method that made it.
        scheme: landmarks K: 29, 68 or 98; of a model from elsewhere any number.
        input_size: side S of the input in pixels.
        input_range: values of black and white at the input.
        crop: how the crop is cut.
        sha256, bytes: of the `.tflite` or `.onnx` file.
        params, macs: number of weights and of multiply-adds of one run; 0 where nobody counted them.
        precision: of the stored weights.
        minimum_runtime: version of the oldest TensorFlow Lite that loads the file; empty where it is not known.
        licence: what the model may be used for.
        data: what it was trained on, and which of it was derived.
        label_shift: how far its points lie to the right of what they mark, in sides of the crop, as those do that it
            learned from. Taken off wherever landmarks are used, but not where they are measured against such labels.
        eyes: what the aspect ratio of its eyes is, measured on closed and on open ones; None where it was not.
        metrics: measured results, each with its data, n and protocol.
        recipe, revision: the named recipe and the commit that made it.
        input, output: of a model from elsewhere how it takes a crop and what its output means; None for our contract.
        training: what `recipe` and the end of `data` say in words; None on older cards.
        gains: what a teacher brought to short runs of this network, for each set of faces.
    """

    name: str
    role: Annotated[str, Choice(ROLES)] = "student"
    system: str = ""
    scheme: Annotated[int, Range(1, MOST_POINTS), Form("a whole number")]
    input_size: Annotated[int, Range(1, 10_000)]
    crop: CropRule
    sha256: str
    bytes: Count
    params: Count = 0
    macs: Count = 0
    precision: str = ""
    minimum_runtime: str = ""
    licence: str = "not stated"
    data: str = "not stated"
    recipe: str = ""
    revision: str = ""
    input: ForeignInput | None = None
    output: ForeignOutput | None = None
    training: TrainingFacts | None = None
    gains: tuple[TeacherGain, ...] = ()
    label_shift: Annotated[float, Range(-0.5, 0.5)] = 0.0
    eyes: EyeLevels | None = None
    input_range: Annotated[tuple[float, float], _BYTES] = (0.0, 255.0)
    metrics: Annotated[tuple[dict[str, Any], ...], Form("a list of results", "[]", read=_read_metrics)] = ()

    def __post_init__(self) -> None:
        if not self.is_foreign:
            if self.scheme not in SCHEMES:
                choices = Choice(tuple(SCHEMES))
                raise wrong_value(("scheme",), self.scheme, str(choices), str(next(iter(SCHEMES))))
        elif mistake := contradiction(self.scheme, self.foreign_input, self.foreign_output, self.crop.level):
            raise mistake

    @property
    def is_teacher(self) -> bool:
        """Whether its role is that of a teacher."""
        return self.role == "teacher"

    @property
    def is_foreign(self) -> bool:
        """Whether the model comes from elsewhere and does not keep our contract."""
        return self.input is not None or self.output is not None

    @property
    def foreign_input(self) -> ForeignInput:
        """How a model from elsewhere takes its crop."""
        return self.input or ForeignInput()

    @property
    def foreign_output(self) -> ForeignOutput:
        """What the output of a model from elsewhere means."""
        return self.output or ForeignOutput()

    @cached_property
    def markup(self) -> Scheme:
        """The scheme of its landmarks."""
        if not self.is_foreign:
            return SCHEMES[self.scheme]
        return foreign_scheme(self.foreign_output.markup, self.scheme, self.foreign_output.as_68)

    @property
    def stretches(self) -> bool:
        """Whether its crop is the landmark box itself, stretched to a square."""
        return self.input is not None and self.input.stretched

    @property
    def eye_levels(self) -> EyeLevels:
        """What signals read the openness of eyes off by: as measured, or as of most models."""
        return self.eyes or EyeLevels()


def read_card(path: Path) -> Card:
    """Read a card.

    Raises:
        ModelError: the file is missing, is no JSON, or a field is missing or makes no sense.
    """
    return _read(path, {})


def read_foreign_card(path: Path, name: str, sha256: str, size: int) -> Card:
    """Read a card that somebody wrote for a model from elsewhere, and add the name, checksum and size of the file.

    Raises:
        ModelError: as in `read_card`.
    """
    return _read(path, {"name": name, "sha256": sha256, "bytes": size})


def _read(path: Path, more: dict[str, Any]) -> Card:
    try:
        values = read_json(path, LARGEST_CARD)
        if not isinstance(values, dict):
            raise ValueError("it is not a JSON object")
        known = {key: value for key, value in values.items() if value is not None} | more
        return read_record(Card, known, ignore_unknown=True)
    except FileNotFoundError as error:
        raise ModelError(
            f"The card {path} is missing",
            "every model comes as two files, the network and its card, .json",
            "copy both files, or make a card with “understudy models add”",
        ) from error
    except (OSError, ValueError) as error:
        why = f"{error}: {error.expected}" if isinstance(error, Mistake) else reason(error)
        raise ModelError(
            f"The card {path} cannot be used ({why})",
            "it was edited by hand or cut off",
            "correct it, or copy it again from where the model came from",
        ) from error


def write_card(path: Path, card: Card) -> None:
    """Write a card as readable JSON, all of it or nothing.

    Raises:
        OSError: it cannot be written.
    """
    with replaced(path) as temporary:
        values = {key: value for key, value in asdict(card).items() if value is not None}
        text = json.dumps(values, indent=1, ensure_ascii=False) + "\n"
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
