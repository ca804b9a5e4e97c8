"""The kept pictures of the window still show what it looks like; see `tests.golden.window_pictures`."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from PySide6.QtGui import QFontInfo

from engine.core.paths import asset_path
from tests.golden.still_window import MODELS, StillWindow, settle
from tests.golden.window_pictures import NAMES, THEMES, path_of, take

# What is looked at: mean colours of small squares, and how much detail (letters, lines, points) larger ones hold.
CELL, BLOCK = 20, 80  # pixels
CHANGED = 24  # grey levels by which the mean of a square may differ
MOST_CHANGED, MOST_MEAN = 0.025, 4.5  # share of the squares that may differ by more; grey levels on average
FADED, GROUND = 0.35, 1.0  # a block with so much less detail than before has lost it; grey levels that are none
MOST_FADED = 9  # blocks
LETTERS = "DejaVu Sans"  # of the kept pictures; others part lines elsewhere, so that twice as much may differ

pytestmark = pytest.mark.skipif(
    not all(asset_path("models", f"{model}.tflite").is_file() for model in MODELS),
    reason="the models were not trained yet",
)


@pytest.fixture(scope="module")
def still(qapp, tmp_path_factory):
    """Return the window standing still."""
    with pytest.MonkeyPatch.context() as patch:
        shown = StillWindow(qapp, tmp_path_factory.mktemp("home"), patch.setattr)
        yield shown
        shown.close()


def cells(picture):
    """Return the mean colours of squares, `[H / CELL, W / CELL, 3]`."""
    height, width = picture.shape[:2]
    squares = picture.reshape(height // CELL, CELL, width // CELL, CELL, 3)
    return squares.astype(np.float32).mean((1, 3))


def kept(name, theme):
    return np.asarray(Image.open(path_of(name, theme)).convert("RGB"))


def detail(picture):
    """Return the mean steps of brightness in blocks, `[H / BLOCK, W / BLOCK]`."""
    grey = picture.astype(np.float32).mean(-1)
    steps = np.zeros_like(grey)
    steps[:, 1:] += np.abs(np.diff(grey, axis=1))
    steps[1:] += np.abs(np.diff(grey, axis=0))
    height, width = grey.shape
    return steps.reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK).mean((1, 3))


def alike(picture, other, slack=1):
    """Return whether two pictures are the same but for details."""
    if picture.shape != other.shape:
        return False
    difference = np.abs(cells(picture) - cells(other)).max(-1)
    one, two = detail(picture) + GROUND, detail(other) + GROUND
    faded = (np.minimum(one, two) / np.maximum(one, two) < FADED).sum()
    return bool(
        (difference > CHANGED).mean() <= slack * MOST_CHANGED
        and difference.mean() <= slack * MOST_MEAN
        and faded <= slack * MOST_FADED
    )


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.value)
def test_window_looks_as_in_its_pictures(still, theme):
    still.theme.choose(theme)
    settle()
    slack = 1 if QFontInfo(still.window.font()).family() == LETTERS else 2
    wrong = [name for name in NAMES if not alike(take(still, name), kept(name, theme), slack)]
    assert wrong == [], "look at it; then python -m tests.golden.window_pictures"


@pytest.mark.parametrize(
    ("name", "area"),
    [
        ("live", np.s_[34:770, 1010:]),  # the side panel
        ("split", np.s_[40:230, 695:915]),  # the numbers, as far as they are on the picture
        ("side-by-side", np.s_[450:620, 10:780]),  # those below
        ("side-by-side", np.s_[660:770, :1005]),  # the strip charts
        ("difference", np.s_[560:645, 98:388]),  # the legend
        ("models", np.s_[90:640, 20:260]),  # the list
        ("models", np.s_[160:700, 300:1080]),  # the card
        ("train", np.s_[130:590, 360:800]),  # a chart
        ("keys", np.s_[225:575, 285:995]),  # the sheet
        ("presenter", np.s_[600:770, 40:1240]),  # the big numbers
    ],
)
@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.value)
def test_a_part_that_is_missing_would_be_noticed(name, area, theme):
    picture = kept(name, theme)
    without = picture.copy()
    before = without[area]
    without[area] = before[0, 0]  # as if the ground went on
    assert not alike(without, picture)


def test_small_things_would_not_be_noticed():
    picture = kept("models", THEMES[0])
    assert alike(np.roll(picture, 1, axis=1), picture)


def test_themes_differ():
    assert not alike(kept("live", THEMES[0]), kept("live", THEMES[1]))
