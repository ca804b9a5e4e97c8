from __future__ import annotations

import threading
import time

from engine.core.mailbox import Mailbox


def test_the_newest_item_replaces_an_older_one():
    mailbox: Mailbox[int] = Mailbox()
    for number in range(5):
        assert mailbox.replace(number)
    assert mailbox.take(0.0) == 4
    assert mailbox.take(0.0) is None


def test_an_item_arrives_on_another_thread_at_once():
    mailbox: Mailbox[int] = Mailbox()
    taken: list[int | None] = []
    taker = threading.Thread(target=lambda: taken.append(mailbox.take(10.0)))
    taker.start()
    start = time.monotonic()
    mailbox.replace(1)
    taker.join(5)
    assert time.monotonic() - start < 2
    assert taken == [1]


def test_fault_68_closing_wakes_everyone_and_refuses_more():
    full, bare = Mailbox[int](), Mailbox[int]()
    full.replace(0)
    answers: list[int | None] = []
    taker = threading.Thread(target=lambda: answers.append(bare.take(10.0)))
    taker.start()
    time.sleep(0.02)
    start = time.monotonic()
    full.close()
    bare.close()
    taker.join(5)
    assert time.monotonic() - start < 2
    assert answers == [None]
    assert not full.replace(1)
    assert full.take(0.0) is None
