"""The line at the foot of saved pictures names the models and what the marks mean, and costs next to nothing."""

import time
from dataclasses import replace

import pytest

from engine.live.settings import LiveSettings
from engine.render.caption import MOST, Caption, words_of
from engine.render.palette import HEAT, LANES
from engine.render.scene import Layout
from tests.fakes.views import BLUE, RED, one, plain, result, two

DIFFERENCE = LiveSettings(layout=Layout.DIFFERENCE)


def reported(layout, view=None, magnification=3.0):
    return [
        part.text
        for part in words_of(
            (view or two(plain(RED), plain(BLUE))).models(LiveSettings(layout=layout)), layout, magnification
        )
    ]


def rows_with(picture, colour):
    """Return the rows in which a colour is to be seen."""
    return (picture[..., :3] == colour).all(2).any(1).nonzero()[0]


@pytest.mark.parametrize("layout", [Layout.SIDE_BY_SIDE, Layout.SPLIT, Layout.OVERLAID])
def test_both_models_are_named(layout):
    assert reported(layout) == ["student-68", "teacher-98"]


def test_the_difference_has_a_key_with_its_magnification():
    key = ["student-68", "teacher-98", "arrows \u00d75 to teacher-98", "0 to 6+ % of eye distance"]
    assert reported(Layout.DIFFERENCE, magnification=5.0) == key


def test_nothing_is_said_of_a_single_lane_or_of_what_no_model_saw():
    assert reported(Layout.SINGLE) == []
    assert reported(Layout.SPLIT, one(plain(RED))) == ["student-68"]
    assert reported(Layout.DIFFERENCE, two(plain(RED), plain(BLUE), other_result=result(""))) == ["student-68"]


def test_on_one_picture_the_model_that_is_drawn_is_named_not_a_newer_one():
    view = two(plain(RED), plain(BLUE))
    newer = replace(view, lanes=(view.first, replace(view.second, result=result("student-68-lite"))))
    assert reported(Layout.OVERLAID, newer) == ["student-68", "teacher-98"]
    assert reported(Layout.SPLIT, newer) == ["student-68", "student-68-lite"]


def test_the_line_is_slim_and_bears_the_colours_of_the_lanes_and_the_heat():
    picture = plain(RED, 640, 480)
    Caption().lay(picture, words_of(two(picture, picture).models(DIFFERENCE), Layout.DIFFERENCE, 3.0))
    assert (picture[:450] == RED).all()
    rows = [rows_with(picture, colour) for colour in (LANES[0], LANES[1], HEAT[0], HEAT[2])]
    assert all(len(found) and found.min() >= 450 for found in rows)


@pytest.mark.parametrize("size", [(300, 400), (120, 90), (16, 16), (1, 1)])
def test_a_narrow_picture_has_as_many_lines_as_leave_it_to_be_seen(size):
    picture = plain(RED, *size)
    Caption().lay(picture, words_of(two(picture, picture).models(DIFFERENCE), Layout.DIFFERENCE, 3.0))
    touched = (picture != RED).any(2).any(1).sum()
    assert touched <= max(MOST * size[1] + 4, 24)
    if size == (300, 400):
        assert rows_with(picture, LANES[1]).min() > rows_with(picture, LANES[0]).max()


def test_other_words_and_pictures_of_another_size_are_set_again():
    caption = Caption()
    words = words_of(two(plain(RED), plain(BLUE)).models(LiveSettings(layout=Layout.SPLIT)), Layout.SPLIT, 3.0)
    for width, names in ((640, words), (640, words[:1]), (320, words)):
        picture, fresh = plain(RED, width, 480), plain(RED, width, 480)
        caption.lay(picture, names)
        Caption().lay(fresh, names)
        assert (picture == fresh).all()


def test_it_costs_a_frame_less_than_a_third_of_a_millisecond():
    caption, picture = Caption(), plain(RED, 1288, 480)
    view = two(picture, picture)
    times = []
    for _ in range(30):
        start = time.thread_time()
        caption.lay(picture, words_of(view.models(DIFFERENCE), Layout.DIFFERENCE, 3.0))
        times.append(time.thread_time() - start)
    assert min(times) < 0.3e-3
