"""The sheet of derived labels: points on a plain background, their origin shown by colour, and no photograph."""

import numpy as np
import pytest

from engine.formats.images import read_picture
from engine.render.palette import PARTS, PLATE, TEXT, TRUTH
from tests.fakes.faces98 import shapes_98
from tools.figures.derived_labels import COLUMNS, FOOT, GAP, ROWS, TILE, main
from trainer.data.contour_warp import NAMESAKES
from trainer.data.derived98 import DERIVED, MANUAL, MOVED

COUNT = COLUMNS * ROWS


@pytest.fixture
def make_pack(tmp_path):
    """A derived pack without pictures: the sheet must not need any."""

    def make(count=COUNT + 3, **arrays):
        folder = tmp_path / "derived"
        folder.mkdir()
        points = shapes_98(count).astype(np.float32)
        points[0, 20:30] = np.nan
        np.savez(folder / "annotations.npz", image=np.full(count, "images/a.png"), landmarks=points, **arrays)
        return folder

    return make


def origins(count, manual):
    kinds = np.full((count, 98), DERIVED, np.uint8)
    kinds[:, NAMESAKES] = manual
    return kinds


def seen(picture, colour):
    """How many pixels have a BGR colour."""
    return int((np.abs(picture.astype(int) - colour[::-1]).max(-1) < 12).sum())


@pytest.mark.parametrize(("manual", "shown", "absent"), [(MANUAL, TEXT, PARTS["eye"]), (MOVED, PARTS["eye"], TEXT)])
def test_the_origin_of_a_label_is_shown_by_its_colour(tmp_path, make_pack, manual, shown, absent):
    pack = make_pack(origin=origins(COUNT + 3, manual))
    main([str(pack), "--out", str(tmp_path / "sheet.png")])
    picture = read_picture(tmp_path / "sheet.png")
    assert picture.shape == (ROWS * (TILE + GAP) + GAP + FOOT, COLUMNS * (TILE + GAP) + GAP, 3)
    faces = picture[:-FOOT]
    assert seen(faces, shown) > 68 * COUNT
    assert seen(faces, TRUTH) > 20 * COUNT
    assert seen(faces, absent) == 0
    assert (np.abs(faces.astype(int) - PLATE[::-1]).max(-1) < 3).mean() > 0.8
    for row in range(ROWS):
        for column in range(COLUMNS):
            y, x = GAP + row * (TILE + GAP), GAP + column * (TILE + GAP)
            assert seen(faces[y : y + TILE, x : x + TILE], TRUTH) > 20, "every tile has a face"


@pytest.mark.parametrize(
    ("count", "arrays", "words"),
    [
        (COUNT, {}, "does not say where its labels are from"),
        (3, {"origin": origins(3, MANUAL)}, f"only 3 faces.*shows {COUNT}"),
    ],
)
def test_packs_without_use_get_a_sentence(tmp_path, make_pack, count, arrays, words):
    with pytest.raises(SystemExit, match=words):
        main([str(make_pack(count, **arrays)), "--out", str(tmp_path / "sheet.png")])
    assert not (tmp_path / "sheet.png").exists()
