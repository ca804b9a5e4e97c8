"""The panel: shows what is known, does not move, stays small, is legible on any picture."""

from __future__ import annotations

import numpy as np
import pytest

from engine.core.stats import Spread, Stats
from engine.render.palette import MUTED, TEXT
from engine.render.panel import LARGEST, REFRESH, Panel, number, rows_of
from engine.render.text import TextPainter

LATENCY = {
    "capture": Spread(30.0, 33.0),
    "detect": Spread(3.2, 4.1),
    "landmark": Spread(1.11, 1.37),
    "smooth": Spread(0.04, 0.06),
    "draw": Spread(0.71, 0.93),
    "total": Spread(2.0, 5.0),
}


def stats(fps=29.97, latency=None, nme=2.312, dropped=3):
    return Stats(fps, LATENCY if latency is None else latency, nme, 1.0, dropped, 400)


@pytest.fixture(scope="module")
def painter():
    return TextPainter()


def drawn(painter, width, height, shown=None, truth=True, grey=128):
    picture = np.full((height, width, 4), grey, np.uint8)
    picture[..., 3] = 255
    Panel(painter).draw(picture, shown or stats(), 0.0, truth)
    return picture


def covered(picture, grey=128):
    """Return the first and last row and column that the panel takes, or None."""
    rows, columns = np.nonzero((picture[..., :3] != grey).any(2))
    return (rows.min(), rows.max(), columns.min(), columns.max()) if len(rows) else None


def test_every_number_has_its_label_and_unit():
    said = [(row.label, row.numbers, row.unit) for row in rows_of(stats(), truth=True)]
    assert said == [
        ("FPS", ("30.0",), "frames/s"),
        ("NME", ("2.31",), "% of eye distance"),
        ("latency", ("p50", "p95"), ""),
        ("detect", ("3.20", "4.10"), "ms"),
        ("landmark", ("1.11", "1.37"), "ms"),
        ("smooth", ("0.04", "0.06"), "ms"),
        ("draw", ("0.71", "0.93"), "ms"),
        ("dropped", ("3",), "frames"),
        ("ground truth", (), ""),
    ]


def test_what_is_unknown_is_not_said():
    assert rows_of(stats(fps=None, latency={}, nme=None, dropped=0), truth=False) == []
    assert rows_of(stats(fps=None, latency={}, nme=float("nan"), dropped=0), truth=False) == []
    labels = [row.label for row in rows_of(stats(latency={"landmark": Spread(1, 2)}, dropped=0), truth=False)]
    assert labels == ["FPS", "NME", "latency", "landmark"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.00"), (9.994, "9.99"), (9.996, "10.0"), (29.97, "30.0"), (99.96, "100"), (1234.5, "1234")],
)
def test_numbers_keep_three_digits(value, text):
    assert number(value) == text


@pytest.mark.parametrize(("width", "height"), [(640, 480), (1280, 720), (1920, 1080), (480, 640), (3840, 2160)])
def test_on_usual_pictures_all_rows_have_room(painter, width, height):
    everything = covered(drawn(painter, width, height))
    fewer = covered(drawn(painter, width, height, truth=False))
    assert everything[1] > fewer[1]
    rows, columns = everything[1] - everything[0] + 1, everything[3] - everything[2] + 1
    assert rows * columns <= LARGEST * width * height


def test_a_small_picture_gets_the_first_rows_only(painter):
    first, last, left, right = covered(drawn(painter, 320, 240))
    assert (last - first + 1) * (right - left + 1) <= LARGEST * 320 * 240
    two_rows = drawn(painter, 320, 240, stats(latency={}, dropped=0), truth=False)
    assert np.array_equal(drawn(painter, 320, 240), two_rows)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (64, 48), (160, 120), (2000, 30), (30, 2000), (4000, 39)])
def test_where_there_is_no_room_there_is_no_panel(painter, width, height):
    assert covered(drawn(painter, width, height)) is None


def test_nothing_to_say_leaves_the_picture_alone(painter):
    assert covered(drawn(painter, 640, 480, stats(None, {}, None, 0), truth=False)) is None


def test_numbers_stand_still_for_a_moment(painter):
    panel = Panel(painter)

    def at(now, fps):
        picture = np.full((480, 640, 4), 128, np.uint8)
        panel.draw(picture, stats(fps=fps), now, False)
        return picture

    first = at(10.0, 30.0)
    assert np.array_equal(at(10.0 + 0.9 * REFRESH, 20.0), first)
    later = at(10.0 + REFRESH, 20.0)
    assert not np.array_equal(later, first)
    assert not np.array_equal(at(5.0, 30.0), later), "a source that starts again counts at once"


def test_new_rows_and_new_sizes_count_at_once(painter):
    panel = Panel(painter)
    pictures = []
    for shown, size in ((stats(nme=None), 480), (stats(), 480), (stats(), 720)):
        picture = np.full((size, size, 4), 128, np.uint8)
        panel.draw(picture, shown, 1.0, False)
        pictures.append(covered(picture))
    assert len(set(pictures)) == 3


def test_the_picture_stays_opaque(painter):
    assert (drawn(painter, 640, 480)[..., 3] == 255).all()


def luminance(colour):
    """Relative luminance of a BGR colour, by WCAG 2."""
    parts = np.array(colour[:3], float) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.0722, 0.7152, 0.2126))


@pytest.mark.parametrize("colour", [TEXT, MUTED])
def test_text_can_be_read_on_a_white_picture(painter, colour):
    picture = drawn(painter, 640, 480, grey=255)
    first, last, _, right = covered(picture, 255)
    plate = picture[(first + last) // 2, right - 3]
    assert (luminance(colour) + 0.05) / (luminance(plate) + 0.05) >= 4.5
