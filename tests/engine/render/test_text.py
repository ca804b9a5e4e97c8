"""Text: digits of equal width, anchors, clipping, bounded memory."""

from __future__ import annotations

import numpy as np
import pytest

from engine.render.text import EM_PER_CAPITAL, REMEMBERED, TextPainter, readable_size

SIZE = 8 * EM_PER_CAPITAL  # capitals of eight pixels
WHITE = (255, 255, 255)


@pytest.fixture(scope="module")
def painter():
    return TextPainter()


def written(painter, text, position=(20, 20), anchor="left", colour=WHITE, size=SIZE):
    canvas = np.zeros((40, 120, 4), np.uint8)
    canvas[..., 3] = 255
    painter.draw(canvas, text, position, size, colour, anchor)
    return canvas


def inked(canvas):
    """Return first and last row and column that hold ink."""
    rows, columns = np.nonzero(canvas[..., :3].max(2) > 60)
    return rows.min(), rows.max(), columns.min(), columns.max()


def test_all_digits_have_the_same_width(painter):
    assert len({painter.width(digit, SIZE) for digit in "0123456789"}) == 1
    assert painter.width("111.11", SIZE) == painter.width("888.88", SIZE)


def test_a_number_that_changes_does_not_move_its_neighbours(painter):
    one, eight = (written(painter, f"{digit} ms") for digit in "18")
    start = 20 + int(painter.width("0 ", SIZE))
    assert np.array_equal(one[:, start:], eight[:, start:])
    assert not np.array_equal(one[:, :start], eight[:, :start])


def test_letters_differ_in_width(painter):
    assert painter.width("iii", SIZE) < painter.width("mmm", SIZE) / 2


def test_width_grows_with_size(painter):
    assert painter.width("frames/s", 2 * SIZE) == pytest.approx(2 * painter.width("frames/s", SIZE), rel=0.03)


def test_capitals_stand_on_the_baseline_and_fill_their_height(painter):
    first, last, *_ = inked(written(painter, "H", (20, 30)))
    assert (first, last) == (22, 29)


def test_anchors_place_the_ends_and_the_middle(painter):
    width = painter.width("HHHH", SIZE)
    ends = {anchor: inked(written(painter, "HHHH", (60, 20), anchor))[2:] for anchor in ("left", "centre", "right")}
    assert ends["left"][0] == pytest.approx(60, abs=2)
    assert ends["right"][1] == pytest.approx(60, abs=2)
    assert sum(ends["centre"]) / 2 == pytest.approx(60, abs=2)
    assert ends["left"][1] - ends["left"][0] == pytest.approx(width, abs=3)


def test_colour_is_bgr_and_the_picture_stays_opaque(painter):
    canvas = written(painter, "H", colour=(10, 120, 250))
    assert tuple(canvas.reshape(-1, 4).max(0)[:3]) == (10, 120, 250)
    assert (canvas[..., 3] == 255).all()


def test_on_a_clear_layer_the_cover_becomes_alpha(painter):
    layer = np.zeros((40, 120, 4), np.uint8)
    painter.draw(layer, "8", (20, 20), SIZE, WHITE)
    assert layer[..., 3].max() > 200
    assert np.array_equal(layer[..., 0], layer[..., 3])


@pytest.mark.parametrize("position", [(-20, 20), (110, 20), (20, 2), (20, 44), (-500, 20), (20, 500), (1000, -1000)])
def test_what_falls_outside_is_left_out(painter, position):
    roomy = np.zeros((2200, 2400, 4), np.uint8)
    painter.draw(roomy, "Face 1", (position[0] + 1100, position[1] + 1100), SIZE, WHITE)
    canvas = np.zeros((40, 120, 4), np.uint8)
    painter.draw(canvas, "Face 1", position, SIZE, WHITE)
    assert np.array_equal(canvas, roomy[1100:1140, 1100:1220])


def test_nothing_is_drawn_for_no_text(painter):
    assert not written(painter, "")[..., :3].any()
    assert painter.width("", SIZE) == 0


def test_letters_without_a_glyph_do_no_harm(painter):
    assert written(painter, "顔 1")[..., :3].any()


def test_memory_is_bounded():
    painter = TextPainter()
    canvas = np.zeros((40, 120, 4), np.uint8)
    for value in range(2 * REMEMBERED):
        painter.draw(canvas, f"{value / 7:.2f}", (0, 20), SIZE, WHITE)
    assert painter._mask.cache_info().currsize == REMEMBERED
    assert painter._glyph.cache_info().currsize <= 44  # ten digits and a point at four phases: shared by all strings


def test_a_string_drawn_again_is_not_set_again():
    painter = TextPainter()
    canvas = np.zeros((40, 120, 4), np.uint8)
    for _ in range(5):
        painter.draw(canvas, "30.0", (0, 20), SIZE, WHITE)
    assert painter._mask.cache_info().misses == 1


def test_a_missing_font_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.render.text.asset_path", lambda *_: tmp_path / "none.otf")
    with pytest.raises(OSError, match="none.otf"):
        TextPainter()


def test_text_grows_slower_than_the_picture_and_stays_readable():
    sizes = [readable_size(width, height) for width, height in ((32, 24), (640, 480), (1280, 720), (3840, 2160))]
    assert sizes[0] == sizes[1] == SIZE
    assert sizes[1] < sizes[2] < sizes[3] < 4.5 * sizes[1]
