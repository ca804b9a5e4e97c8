"""Where pictures and their plates are: as large as the stage allows, and none over another."""

from itertools import combinations

import pytest
from PySide6.QtCore import QRect, QSize

from app.live.viewport.panes import DETAILS_SHARE, PlatePlace, one_picture, several_pictures
from app.widgets.fitting import fitted

PLATE, SHORT = QSize(300, 170), QSize(240, 48)
GAP = 6
STAGES = [(1008, 500), (1328, 780), (1280, 640), (3500, 1900), (700, 1400), (368, 240)]


def laid(stage, picture=(640, 480), count=4, plate=PLATE):
    return several_pictures(QRect(0, 0, *stage), QSize(*picture), plate, SHORT, GAP, count)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("picture", [(640, 480), (1280, 720), (480, 640)])
@pytest.mark.parametrize("count", [3, 4])
def test_pictures_and_their_plates_are_on_the_stage_and_apart(stage, picture, count):
    arrangement = laid(stage, picture, count)
    below = {PlatePlace.BELOW: PLATE, PlatePlace.SHORT: SHORT}.get(arrangement.plates, QSize(0, 0))
    places = list(arrangement.panes)
    if not below.isEmpty():
        wide = min(below.width(), arrangement.reach)
        places += [QRect(pane.left(), pane.bottom() + 1, wide, below.height()) for pane in arrangement.panes]
    assert len(arrangement.panes) == count
    assert len({(pane.width(), pane.height()) for pane in arrangement.panes}) == 1
    assert all(QRect(0, 0, *stage).contains(place) for place in places)
    assert not any(one.intersects(other) for one, other in combinations(places, 2))


@pytest.mark.parametrize(
    ("stage", "picture", "count", "columns"),
    [
        ((1008, 500), (640, 480), 4, 2),
        ((1008, 500), (640, 480), 3, 3),
        ((1328, 780), (1280, 720), 3, 2),  # two, and one below
        ((2400, 400), (640, 480), 4, 4),
        ((500, 1600), (1280, 720), 4, 1),
    ],
)
def test_the_rows_follow_the_shape_of_the_stage_and_of_the_pictures(stage, picture, count, columns):
    panes = laid(stage, picture, count).panes
    assert sum(pane.top() == panes[0].top() for pane in panes) == columns


def test_a_single_picture_in_the_last_row_is_in_its_middle():
    panes = laid((1328, 780), (1280, 720), 3).panes
    assert abs(panes[2].center().x() - (panes[0].left() + panes[1].right()) / 2) <= 1


def test_whole_plates_have_room_where_they_cost_little_and_else_short_ones():
    assert laid((1328, 780), count=3).plates is PlatePlace.BELOW
    assert laid((1008, 500)).plates is PlatePlace.SHORT
    assert laid((368, 240)).plates is PlatePlace.BRIEF
    assert laid((1008, 500), plate=QSize()).plates is PlatePlace.OVER


@pytest.mark.parametrize("count", [3, 4])
def test_short_plates_cost_the_pictures_little(count):
    full = laid((1008, 500), count=count, plate=QSize()).panes[0].height()
    assert laid((1008, 500), count=count).panes[0].height() > 0.75 * full
    assert full >= fitted(QRect(0, 0, 1008 // 2 - GAP, 500 // 2 - GAP), QSize(640, 480)).height()


PICTURE, STAGE = QSize(640, 480), QRect(0, 0, 998, 476)  # of a window of 1280 by 720


def test_plates_take_the_margins_beside_one_picture_before_their_numbers_are_left_out():
    arrangement = one_picture(STAGE, PICTURE, PLATE, 2)
    assert arrangement.panes == (fitted(STAGE, PICTURE),), "the picture keeps its size"
    assert arrangement.plates is PlatePlace.BESIDE
    covered = PLATE.width() - arrangement.panes[0].left()
    assert 0 < covered < arrangement.panes[0].width() / 4
    assert one_picture(QRect(0, 0, 640, 476), PICTURE, PLATE, 2).plates is PlatePlace.BRIEF, "there are no margins"


def test_all_numbers_of_two_lanes_do_not_halve_the_picture():
    arrangement = one_picture(STAGE, PICTURE, QSize(300, 320), 2, DETAILS_SHARE)
    assert arrangement.plates is PlatePlace.BESIDE
    assert arrangement.panes[0].height() > 0.5 * STAGE.height()
