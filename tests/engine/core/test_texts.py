"""Text from outside: marks, encodings, line ends; JSON and TOML that would break their parsers; names."""

from __future__ import annotations

import tomllib

import pytest

from engine.core.texts import cell_name, decoded, parse_json, parse_toml, read_text, reason, safe_cell, same_name

TEXT = "größe = 1\nzwei\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_editors_text_reads_the_same(tmp_path, encoding, ending):
    file = tmp_path / "text"
    file.write_bytes(TEXT.replace("\n", ending).encode(encoding))
    assert read_text(file, 1000) == TEXT


def test_utf_16_with_either_mark_is_read():
    assert decoded(b"\xff\xfe" + TEXT.encode("utf-16-le")) == TEXT
    assert decoded(b"\xfe\xff" + TEXT.encode("utf-16-be")) == TEXT


def test_another_encoding_is_an_error_with_a_plain_reason():
    with pytest.raises(UnicodeDecodeError) as failure:
        decoded("größe".encode("latin-1"))
    assert reason(failure.value) == "it is not written in UTF-8"
    assert decoded(b"gr\xf6n", "replace") == "gr\ufffdn"


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
