"""Two pictures made one: whole, in place, of a size that never changes, and fast."""

import time

import numpy as np
import pytest

from engine.render.montage import GAP, joined, split
from engine.render.palette import PLATE
from tests.fakes.views import BLUE, RED, plain

DARK = (*PLATE, 255)
SIZE = 200, 100


def both(first, second):
    return joined([first, second], (first.shape[1], first.shape[0]))


def test_joined_pictures_stand_side_by_side_with_a_dark_gap():
    both = joined([plain(RED), plain(BLUE)], SIZE)
    assert both.shape == (100, 400 + GAP, 4)
    assert (both[:, :200] == RED).all()
    assert (both[:, 200 : 200 + GAP] == DARK).all()
    assert (both[:, 200 + GAP :] == BLUE).all()


@pytest.mark.parametrize(
    ("count", "places"), [(3, [(0, 0), (204, 0), (102, 54)]), (4, [(0, 0), (204, 0), (0, 54), (204, 54)])]
)
def test_three_or_four_pictures_stand_in_two_rows_and_a_single_one_in_the_middle_of_its_row(count, places):
    colours = [(20 * number + 10, 0, 200, 255) for number in range(count)]
    whole = joined([plain(colour, 196, 46) for colour in colours], (196, 46))
    assert whole.shape == (2 * 46 + GAP, 2 * 196 + GAP, 4)
    for colour, (left, top) in zip(colours, places, strict=True):
        assert (whole[top : top + 46, left : left + 196] == colour).all()
    assert (whole == DARK).all(2).sum() == whole.shape[0] * whole.shape[1] - count * 196 * 46


@pytest.mark.parametrize("second", [None, np.empty((0, 0, 4), np.uint8)])
def test_joined_keeps_its_size_while_the_second_picture_is_missing(second):
    both = joined([plain(RED), second], SIZE)
    assert both.shape == joined([plain(RED), plain(BLUE)], SIZE).shape
    assert (both[:, 200:] == DARK).all()


def test_fault_30_joined_fits_a_second_picture_of_another_size_into_its_place():
    both = joined([plain(RED), plain(BLUE, 50, 100)], SIZE)[:, 200 + GAP :]
    assert both.shape == (100, 200, 4)
    blue = (both == BLUE).all(2)
    assert blue.any(0).nonzero()[0].tolist() == list(range(75, 125))
    assert blue.any(1).all()


@pytest.mark.parametrize(("place", "column"), [(0.0, 0), (0.25, 50), (0.5, 100), (1.0, 200), (-1.0, 0), (7.0, 200)])
def test_split_changes_from_the_first_to_the_second_at_the_line(place, column):
    picture = split(plain(RED), plain(BLUE), place)
    assert (picture[:, :column] == RED).all()
    assert (picture[:, column:] == BLUE).all()


def test_split_without_a_second_picture_is_the_first_alone():
    assert (split(plain(RED), None, 0.5) == RED).all()


def test_fault_30_split_scales_a_second_picture_of_another_size():
    picture = split(plain(RED), plain(BLUE, 400, 200), 0.5)
    assert picture.shape == (100, 200, 4)
    assert (picture[:, 100:] == BLUE).all()


def test_the_pictures_given_are_left_alone_and_not_shared():
    first, second = plain(RED), plain(BLUE)
    for picture in (joined([first, second], SIZE), split(first, second, 0.5)):
        picture[:] = 0
    assert (first == RED).all()
    assert (second == BLUE).all()


@pytest.mark.parametrize("make", [both, lambda first, second: split(first, second, 0.5)], ids=["joined", "split"])
def test_a_frame_of_a_recording_takes_under_two_milliseconds(make):
    first, second = plain(RED, 640, 480), plain(BLUE, 640, 480)
    times = []
    for _ in range(30):
        start = time.thread_time()
        make(first, second)
        times.append(time.thread_time() - start)
    assert min(times) < 2e-3
