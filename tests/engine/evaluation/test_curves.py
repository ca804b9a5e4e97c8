"""The picture of the curves: drawn where matplotlib is, explained where it is not."""

import sys

import numpy as np
import pytest

from engine.core.errors import RecordingError
from engine.evaluation.curves import COLOURS, write_curves
from engine.formats.images import read_picture


def colours_of(path):
    picture = read_picture(path).reshape(-1, 3)
    return {f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in np.unique(picture, axis=0)}


def test_each_curve_is_drawn_in_its_colour(tmp_path):
    curves = [
        ("full", np.array([1, 2, np.inf])),
        ("none", np.array([np.nan])),
        ("pose", np.array([5.0])),
    ]
    assert write_curves(tmp_path / "ced.png", "fake on pack", "the eye distance", curves) is None
    drawn = colours_of(tmp_path / "ced.png")
    assert COLOURS[0] in drawn
    assert COLOURS[1] not in drawn
    assert COLOURS[2] in drawn


def test_without_any_error_the_picture_is_empty_but_there(tmp_path):
    assert write_curves(tmp_path / "ced.png", "fake", "x", [("full", np.array([np.nan]))]) is None
    assert not colours_of(tmp_path / "ced.png") & set(COLOURS[:3])


def test_without_matplotlib_a_sentence_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    remark = write_curves(tmp_path / "ced.png", "fake", "x", [("full", np.ones(2))])
    assert "pip install" in remark
    assert "[report]" in remark
    assert not (tmp_path / "ced.png").exists()


def test_an_unwritable_place_gets_a_sentence(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(RecordingError, match="cannot be written"):
        write_curves(tmp_path / "file" / "ced.png", "fake", "x", [("full", np.ones(2))])
