"""Reading records: plain values, as in TOML and JSON, become a frozen dataclass by its annotations.

A field is a bool, int, float, str, Path, Enum, Literal or record, a tuple of these, or one of these or None. What its
type does not say is annotated: `Annotated[float, Range(0, 1)]`. `field(metadata={"key": "from"})` gives a field another
name in the file, and `{"key": None}` none at all.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from difflib import get_close_matches
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from engine.core.errors import UsageError

KeyPath = tuple[str | int, ...]
T = TypeVar("T")
LONGEST_SHOWN = 60  # characters of a wrong value
_WORDS = {
    bool: "true or false", int: "a whole number", float: "a number",
    str: "a text in quotation marks", Path: "a path in quotation marks",
}  # fmt: skip


@dataclass(frozen=True)
class Range:
    """The finite numbers from `low` to `high`; `open_low` and `open_high` leave out the limit itself."""

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False

    def __contains__(self, value: float) -> bool:
        above = self.low < value if self.open_low else self.low <= value
        below = value < self.high if self.open_high else value <= self.high
        return above and below and math.isfinite(value)

    def __str__(self) -> str:
        if self.low == -math.inf and self.high == math.inf:
            return "a finite number"
        if self.high == math.inf:
            return f"a number above {self.low:g}" if self.open_low else f"{self.low:g} or a number above it"
        if self.low == -math.inf:
            return f"a number below {self.high:.7g}" if self.open_high else f"{self.high:.7g} or a number below it"
        if self.open_low:
            return f"a number above {self.low:g} and {'below' if self.open_high else 'up to'} {self.high:.7g}"
        return f"a number from {self.low:g} {'on and below' if self.open_high else 'to'} {self.high:.7g}"


@dataclass(frozen=True)
class Choice:
    """One of some values; `what` names their kind in the sentence about another value."""

    values: tuple[str | int, ...]
    what: str = "choice"

    def __contains__(self, value: object) -> bool:
        return value in self.values

    def __str__(self) -> str:
        return f"one of {', '.join(map(str, self.values))}"


@dataclass(frozen=True)
class Rule:
    """A condition on a value, and the words for a value that fulfils it."""

    words: str
    holds: Callable[[Any], bool]

    def __contains__(self, value: object) -> bool:
        return self.holds(value)

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True)
class Form:
    """What a value has to be, in words, with an example as in the file; and why it must not be missing.

    `read` converts what the file holds, or raises a `Mistake`; None reads it by its type.
    """

    expected: str = ""
    example: str = ""
    why: str = ""
    read: Callable[[Any, KeyPath], Any] | None = None


Positive = Annotated[T, Range(0, open_low=True)]
NotNegative = Annotated[T, Range(0)]
BelowOne = Annotated[T, Range(0, 1, open_high=True)]
Finite = Annotated[float, Range()]


class Mistake(ValueError):
    """A value that cannot be read.

    Attributes:
        path: of its key from the top of the file, with indices in lists.
        problem: what is wrong, as a sentence without its full stop.
        expected: what was expected.
        fix: what to do.
    """

    def __init__(self, path: KeyPath, problem: str, expected: str, fix: str) -> None:
        super().__init__(problem)
        self.path, self.problem, self.expected, self.fix = path, problem, expected, fix


def wrong_value(path: KeyPath, value: Any, expected: str, example: str) -> Mistake:
    """Return the mistake that the value of a key is not what was expected."""
    key = next(part for part in reversed(path) if isinstance(part, str))
    return Mistake(path, f"“{key}” is {shown(value)}", f"{expected} was expected", f"write it so: {key} = {example}")


def shown(value: Any) -> str:
    """Return a value as the file could hold it, cut to a readable length."""
    plain = json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, dict | bool) else str(value)
    text = f"“{value}”" if isinstance(value, str) else plain
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 3]}…"


def suggestion(value: Any, known: Sequence[str], otherwise: str) -> str:
    """Return the question whether the nearest of the known names was meant; `otherwise` where none is near."""
    close = get_close_matches(value, known, 1) if isinstance(value, str) else []
    return f"did you mean “{close[0]}”?" if close else otherwise


def read_record(kind: type[T], values: Mapping[str, Any], path: KeyPath = (), ignore_unknown: bool = False) -> T:
    """Return the record, a dataclass, that a table of values by key describes; `path` is that of the table.

    Its `__post_init__` may raise a `Mistake` too, with a path below this table. Unknown keys, which a newer version may
    have written, can be ignored.

    Raises:
        Mistake: the first that was found.
    """
    known = _fields(kind)
    table = ".".join(part for part in path if isinstance(part, str))
    where = f"in “{table}”" if table else "at the top of the file"
    given: dict[str, Any] = {}
    for key, value in values.items():
        if key in known:
            given[known[key].name] = _read(value, known[key], (*path, key), ignore_unknown)
        elif not ignore_unknown:
            fix = suggestion(key, list(known), "remove the line")
            keys = ", ".join(known)
            raise Mistake((*path, key), f"there is no key “{key}” {where}", f"the keys {where} are {keys}", fix)
    for key, each in known.items():
        if each.required and key not in values:
            expected = each.form.why or f"{each.expected} was expected"
            fix = f"add a line such as: {key} = {each.example}"
            raise Mistake((*path, key), f"“{key}” is missing {where}", expected, fix)
    try:
        return kind(**given)
    except Mistake as mistake:
        mistake.path = (*path, *mistake.path)
        raise


def read_value(value: Any, hint: Any, path: KeyPath) -> Any:
    """Return a plain value as the type that `hint` annotates.

    Raises:
        Mistake: it is of another type or breaks a limit.
    """
    return _read(value, _Field(hint), path, False)


def check_fields(record: Any) -> None:
    """Raise `UsageError` unless every field of a dataclass is within its `Range` or `Choice`."""
    for each in _fields(type(record)).values():
        value, limit = getattr(record, each.name), each.limit
        if limit is None or value is None or value in limit:
            continue
        if isinstance(limit, Choice):
            there_are = ", ".join(map(str, limit.values))
            raise UsageError(f"There is no {limit.what} “{value}”", f"there are: {there_are}", "choose one of these")
        raise UsageError(f"The field {each.name} cannot be {value}", f"it has to be {limit}", "choose such a number")


class _Field:
    """A field of a record, or an element of a tuple, by its annotation."""

    def __init__(self, hint: Any, name: str = "", default: Any = None, required: bool = False) -> None:
        self.name, self.default, self.required = name, default, required
        extras: tuple[Any, ...] = ()
        while get_origin(hint) in (Annotated, Union, UnionType):
            hint, *others = get_args(hint)
            extras += (*others,)
        self.type, self.optional = hint, type(None) in extras
        self.limit: Range | Choice | Rule | None = next(
            (extra for extra in extras if isinstance(extra, Range | Choice | Rule)), None
        )
        self.form = next((extra for extra in extras if isinstance(extra, Form)), Form())
        if get_origin(hint) is Literal:
            self.type, self.limit = type(get_args(hint)[0]), Choice(get_args(hint))
        elif isinstance(hint, type) and issubclass(hint, Enum):
            self.limit = Choice(tuple(entry.value for entry in hint))

    @property
    def expected(self) -> str:
        if self.form.expected or isinstance(self.limit, Range | Choice):
            return self.form.expected or str(self.limit)
        if is_dataclass(self.type):
            return f"a table with {', '.join(_fields(self.type))}"
        if get_origin(self.type) is tuple:
            hints = get_args(self.type)
            count = "" if hints[-1] is Ellipsis else f" of {len(hints)}"
            return f"a list{count} ({_Field(hints[0]).expected} each)"
        return _WORDS.get(self.type, "a table")

    @property
    def example(self) -> str:
        if isinstance(self.limit, Choice):
            return f'"{self.limit.values[0]}"'
        if isinstance(self.limit, Range):
            return f"{self.default if isinstance(self.default, int | float) else self.limit.high:g}"
        return self.form.example or ("{ … }, or a line with its name in [ ]" if is_dataclass(self.type) else "…")


def _fields(kind: Any) -> dict[str, _Field]:
    """Return the fields of a dataclass by their keys in a file."""
    hints = get_type_hints(kind, include_extras=True)
    found = {}
    for each in fields(kind):
        required = each.default is MISSING and each.default_factory is MISSING
        found[each.metadata.get("key", each.name)] = _Field(hints[each.name], each.name, each.default, required)
    found.pop(None, None)
    return found


def _read(value: Any, field: _Field, path: KeyPath, ignore_unknown: bool) -> Any:
    kind, inner = field.type, get_args(field.type)
    if value is None and field.optional:
        return None
    if field.form.read is not None:
        try:
            return field.form.read(value, path)
        except Mistake:
            raise
        except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError):
            raise wrong_value(path, value, field.expected, field.example) from None
    if is_dataclass(kind) and isinstance(value, Mapping):
        return read_record(cast(type, kind), value, path, ignore_unknown)
    if get_origin(kind) is tuple and is_dataclass(inner[0]):
        if not isinstance(value, list) or not all(isinstance(entry, Mapping) for entry in value):
            header = ".".join(part for part in path if isinstance(part, str))
            problem, expected = f"“{path[-1]}” is no list of tables", f"each {path[-1]} has a table of its own"
            raise Mistake(path, problem, expected, f"begin it with a line [[{header}]]")
        record = cast(type, inner[0])
        return tuple(read_record(record, entry, (*path, at), ignore_unknown) for at, entry in enumerate(value))
    try:
        result = _plain(value, kind, path)
        if field.limit is None or value in field.limit:
            return result
        mistake = wrong_value(path, value, str(field.limit), field.example)
    except (TypeError, ValueError, OverflowError):
        mistake = wrong_value(path, value, field.expected, field.example)
    if isinstance(field.limit, Choice):
        mistake.fix = suggestion(value, [str(choice) for choice in field.limit.values], mistake.fix)
    raise mistake


def _plain(value: Any, kind: Any, path: KeyPath) -> Any:
    """Return a value without records in it; raise TypeError or ValueError where it is of another type."""
    wanted = get_origin(kind) or kind
    if wanted is tuple and isinstance(value, list | tuple):
        hints = get_args(kind)
        hints = hints[:1] * len(value) if hints[-1] is Ellipsis else hints
        return tuple(read_value(item, hint, path) for item, hint in zip(value, hints, strict=True))
    if wanted is Any or issubclass(wanted, Enum):
        return value if wanted is Any else wanted(value)
    accepted = {float: int | float, Path: str}.get(wanted, wanted)
    if not isinstance(value, accepted) or (isinstance(value, bool) and wanted is not bool):
        raise TypeError
    if isinstance(value, str) and b"\0" in value.encode():  # which raises for what is no text
        raise ValueError
    result = wanted(value)
    if isinstance(result, float) and math.isnan(result):
        raise ValueError
    return result
