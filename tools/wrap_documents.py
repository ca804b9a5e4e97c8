"""Lay out the documents: paragraphs and list items in lines of 120 characters. `python -m tools.wrap_documents`."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WIDTH = 120
# Kept as they are: headings, tables, pictures that stand alone, quotations, and the line under a heading of a decision.
AS_IT_IS = re.compile(r"#|\||!\[|>|<|Date: |---$")
ITEM = re.compile(r"( *(?:[-*+]|\d+\.) +)(.*)")
# Code is not broken, nor is what a line may not begin with torn from the word before.
WORD = re.compile(r"(?:[^\s`]|`[^`]*`)+")
BEGINS_SOMETHING = re.compile(r"([-*+]|\d+[.)])$|[#>|]")


def documents() -> list[Path]:
    """All documents that are laid out."""
    places = ("*.md", "assets/**/*.md", "docs/**/*.md", "packaging/*.md")
    return sorted(file for place in places for file in ROOT.glob(place))


def wrapped(text: str) -> str:
    """Return a document with its paragraphs and list items wrapped; everything else stays."""
    done: list[str] = []
    waiting: list[str] = []  # the words of a paragraph, whose lines begin with:
    first = rest = ""
    in_code = False

    def finish() -> None:
        done.extend(lines(waiting, first, rest))
        waiting.clear()

    for line in text.split("\n"):
        fence = line.lstrip().startswith("```")
        if fence or in_code or not line.strip() or AS_IT_IS.match(line):
            finish()
            done.append(line.rstrip() if not in_code else line)
            in_code ^= fence
            first = rest = ""
        elif item := ITEM.match(line):
            finish()
            first, rest = item[1], " " * len(item[1])
            waiting += WORD.findall(item[2])
        else:
            if not waiting:
                first = rest = line[: len(line) - len(line.lstrip())]
            waiting += WORD.findall(line)
    finish()
    return "\n".join(done)


def lines(words: list[str], first: str, rest: str) -> list[str]:
    """Return words as lines, of which the first begins with `first` and the others with `rest`."""
    made: list[str] = []
    current = first
    for word in words:
        begin = first if not made else rest
        if current == begin:
            current += word
        elif len(f"{current} {word}") <= WIDTH or BEGINS_SOMETHING.match(word):
            current += f" {word}"
        else:
            made.append(current)
            current = rest + word
    return [*made, current] if words else []


if __name__ == "__main__":
    for document in documents():
        document.write_text(wrapped(document.read_text(encoding="utf-8")), encoding="utf-8")
