"""The presenter's strip: what it says, how large it is, and that nothing covers a picture."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import NamedTuple

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.live.viewport.presenter import Presenter, comparison_words
from app.live.viewport.viewport import Viewport
from app.theme.theme import ON_DARK, STAGE
from engine.core.stats import Spread, Stats
from engine.live.settings import LiveSettings
from engine.live.view import View
from engine.render.scene import Layout
from tests.fakes.views import RED, lane, plain, result


class BigLane(NamedTuple):
    """What is shown of a lane."""

    model: str
    stats: Stats
    screen: Spread | None = None


def timed(landmark_ms, fps=30.0, nme=None):
    return Stats(fps, {"landmark": Spread(landmark_ms, 2 * landmark_ms)}, nme, 1.0, 0, 90)


STUDENT = BigLane("student-68", timed(2.0, 29.97, 2.33), Spread(21.4, 30.0))
TEACHER = BigLane("teacher-tolerant-68", timed(9.2, 4.24), Spread(256.4, 300.0))
YOUNG = BigLane("student-68", Stats(None, {}, None, 0.0, 0, 0))
SIZES = [(1280, 720), (1600, 1000), (3840, 2160), (640, 420)]
TWO_LAYOUTS = [layout for layout in Layout if layout is not Layout.SINGLE]


@pytest.fixture
def page(qtbot, themed):
    """Return a page in the size of a small projector, with a view above the strip."""
    shown = QWidget()
    shown.view, shown.strip = Viewport(), Presenter(shown, count(1.0).__next__)
    rows = QVBoxLayout(shown)
    rows.setContentsMargins(0, 0, 0, 0)
    rows.setSpacing(0)
    rows.addWidget(shown.view, 1)
    rows.addWidget(shown.strip)
    shown.view.show_plates(False)
    shown.strip.show()
    shown.resize(1280, 800)
    qtbot.addWidget(shown)
    shown.show()
    qtbot.waitExposed(shown)
    return shown


def view_of(lanes, distance=None):
    other = result(lanes[1].model) if len(lanes) > 1 else None
    first, *further = (lane(plain(RED), result(its.model), its.stats, other) for its in lanes)
    return View((first, *(replace(each, distance=distance) for each in further)))


def show(page, lanes, distance=None, layout=Layout.SIDE_BY_SIDE):
    view = view_of(lanes, distance)
    settings = LiveSettings(layout=layout if len(lanes) > 1 else Layout.SINGLE, lanes=len(lanes))
    page.view.show_view(view, settings)
    page.strip.show_view(view, settings, [its.screen for its in lanes])
    page.layout().activate()


def capitals(strip):
    """Return the heights in pixels of the rows of letters, from top to bottom."""
    image = strip.grab().toImage()
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
    bright = (pixels[..., :3].min(-1) > 120).any(1)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], bright.astype(int), [0]])))
    return list(np.diff(edges)[::2])


def test_the_legend_takes_nothing_of_the_picture_where_there_is_room_beside_it(page):
    page.resize(1600, 800)
    show(page, [STUDENT, TEACHER], distance=0.84, layout=Layout.OVERLAID)
    overlaid = page.view.picture_area()
    show(page, [STUDENT, TEACHER], distance=0.84, layout=Layout.DIFFERENCE)
    assert page.view.picture_area().size() == overlaid.size()
    assert page.view.legend_area().right() <= page.view.picture_area().left()
    assert page.view.rect().contains(page.view.legend_area().toAlignedRect())


def test_strip_shows_the_numbers_of_a_lane(page):
    show(page, [STUDENT])
    assert page.strip.text == "results/s  to screen ms  NME %\nstudent-68  30  21  2.3"


def test_the_latency_ends_on_the_screen_and_is_not_the_sum_of_the_stages(page):
    show(page, [STUDENT._replace(screen=None)])
    assert page.strip.text.splitlines()[1] == "student-68  30  \u2013  2.3"


def test_what_is_not_known_yet_is_a_dash(page):
    show(page, [YOUNG])
    assert page.strip.text.splitlines()[1] == "student-68  \u2013  \u2013"


def test_one_sentence_says_what_sets_two_models_apart(page):
    show(page, [BigLane("student-68", timed(2.0)), TEACHER], distance=0.84)
    assert page.strip.text.splitlines()[-1] == (
        "student-68 is 4.6 times as fast as teacher-tolerant-68, 0.8 % of the eye distance apart"
    )
    assert "accuracy" not in page.strip.text


@pytest.mark.parametrize(
    ("milliseconds", "distance", "words"),
    [
        ((2.0, 2.05), None, "All are equally fast"),
        ((9.0, 2.0), None, "b is 4.5 times as fast as a"),
        ((2.0, 0.0), 1.26, "1.3 % of the eye distance apart"),
        ((2.0, 0.0), None, ""),
        ((2.0, 30.0, 9.0), None, "a is 15 times as fast as b"),
        ((2.0, 30.0, 9.0), 1.0, "a is 15 times as fast as b, difference: % of the eye distance from a"),
    ],
)
def test_the_sentence_says_only_what_is_known(milliseconds, distance, words):
    lanes = [BigLane(name, timed(time)) for name, time in zip("abc", milliseconds, strict=False)]
    assert comparison_words(view_of(lanes, distance).lanes) == words


def test_of_three_lanes_each_further_one_says_how_far_it_is_from_the_first(page):
    show(page, [BigLane(name, timed(2.0)) for name in "abc"], distance=1.26)
    assert page.strip.text.splitlines()[:4] == [
        "results/s  to screen ms  difference %",
        "a  30  \u2013",
        "b  30  \u2013  1.3",
        "c  30  \u2013  1.3",
    ]
    before = page.strip.grab().toImage()
    show(page, [BigLane(name, timed(2.0)) for name in "abc"], distance=8.4)
    assert page.strip.grab().toImage() != before


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080), (1024, 768)])
@pytest.mark.parametrize("lanes", [[STUDENT], [STUDENT, TEACHER]])
def test_letters_can_be_read_from_ten_metres(page, size, lanes):
    """22 minutes of arc on a picture two metres high, see `app.live.viewport.presenter`."""
    page.resize(*size)
    show(page, [its._replace(model="s-68") for its in lanes])
    heights = capitals(page.strip)
    assert max(heights) >= 0.05 * size[1], "the numbers"
    assert sorted(heights)[-2] >= 0.028 * size[1], "names and labels"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("lanes", [[STUDENT], [STUDENT, TEACHER], [STUDENT, TEACHER, STUDENT, TEACHER]])
def test_strip_is_below_the_pictures_and_leaves_them_most_of_the_room(page, size, lanes):
    page.resize(*size)
    show(page, lanes, 1.8)
    assert page.strip.geometry().top() == page.view.geometry().bottom() + 1
    assert page.strip.width() == page.width()
    assert page.view.height() >= 0.7 * page.height()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("layout", TWO_LAYOUTS)
def test_no_plate_covers_a_picture_in_any_layout(page, qtbot, size, layout):
    page.resize(*size)
    show(page, [STUDENT, TEACHER], 1.8, layout)
    assert all(not plate.isVisible() for plate in page.view.lane_plates.plates)
    picture = page.view.picture_area().translated(page.view.pos())
    assert not picture.intersects(page.strip.geometry().toRectF())
    if layout is Layout.DIFFERENCE:
        legend = page.view.legend_area()
        assert legend.isValid()
        assert page.view.rect().toRectF().contains(legend)
        assert not legend.intersects(page.view.picture_area())


def test_a_wide_screen_has_its_pictures_beside_each_other(page):
    page.resize(1600, 900)
    show(page, [STUDENT, TEACHER], 1.8)
    first, second = page.view.pane_areas()
    assert first.top() == second.top()
    assert second.left() >= first.right()


def test_each_lane_has_its_colour_and_its_place_below_its_picture(page):
    show(page, [STUDENT, TEACHER], 1.8)
    painted = page.view.grab().toImage()
    for number, area in enumerate(page.view.pane_areas()):
        assert painted.pixelColor(round(area.center().x()), round(area.bottom()) - 2).name() == ON_DARK[number]
    image = page.strip.grab().toImage()
    for number, x in enumerate((10, page.width() - 10)):
        assert image.pixelColor(x, 1).name() == ON_DARK[number]


def test_changing_digits_move_nothing(page):
    show(page, [STUDENT])
    before = page.strip.geometry()
    for fps in (7.1, 11.1, 28.8, 88.8):
        show(page, [BigLane("student-68", timed(2.0, fps, fps / 10), Spread(fps, 99.0))])
        assert page.strip.geometry() == before


def test_new_numbers_are_painted(page):
    show(page, [STUDENT])
    before = page.strip.grab().toImage()
    show(page, [BigLane("student-68", TEACHER.stats)])
    assert page.strip.grab().toImage() != before


def test_long_names_are_set_smaller_instead_of_cut_off(page):
    usual = capitals_of_number(page, "student-68")
    assert capitals_of_number(page, "a-model-with-a-name-that-does-not-end-so-soon-and-goes-on-and-on-98") < usual
    image = page.strip.grab().toImage()
    for x in (1, page.width() - 2):
        column = {image.pixelColor(x, y).name() for y in range(8, image.height())}
        assert column == {STAGE}, "the ends are free"


def capitals_of_number(page, model):
    show(page, [BigLane(model, STUDENT.stats), TEACHER])
    return max(capitals(page.strip))


def test_strip_is_dark_in_every_theme(page):
    show(page, [STUDENT])
    assert page.strip.grab(QRect(QPoint(2, 2), QPoint(4, 4))).toImage().pixelColor(1, 1).name() == STAGE


def test_digits_change_no_faster_than_they_can_be_read(qtbot, themed):
    page, now = QWidget(), [0.0]
    qtbot.addWidget(page)
    page.strip, page.view = Presenter(page, lambda: now[0]), Viewport()
    qtbot.addWidget(page.view)
    page.setLayout(QVBoxLayout())
    for seconds, latency, expected in ((1.0, 21.0, "21"), (1.1, 30.0, "21"), (1.3, 30.0, "30")):
        now[0] = seconds
        show(page, [STUDENT._replace(screen=Spread(latency, 99.0))])
        assert page.strip.text.splitlines()[1].split()[2] == expected
    now[0] = 1.31
    show(page, [TEACHER])
    assert "teacher-tolerant-68" in page.strip.text, "another model at once"
