"""The contact sheet: every face has its place, whatever its points and picture are."""

import numpy as np
import pytest

from engine.formats.images import write_picture
from tests.fakes.models import face_points
from trainer.data.contact_sheet import COLUMNS, GAP, LINE, ROWS, TILE, Tile, contact_sheet


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "öß.png"
    write_picture(path, np.full((120, 160, 3), (200, 60, 20), np.uint8))
    return path


def place(sheet, index=0):
    """The part of a sheet that shows a face."""
    y, x = GAP + index // COLUMNS * (TILE + 2 * LINE + GAP), GAP + index % COLUMNS * (TILE + GAP)
    return sheet[y : y + TILE, x : x + TILE].astype(int)


def test_faces_are_shown_in_rgb_with_their_landmarks(picture):
    points = face_points(80, 60, 60)
    sheet = contact_sheet([Tile(picture, points, "train")])
    shown = place(sheet)
    assert shown[4, 4].tolist() == [200, 60, 20]
    side = 1.5 * (points.max(0) - points.min(0)).max()
    x, y = np.rint((points[36] - (points.max(0) + points.min(0)) / 2) / side * TILE + TILE / 2 - 0.5).astype(int)
    assert shown[y, x].min() > 150  # a light dot on the eye corner


def test_notes_that_complain_are_orange(picture):
    points = face_points(80, 60, 60)
    calm, loud = (contact_sheet([Tile(picture, points, "note", suspicious)]) for suspicious in (False, True))
    below = slice(GAP + TILE + LINE, GAP + TILE + 2 * LINE)
    assert np.ptp(calm[below].astype(int), axis=2).max() < 30
    assert np.ptp(loud[below].astype(int), axis=2).max() > 150


@pytest.mark.parametrize("count", [5, 7, 29, 98])
def test_any_number_of_points_is_drawn(picture, count):
    points = np.random.default_rng(0).uniform(40, 80, (count, 2)).astype(np.float32)
    plain = place(contact_sheet([Tile(picture, points * np.nan, "")]))
    assert np.abs(place(contact_sheet([Tile(picture, points, "")])) - plain).max() > 50


@pytest.mark.parametrize("value", [np.nan, np.inf, 50.0, 1e30])
def test_points_that_say_nothing_do_not_hinder(picture, value):
    points = np.full((68, 2), value, np.float32)
    assert contact_sheet([Tile(picture, points, "absurd")]).shape[2] == 3


def test_a_picture_that_cannot_be_read_leaves_its_place_dark(tmp_path, picture):
    points = face_points(80, 60, 60)
    sheet = contact_sheet([Tile(tmp_path / "gone.png", points, "missing", True), Tile(picture, points, "train")])
    assert place(sheet, 0).max() < 40
    assert place(sheet, 1).max() > 150


def test_long_names_and_too_many_faces_keep_their_places(tmp_path, picture):
    long = picture.rename(tmp_path / f"{'W' * 120}.png")
    tiles = [Tile(long, face_points(80, 60, 60), "W" * 200)] * (COLUMNS * ROWS + 9)
    sheet = contact_sheet(tiles)
    full = contact_sheet(tiles[: COLUMNS * ROWS])
    assert (sheet == full).all()
    gap = sheet[GAP + TILE :, GAP + TILE : GAP + TILE + GAP]
    assert (gap[: 2 * LINE] == gap[0, 0]).all()
