"""Text that others wrote, in whatever editor and on whatever system; JSON and TOML in it; names in it."""

from __future__ import annotations

import codecs
import io
import json
import math
import re
import tomllib
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import accumulate
from pathlib import Path
from typing import Any, TextIO

from engine.core.files import open_regular, read_regular
from engine.core.records import LONGEST_SHOWN

# Longest first: the mark of UTF-16 is the beginning of that of UTF-32.
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16",
}  # fmt: skip
LARGEST_JSON = 100_000_000  # bytes
LONGEST_MARK = 4  # bytes
MOST_LEVELS = 50  # of tables and lists in one another
_BETWEEN_KEYS = re.compile(r"[,=\[\]{}]")
NESTED = "It is nested too deeply (at end of document)"
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[+-]?nan(?:\([a-z]*\))?", re.IGNORECASE)  # as C writes it too
_LONG_NUMBER = re.compile(r"[0-9a-fA-F_]{1000}")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_ODD_BYTE = re.compile(r"\\udc([89a-f][0-9a-f])")
LONGEST_REASON = 200  # characters
# What Python shows of objects, in the messages of libraries, and what is left of it for people.
_REPRESENTED = (
    (re.compile(r"\s*'?<[^<>]* at 0x[0-9A-Fa-f]+>'?"), ""),
    (re.compile(r"\b(?:\w*Path\()(['\"])(.*?)\1\)"), r"“\2”"),
    (re.compile(r"\bb(['\"])(.*?)\1"), r"“\2”"),
)


def encoding_of(head: bytes) -> str:
    """Return the encoding of a text by its first bytes: UTF-8, or what a mark says.

    Raises:
        UnicodeDecodeError: there is no mark, but a zero byte, which UTF-16 and UTF-32 have and no text in UTF-8.
    """
    name = next((name for mark, name in _MARKS.items() if head.startswith(mark)), None)
    if name is None and b"\0" in head:
        raise UnicodeDecodeError("utf-8", head, head.index(b"\0"), head.index(b"\0") + 1, "a zero byte")
    return name or "utf-8"


def decoded(data: bytes, errors: str = "strict") -> str:
    """Return the text that `data` encodes, its lines ended by a line feed alone.

    Raises:
        UnicodeDecodeError: it is neither UTF-8 nor UTF-16 with a mark, and `errors` is `strict`.
    """
    try:
        encoding = encoding_of(data)
    except UnicodeDecodeError:
        if errors == "strict":
            raise
        encoding = "utf-8"
    return data.decode(encoding, errors).replace("\r\n", "\n").replace("\r", "\n")


def read_text(path: Path, cap: int) -> str:
    """Return the text in a regular file of at most `cap` bytes, see `decoded`.

    Raises:
        OSError: see `engine.core.files.read_regular`.
        UnicodeDecodeError: it is neither UTF-8 nor UTF-16 with a mark.
    """
    return decoded(read_regular(path, cap))


@contextmanager
def open_text(path: Path, cap: int) -> Iterator[TextIO]:
    """Open a text in a regular file of at most `cap` bytes, to be read line by line.

    Raises:
        OSError: see `engine.core.files.open_regular`.
        UnicodeDecodeError: see `encoding_of`.
    """
    with open_regular(path, cap) as stream:
        encoding = encoding_of(stream.read(LONGEST_MARK))
        stream.seek(0)
        yield io.TextIOWrapper(stream, encoding)


def parse_number(text: str) -> float:
    """Return the finite decimal number that a text is; NaN for “nan”.

    Raises:
        ValueError: it is none. Python's `float` would also take 1_0, infinity and the digits of other scripts.
    """
    stripped = text.strip()
    if _NO_NUMBER.fullmatch(stripped):
        return math.nan
    if not _DECIMAL.fullmatch(stripped) or math.isinf(number := float(stripped)):
        raise ValueError(f"“{stripped[:LONGEST_SHOWN]}” is no number")
    return number


def plain_number(value: Any) -> float:
    """Return a value of JSON that is a finite number.

    Raises:
        ValueError: it is none. Python's `float` would also take texts and truth values.
    """
    with suppress(OverflowError):  # of a whole number of hundreds of digits
        if not isinstance(value, bool) and isinstance(value, int | float) and math.isfinite(value):
            return float(value)
    raise ValueError(f"“{str(value)[:LONGEST_SHOWN]}” is no number")


def parse_json(text: str) -> Any:
    """Return the plain value that a text in JSON holds.

    Raises:
        ValueError: it is no JSON, nested too deeply, or has a number of thousands of digits.
    """
    try:
        value = json.loads(text)
    except (RecursionError, MemoryError):
        raise ValueError("it is nested too deeply") from None
    except json.JSONDecodeError:
        raise
    except ValueError:
        raise ValueError("a number has thousands of digits") from None
    if _is_deep(value):
        raise ValueError("it is nested too deeply")
    return value


def read_json(path: Path, cap: int = LARGEST_JSON) -> Any:
    """Return the plain value in a JSON file of at most `cap` bytes; raises as `read_text` and `parse_json` do."""
    return parse_json(read_text(path, cap))


def parse_toml(text: str) -> dict[str, Any]:
    """Return the plain values that a text in TOML holds.

    Raises:
        TOMLDecodeError: it is no TOML, nested too deeply, or has a number of thousands of digits.
    """
    for number, line in enumerate(text.split("\n"), 1):
        if problem := _toml_problem(line):
            raise tomllib.TOMLDecodeError(f"{problem} (at line {number}, column 1)")
    try:
        values = tomllib.loads(text)
    except RecursionError:
        values = None
    if values is None or _is_deep(values):
        raise tomllib.TOMLDecodeError(NESTED)
    return values


def reason(error: BaseException) -> str:
    """Return in a few words, for the brackets of a sentence, why a file could not be read."""
    if isinstance(error, UnicodeError):
        return "it is not written in UTF-8; save it as UTF-8"
    if isinstance(error, MemoryError):
        return "it does not fit into the memory"
    if isinstance(error, KeyError):
        return f"{error} is missing"
    text = " ".join(str((isinstance(error, OSError) and error.strerror) or error).split())
    for pattern, shown in _REPRESENTED:
        text = pattern.sub(shown, text)
    text = text or type(error).__name__
    return text if len(text) <= LONGEST_REASON else f"{text[: LONGEST_REASON - 1]}…"


def same_name(name: str) -> str:
    """Return a form of a file's name that all its spellings share: letters composed or not, large or small."""
    return unicodedata.normalize("NFC", name).casefold()


def safe_cell(text: str) -> str:
    """Return a name as a cell of a CSV, which no spreadsheet takes for a formula; `cell_name` returns the name."""
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA) else text


def cell_name(cell: str) -> str:
    """Return the name in a cell that `safe_cell` may have written, with the bytes that are no UTF-8 as Python has them.

    Where text is written with `backslashreplace`, such a byte becomes a backslash, `udc` and two digits.
    """
    name = cell[1:] if cell[:1] == "'" and cell.lstrip("'").startswith(_FORMULA) else cell
    return _ODD_BYTE.sub(lambda found: chr(0xDC00 + int(found[1], 16)), name)


def _is_deep(value: Any, room: int = MOST_LEVELS) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return not room or any(_is_deep(each, room - 1) for each in inner if isinstance(each, dict | list))


def _toml_problem(line: str) -> str:
    """Return why `tomllib` must not see a line; "" if it may."""
    # `tomllib` takes minutes for a key of very many parts.
    keys = [] if line.count(".") <= MOST_LEVELS or line.lstrip().startswith("#") else _BETWEEN_KEYS.split(line)
    if any(key.count(".") > MOST_LEVELS for key in keys):
        return "A key has too many parts"
    if _LONG_NUMBER.search(line):
        return "A number has thousands of digits"
    steps = accumulate((letter in "[{") - (letter in "]}") for letter in line)
    return "It is nested too deeply" if len(line) > MOST_LEVELS and max(steps) > MOST_LEVELS else ""
