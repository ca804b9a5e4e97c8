"""docs/filters.md lists every key, and its examples work."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

from engine.filters import reading
from engine.filters.hook import SIGNATURE
from engine.filters.library import TEMPLATE, TITLE_LINE
from engine.filters.points import NAMED_POINTS
from engine.filters.reading import parse_spec
from engine.filters.spec import (
    SIGNAL_NAMES,
    Anchor,
    BlendMode,
    Drive,
    DrivenProperty,
    FilterSpec,
    LayerSpec,
    Measure,
    MeshRule,
    Visible,
)

DOCUMENT = (Path(__file__).resolve().parents[3] / "docs" / "filters.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", DOCUMENT, re.DOTALL)
RECORDS = (FilterSpec, LayerSpec, Anchor, Measure, MeshRule, Visible, Drive)
KEYS = {each.metadata.get("key", each.name) for record in RECORDS for each in fields(record)} - {None}
CHOICES = (*SIGNAL_NAMES, *get_args(BlendMode), *get_args(DrivenProperty))


@pytest.mark.parametrize("word", sorted({*KEYS, *NAMED_POINTS, *CHOICES} - {"layer", "drive"}))
def test_the_document_lists_every_key(word):
    assert re.search(rf"`[^`]*\b{word}\b[^`]*`", DOCUMENT)


@pytest.mark.parametrize("text", EXAMPLES)
def test_examples_are_filters(text):
    assert tomllib.loads(text)
    assert parse_spec(Path("docs/filter.toml"), text).layers


def test_the_hook_example_has_the_signature_that_is_called():
    assert SIGNATURE in DOCUMENT


def test_the_mistake_of_the_tutorial_is_reported_as_it_is_written():
    text = (TEMPLATE / "filter.toml").read_text(encoding="utf-8")
    assert TITLE_LINE in text
    with pytest.raises(reading.FilterError) as caught:
        parse_spec(Path("hat/filter.toml"), text.replace("width = {", "widht = {"))
    assert str(caught.value) in " ".join(DOCUMENT.split())
