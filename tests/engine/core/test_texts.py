"""Text from outside: marks, encodings, line ends; JSON and TOML that would break their parsers; names."""

from __future__ import annotations

import math
import re
import tomllib

import pytest

from engine.core.texts import (
    cell_name,
    decoded,
    open_text,
    parse_json,
    parse_number,
    parse_toml,
    read_text,
    reason,
    safe_cell,
    same_name,
)
from tests.test_repository import ROOT

TEXT = "größe = 1\nzwei\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_editors_text_reads_the_same(tmp_path, encoding, ending):
    file = tmp_path / "text"
    file.write_bytes(TEXT.replace("\n", ending).encode(encoding))
    assert read_text(file, 1000) == TEXT
    with open_text(file, 1000) as text:
        assert list(text) == TEXT.splitlines(keepends=True)


def test_utf_16_with_either_mark_is_read():
    assert decoded(b"\xff\xfe" + TEXT.encode("utf-16-le")) == TEXT
    assert decoded(b"\xfe\xff" + TEXT.encode("utf-16-be")) == TEXT


def test_another_encoding_is_an_error_with_a_plain_reason():
    with pytest.raises(UnicodeDecodeError) as failure:
        decoded("größe".encode("latin-1"))
    assert reason(failure.value) == "it is not written in UTF-8; save it as UTF-8"
    assert decoded(b"gr\xf6n", "replace") == "gr\ufffdn"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_utf_16_and_utf_32_without_a_mark_are_an_error_with_advice(tmp_path, encoding):
    (tmp_path / "text").write_bytes(TEXT.encode(encoding))
    with pytest.raises(UnicodeDecodeError) as failure:
        read_text(tmp_path / "text", 1000)
    assert reason(failure.value).endswith("save it as UTF-8")
    assert decoded(TEXT.encode(encoding), "replace")  # nothing is raised


@pytest.mark.parametrize(
    ("text", "number"),
    [("1", 1), (" -1.5 ", -1.5), ("+.5", 0.5), ("5.", 5), ("1e3", 1000), ("2.5E-1", 0.25), ("007", 7)],
)
def test_decimal_numbers_are_read(text, number):
    assert parse_number(text) == number


@pytest.mark.parametrize("text", ["nan", "NaN", "-nan", "-nan(ind)"])
def test_nan_is_no_number_but_known_as_such(text):
    assert math.isnan(parse_number(text))


ODD_NUMBERS = ["", "1_0", "inf", "-Infinity", "1e999", "٣٢", "٣", "0x10", "1,5", "1 2", "--1", "true", "1e", "."]


@pytest.mark.parametrize("text", ODD_NUMBERS)
def test_what_only_python_or_nobody_takes_for_a_number_is_refused(text):
    with pytest.raises(ValueError, match=f"“{re.escape(text)}” is no number"):
        parse_number(text)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError("cannot identify image file <_io.BytesIO object at 0x7f9a5c>"), "cannot identify image file"),
        (ValueError("<function f at 0x7f9a5c>"), "ValueError"),
        (ValueError("no PosixPath('/a/b c') here"), "no “/a/b c” here"),
        (ValueError("invalid key b'abc', b\"d\""), "invalid key “abc”, “d”"),
        (ValueError("one\n two"), "one two"),
        (PermissionError(13, "Permission denied", "/a"), "Permission denied"),
        (KeyError("image"), "'image' is missing"),
    ],
)
def test_a_reason_shows_no_object_of_python(error, said):
    assert reason(error) == said


def test_sentences_show_other_errors_by_their_reason():
    """In brackets no product sentence has an error as it is, whose text may show objects of Python."""
    raw = re.compile(r'f".*\(\{(?:error|failure|problem|exception)\}\)')
    files = [file for part in ("app", "engine", "trainer") for file in (ROOT / part).rglob("*.py")]
    assert len(files) > 100
    assert [str(file) for file in files if raw.search(file.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("9" * 5000, "a number has thousands of digits"),
        ("[" * 100_000, "it is nested too deeply"),
        ("[" * 60 + "]" * 60, "it is nested too deeply"),
        ('{"a":' * 60 + "1" + "}" * 60, "it is nested too deeply"),
        ("{", "Expecting property name"),
    ],
)
def test_json_that_breaks_parsers_is_a_value_error(text, why):
    with pytest.raises(ValueError, match=why):
        parse_json(text)


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "9" * 5000,
        "a = " + "[" * 1000,
        "a = " + "[\n" * 3000,
        "a = " + "[" * 60 + "]" * 60,
        "a = " + "{ a = " * 60 + "1" + " }" * 60,
        "a." * 40_000 + "b = 1",
        f"[{'a.' * 40_000}b]",
        "a.b." * 30 + "c = 1",
    ],
)
def test_toml_that_breaks_its_parser_is_an_error_of_toml(text):
    with pytest.raises(tomllib.TOMLDecodeError):
        parse_toml(f"first = 1\n{text}\n")


def test_the_line_of_what_breaks_the_parser_is_named():
    with pytest.raises(tomllib.TOMLDecodeError, match=r"\(at line 2, column 1\)"):
        parse_toml("a = 1\nb = " + "1" * 5000)


def test_usual_values_are_read():
    assert parse_json('{"a": [[1.5, null], {"b": "c"}]}') == {"a": [[1.5, None], {"b": "c"}]}
    points = ", ".join("[1.5, 2.5]" for _ in range(98))
    assert parse_toml(f"[a.b]\npoints = [{points}]\n") == {"a": {"b": {"points": [[1.5, 2.5]] * 98}}}


def test_reasons_are_short_and_in_words():
    assert reason(OSError(2, "No such file", "x")) == "No such file"
    assert reason(KeyError("a")) == "'a' is missing"
    assert reason(MemoryError()) == "it does not fit into the memory"
    assert reason(EOFError()) == "EOFError"
    assert len(reason(ValueError("9" * 5000))) == 200


def test_spellings_of_a_name_are_the_same():
    assert same_name("Zoë.PNG") == same_name("zoe\u0308.png")
    assert same_name("a.png") != same_name("b.png")


@pytest.mark.parametrize("name", ["=1+1.png", "+a", "-1.png", "@b", "\tc", "'=d", "''e", "it's", "plain.png", ""])
def test_no_name_becomes_a_formula_and_every_name_comes_back(name):
    cell = safe_cell(name)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert cell_name(cell) == name
    assert safe_cell("plain.png") == "plain.png"
