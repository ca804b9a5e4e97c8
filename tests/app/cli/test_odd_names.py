"""Names of files that are no UTF-8: what is written about them is read back, and nothing ends in a traceback."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from app.cli.main import main
from engine.core.paths import asset_path
from engine.formats.images import write_picture
from engine.formats.landmark_readers import read_predictions
from engine.sources.sample import SampleClip

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have no such names")
ODD = os.fsdecode(b"a\xff\xe9")
MODEL = ("--model", "student-68-lite")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The working folder: the folder `set` with two pictures of a face, one of which has an odd name."""
    picture = SampleClip().frame(0)[0]
    for name in (ODD, "plain"):
        write_picture(tmp_path / "set" / f"{name}.png", picture)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_tables_name_pictures_so_that_they_are_found_again(place, capsys):
    for out in ("out.csv", "out.jsonl"):
        assert main(["predict", "set", "--out", out, *MODEL]) == 0
        assert set(read_predictions(Path(out)).images) == {f"{ODD}.png", "plain.png"}
        assert "a\\udcff\\udce9.png" in Path(out).read_text(encoding="utf-8")
    Path("out.csv").rename("set/landmarks.csv")
    capsys.readouterr()
    # A mere name would be run as its twin in int8, whose points are a little different.
    file = str(asset_path("models", "student-68-lite.tflite"))
    assert main(["run", "set", "--headless", "--json", "r.json", "--model", file]) == 0
    assert "name no picture here" not in capsys.readouterr().err
    assert json.loads(Path("r.json").read_text(encoding="utf-8"))["nme"] < 0.01  # against its own landmarks


def test_evaluations_and_filters_have_odd_names_too(place, capsys):
    assert main(["predict", "set", "--out", "out.jsonl", *MODEL]) == 0
    predicted = read_predictions(Path("out.jsonl"))
    pack = place / ODD
    (place / "set").rename(pack)
    np.savez(pack / "annotations.npz", image=np.array(predicted.images), landmarks=predicted.landmarks)
    (pack / "meta.json").write_text("{}", encoding="utf-8")
    for out in (f"{ODD} first", "_second $x$"):
        assert main(["evaluate", "--data", ODD, "--out", out, *MODEL]) == 0
    capsys.readouterr()
    assert main(["compare", f"{ODD} first", "_second $x$", "--out", f"{ODD} both", "--json", "-"]) == 0
    assert len(list((place / f"{ODD} both").iterdir())) == 4
    assert main(["filter", "new", ODD]) == 1
    assert "A filter cannot be called" in capsys.readouterr().err
    assert main(["filter", "apply", "mask", f"{ODD}/plain.png", "--out", f"{ODD} drawn.png"]) == 0
    assert (place / f"{ODD} drawn.png").is_file()
