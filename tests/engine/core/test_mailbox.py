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


def test_putting_waits_for_room_and_gives_up_in_time():
    mailbox: Mailbox[int] = Mailbox()
    assert mailbox.put(1, 0.0)
    start = time.monotonic()
    assert not mailbox.put(2, 0.05)
    assert 0.04 < time.monotonic() - start < 2
    assert mailbox.take(0.0) == 1, "the item that was there first must not be lost"


def test_every_item_arrives_in_order_through_a_slow_taker():
    mailbox: Mailbox[int] = Mailbox()
    giver = threading.Thread(target=lambda: [mailbox.put(number, 5.0) for number in range(50)])
    giver.start()
    taken = []
    while len(taken) < 50:
        item = mailbox.take(1.0)
        assert item is not None
        taken.append(item)
        time.sleep(0.0005)
    giver.join(5)
    assert taken == list(range(50))


def test_fault_68_closing_wakes_everyone_and_refuses_more():
    full: Mailbox[int] = Mailbox()
    full.put(0, 0.0)
    bare: Mailbox[int] = Mailbox()
    answers: list[object] = []
    threads = [
        threading.Thread(target=lambda: answers.append(full.put(1, 10.0))),
        threading.Thread(target=lambda: answers.append(bare.take(10.0))),
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.02)
    start = time.monotonic()
    full.close()
    bare.close()
    for thread in threads:
        thread.join(5)
    assert time.monotonic() - start < 2
    assert len(answers) == 2
    assert not any(answers)
    assert not full.replace(1)
    assert full.take(0.0) is None
