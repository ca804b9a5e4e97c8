"""Plain values become records; every mistake names its key, what was expected and what to write."""

import math
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

from engine.core.errors import UsageError
from engine.core.records import (
    BelowOne,
    Choice,
    Finite,
    Form,
    Mistake,
    NotNegative,
    Positive,
    Range,
    Rule,
    check_fields,
    read_record,
    read_value,
)


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Inner:
    size: Annotated[int, Range(1, 10)]
    share: float = 0.5


@dataclass(frozen=True)
class Outer:
    name: Annotated[str, Rule("a word", str.isalpha)]
    start: Annotated[tuple[Finite, Finite] | None, Form("a list of two numbers", "[0, 1]")] = field(
        default=None, metadata={"key": "from"}
    )
    colour: Colour = Colour.RED
    mode: Literal["add", "screen"] = "add"
    on: bool = False
    place: Path | None = None
    height: Annotated[float, Range(1, 10)] | None = None
    inner: Inner = field(default_factory=lambda: Inner(1))
    layers: tuple[Inner, ...] = field(default=(), metadata={"key": "layer"})
    words: tuple[str, ...] = ()
    notes: dict[str, Any] = field(default_factory=dict)
    line: int = field(default=0, metadata={"key": None})

    def __post_init__(self) -> None:
        if len(self.layers) > 2:
            raise Mistake(("layer",), "too many", "two fit", "join them")


FULL = {
    "name": "a", "from": [1, 2.5], "colour": "blue", "mode": "screen", "on": True, "place": "x/y", "height": 3,
    "inner": {"size": 2}, "layer": [{"size": 3, "share": 1}], "words": ["b", "c"], "notes": {"d": [1]},
}  # fmt: skip


def test_every_kind_of_value_is_read():
    record = read_record(Outer, FULL)
    assert record == Outer(
        "a", (1.0, 2.5), Colour.BLUE, "screen", True, Path("x/y"), 3.0, Inner(2), (Inner(3, 1.0),), ("b", "c"),
        {"d": [1]},
    )  # fmt: skip
    assert isinstance(record.layers[0].share, float)
    assert read_record(Outer, {"name": "a", "place": None}) == Outer("a")


@pytest.mark.parametrize(
    ("values", "path", "problem", "expected", "fix"),
    [
        ({}, ("name",), "“name” is missing at the top of the file", "a text in quotation marks was", "name = "),
        ({"name": 3}, ("name",), "“name” is 3", "a text in quotation marks was expected", "write it so: name ="),
        ({"name": "3"}, ("name",), "“name” is “3”", "a word was expected", "name ="),
        ({"nmae": "a"}, ("nmae",), "no key “nmae” at the top", "are name, from, colour, mode", "did you mean “name”?"),
        ({"line": 4}, ("line",), "no key “line”", "the keys at the top of the file are name, from", ""),
        ({"zzz": 4}, ("zzz",), "no key “zzz”", "the keys at the top", "remove the line"),
        ({"from": [1]}, ("from",), "“from” is [1]", "a list of two numbers was expected", "from = [0, 1]"),
        ({"from": [1, math.inf]}, ("from",), "“from” is [1, inf]", "a list of two numbers", "[0, 1]"),
        ({"from": None, "start": 1}, ("start",), "no key “start”", "", ""),
        ({"colour": "rde"}, ("colour",), "“colour” is “rde”", "one of red, blue was expected", "did you mean “red”?"),
        ({"colour": [1]}, ("colour",), "“colour” is [1]", "one of red, blue", 'colour = "red"'),
        ({"mode": "blend"}, ("mode",), "“mode” is “blend”", "one of add, screen", 'mode = "add"'),
        ({"on": 1}, ("on",), "“on” is 1", "true or false was expected", "on = …"),
        ({"place": False}, ("place",), "“place” is false", "a path in quotation marks", ""),
        ({"height": 11}, ("height",), "“height” is 11", "a number from 1 to 10 was expected", "height = 10"),
        ({"height": math.nan}, ("height",), "“height” is nan", "a number from 1 to 10", ""),
        ({"height": True}, ("height",), "“height” is true", "a number", ""),
        ({"height": 10**400}, ("height",), "“height” is 1000", "a number", ""),
        ({"inner": 3}, ("inner",), "“inner” is 3", "a table with size, share was expected", "{ … }"),
        ({"inner": {"size": 1.0}}, ("inner", "size"), "“size” is 1.0", "a number from 1 to 10", "size = 10"),
        ({"inner": {}}, ("inner", "size"), "“size” is missing in “inner”", "a number from 1 to 10", "size = 10"),
        ({"layer": {}}, ("layer",), "“layer” is no list of tables", "each layer has a table of its own", "[[layer]]"),
        ({"layer": [{"size": 1}, {"size": 0}]}, ("layer", 1, "size"), "“size” is 0", "", ""),
        ({"layer": [{"size": 1, "a": 1}]}, ("layer", 0, "a"), "there is no key “a” in “layer”", "size, share", ""),
        ({"layer": [{"size": 1}] * 3}, ("layer",), "too many", "two fit", "join them"),
        ({"words": [1]}, ("words",), "“words” is [1]", "a list (a text in quotation marks each) was expected", ""),
        ({"notes": []}, ("notes",), "“notes” is []", "a table was expected", ""),
    ],
)
def test_a_mistake_says_where_what_and_how_to_mend_it(values, path, problem, expected, fix):
    given = values if not values or "name" in values or "nmae" in values else {"name": "a"} | values
    with pytest.raises(Mistake) as caught:
        read_record(Outer, given)
    mistake = caught.value
    assert mistake.path == path
    assert problem in mistake.problem
    assert expected in mistake.expected
    assert fix in mistake.fix
    assert str(mistake) == mistake.problem


def test_keys_of_a_newer_version_can_be_ignored():
    values = {"name": "a", "later": 2, "inner": {"size": 4, "new": 1}, "layer": [{"size": 3, "new": 1}]}
    assert read_record(Outer, values, ignore_unknown=True) == Outer("a", inner=Inner(4), layers=(Inner(3),))


def test_single_values_are_read_by_their_annotation():
    assert read_value("blue", Colour, ("colour",)) is Colour.BLUE
    assert read_value(3, Annotated[float, Range(0, 5)] | None, ("height",)) == 3.0
    with pytest.raises(Mistake, match="“height” is 9"):
        read_value(9, Annotated[float, Range(0, 5)] | None, ("live", "height"))


def test_a_field_can_be_read_by_a_function_of_its_own():
    def length(value, path):
        if value is None:
            raise Mistake(path, "nothing", "something", "write it")
        return len(value)

    hint = Annotated[int, Form(read=length)]
    assert read_value([1, 2], hint, ("a",)) == 2
    with pytest.raises(Mistake, match="nothing"):
        read_value(None, hint, ("a",))


@dataclass(frozen=True)
class Limits:
    steps: Positive[int] = 1
    decay: NotNegative[float] = 0.0
    share: BelowOne[float] = 0.0
    part: Annotated[float, Range(0, 1, open_low=True)] = 1.0
    loss: Annotated[float, Range(high=0, open_high=True)] = -1.0
    schedule: Annotated[str, Choice(("cosine", "inverse"), "schedule")] = "cosine"

    def __post_init__(self) -> None:
        check_fields(self)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"steps": 0}, "The field steps cannot be 0. It has to be a number above 0. Choose such a number."),
        ({"steps": math.inf}, "The field steps cannot be inf. It has to be a number above 0."),
        ({"decay": -1}, "The field decay cannot be -1. It has to be 0 or a number above it."),
        ({"decay": math.nan}, "The field decay cannot be nan"),
        ({"share": 1}, "The field share cannot be 1. It has to be a number from 0 on and below 1."),
        ({"part": 0}, "The field part cannot be 0. It has to be a number above 0 and up to 1. Choose such a number."),
        ({"loss": 0}, "The field loss cannot be 0. It has to be a number below 0. Choose such a number."),
        ({"schedule": "sin"}, "There is no schedule “sin”. There are: cosine, inverse. Choose one of these."),
    ],
)
def test_the_limits_of_fields_hold_for_every_record(fields, words):
    Limits(steps=3, decay=2.0, share=0.9, schedule="inverse")
    with pytest.raises(UsageError) as caught:
        Limits(**fields)
    assert str(caught.value).startswith(words)
