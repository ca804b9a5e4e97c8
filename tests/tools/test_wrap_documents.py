"""Documents have lines of at most 120 characters, and are laid out by one script."""

from __future__ import annotations

import pytest

from tools.wrap_documents import ROOT, WIDTH, documents, wrapped


@pytest.mark.parametrize("document", documents(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_documents_are_laid_out(document):
    text = document.read_text(encoding="utf-8")
    assert text == wrapped(text), "make format lays it out"


def test_paragraphs_are_filled_and_broken_at_the_width():
    text = wrapped("one\ntwo\n\n" + "word " * 60 + "\n")
    assert text.splitlines()[:3] == ["one two", "", ("word " * 24).strip()]
    assert max(map(len, text.splitlines())) <= WIDTH
    assert text.endswith("word\n")


def test_items_hang_and_numbers_too():
    text = wrapped("- " + "word " * 40 + "\n- b\n10. " + "word " * 40)
    lines = text.splitlines()
    assert [line[:5] for line in lines] == ["- wor", "  wor", "- b", "10. w", "    w"]


@pytest.mark.parametrize(
    "kept",
    [
        "# A heading  of   words",
        "| a |   b |",
        "```\ncode   as\nit is\n```",
        "   ```\n   indented   code\n   ```",
        "![x](y.png)",
    ],
)
def test_what_is_no_running_text_stays(kept):
    assert wrapped(f"a\nb\n\n{kept}\n\nc\nd\n") == f"a b\n\n{kept}\n\nc d\n"


def test_code_is_not_broken_and_no_line_begins_a_list():
    code = "`" + "word " * 10 + "`"
    text = wrapped("x" * 100 + f" {code} and " + "y" * 60 + " - z " + "x" * 118 + " # 1. last")
    assert code in text
    assert all(not line.startswith(("- ", "# ", "1. ")) for line in text.splitlines())


def test_twice_is_once():
    text = "a\n- b\n  c\n\n  d e\n1. f\n```\n g\n```\n"
    assert wrapped(wrapped(text)) == wrapped(text)
