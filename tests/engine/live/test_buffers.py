from __future__ import annotations

import threading

import numpy as np

from engine.live.buffers import TripleBuffer


def fill(buffer: TripleBuffer[int], value: int, height: int = 4, width: int = 6) -> None:
    buffer.writable(height, width)[:] = value
    buffer.publish(value)


def test_nothing_is_taken_twice():
    buffer: TripleBuffer[int] = TripleBuffer()
    assert buffer.take() is None
    fill(buffer, 7)
    picture, label = buffer.take()
    assert label == 7
    assert (picture == 7).all()
    assert buffer.take() is None


def test_the_newest_wins():
    buffer: TripleBuffer[int] = TripleBuffer()
    for value in range(5):
        fill(buffer, value)
    picture, label = buffer.take()
    assert label == 4
    assert (picture == 4).all()


def test_what_the_reader_holds_is_not_written_to():
    buffer: TripleBuffer[int] = TripleBuffer()
    fill(buffer, 1)
    held, _ = buffer.take()
    for value in range(2, 9):
        assert not np.shares_memory(buffer.writable(4, 6), held)
        fill(buffer, value)
    assert (held == 1).all()


def test_only_three_pictures_are_ever_made():
    buffer: TripleBuffer[int] = TripleBuffer()
    places = set()
    for value in range(30):
        fill(buffer, value)
        if value % 3 == 0:
            picture, _ = buffer.take()
            places.add(picture.__array_interface__["data"][0])
    assert len(places) <= 3


def test_another_size_gets_another_picture():
    buffer: TripleBuffer[int] = TripleBuffer()
    fill(buffer, 1)
    held, _ = buffer.take()
    fill(buffer, 2, height=8, width=2)
    picture, _ = buffer.take()
    assert picture.shape == (8, 2, 4)
    assert held.shape == (4, 6, 4)
    assert (held == 1).all()


def test_pictures_are_whole_while_both_sides_race():
    buffer: TripleBuffer[int] = TripleBuffer()
    done = threading.Event()

    def write() -> None:
        for value in range(1, 3000):
            fill(buffer, value % 250, 16, 16)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    taken = 0
    while not done.is_set() or taken == 0:
        got = buffer.take()
        if got is None:
            continue
        picture, label = got
        taken += 1
        assert (picture == label).all()
    writer.join(5)
