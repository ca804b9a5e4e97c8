"""The hand-over of views: what a window holds is never drawn on, and nothing is allocated per frame."""

from __future__ import annotations

import threading

import numpy as np

from engine.core.frame import Frame
from engine.core.stats import Meter
from engine.live.finder import bare
from engine.live.view import LaneView, View, ViewBuffer

FRAME = Frame(0, 0.0, np.zeros((4, 6, 3), np.uint8), "x")
STATS = Meter().stats()


def fill(buffer: ViewBuffer, value: int, height: int = 4, width: int = 6, lanes: int = 1) -> None:
    """Draw pictures of one value and publish their view, whose distance is that value."""
    pictures = [buffer.writable(lane, height, width).picture for lane in range(lanes)]
    for picture in pictures:
        picture[:] = value
    buffer.publish(
        View(tuple(LaneView(bare(FRAME), (), STATS, picture, distance=float(value)) for picture in pictures))
    )


def test_nothing_is_taken_twice():
    buffer = ViewBuffer()
    assert buffer.take() is None
    fill(buffer, 7)
    view = buffer.take()
    assert view.first.distance == 7
    assert (view.first.picture == 7).all()
    assert buffer.take() is None


def test_the_newest_wins():
    buffer = ViewBuffer()
    for value in range(5):
        fill(buffer, value)
    view = buffer.take()
    assert view.first.distance == 4
    assert (view.first.picture == 4).all()


def test_what_the_window_holds_is_not_written_to():
    buffer = ViewBuffer()
    fill(buffer, 1)
    held = buffer.take().first.picture
    for value in range(2, 9):
        assert not np.shares_memory(buffer.writable(0, 4, 6).picture, held)
        fill(buffer, value)
    assert (held == 1).all()


def test_the_ink_of_what_the_window_holds_is_not_drawn_on():
    buffer, inks = ViewBuffer(), []

    def publish():
        drawing = buffer.writable(0, 4, 6)
        inks.append(drawing.ink)
        buffer.publish(View((LaneView(bare(FRAME), (), STATS, drawing.picture, ink=drawing.ink),)))

    publish()
    held = buffer.take().first.ink
    for _ in range(8):
        publish()
        assert inks[-1] is not held
        assert inks[-1] is not inks[-2]
    assert len(set(inks)) == 3, "they are used again"


def test_a_picture_that_stays_in_newer_views_is_not_written_to():
    buffer = ViewBuffer()
    fill(buffer, 1, lanes=2)
    second = buffer.take().second
    for value in range(2, 9):
        picture = buffer.writable(0, 4, 6).picture
        picture[:] = value
        buffer.publish(View((LaneView(bare(FRAME), (), STATS, picture), second)))
        assert not np.shares_memory(buffer.writable(1, 4, 6).picture, second.picture)
    assert (buffer.take().second.picture == 1).all()


def test_only_three_pictures_are_ever_made():
    buffer = ViewBuffer()
    places = set()
    for value in range(30):
        places.add(buffer.writable(0, 4, 6).picture.__array_interface__["data"][0])
        fill(buffer, value)
        if value % 3 == 0:
            places.add(buffer.take().first.picture.__array_interface__["data"][0])
    assert len(places) <= 3


def test_another_size_gets_another_picture():
    buffer = ViewBuffer()
    fill(buffer, 1)
    held = buffer.take().first.picture
    fill(buffer, 2, height=8, width=2)
    assert buffer.take().first.picture.shape == (8, 2, 4)
    assert held.shape == (4, 6, 4)
    assert (held == 1).all()


def test_pictures_are_whole_while_both_sides_race():
    buffer = ViewBuffer()
    done = threading.Event()

    def write() -> None:
        for value in range(1, 3000):
            fill(buffer, value % 250, 16, 16, lanes=2)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    taken = 0
    while not done.is_set() or taken == 0:
        view = buffer.take()
        if view is None:
            continue
        taken += 1
        assert all((lane.picture == view.first.distance).all() for lane in view.lanes)
    writer.join(5)
