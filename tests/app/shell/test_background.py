"""Work handed to other threads, and news from them."""

import threading
import time

from app.shell.background import Background, Bridge


def test_work_runs_elsewhere_and_comes_back(qtbot):
    background, heard = Background(), []
    background.run(threading.current_thread, lambda worker: heard.append((worker, threading.current_thread())))
    qtbot.waitUntil(lambda: bool(heard))
    worker, here = heard[0]
    assert here is threading.main_thread()
    assert worker is not here
    assert worker.daemon


def test_closed_background_hands_nothing_back(qtbot):
    background, heard, going_on = Background(), [], threading.Event()
    background.run(lambda: going_on.wait(5), heard.append)
    background.close()
    going_on.set()
    qtbot.wait(50)
    assert heard == []


def test_closing_waits_for_work_that_writes(qtbot):
    background, written = Background(), []

    def write():
        time.sleep(0.1)
        written.append(True)

    background.run(write, lambda _: written.append("handed back"))
    background.close(5)
    qtbot.wait(20)
    assert written == [True]


def test_closing_does_not_wait_for_ever(qtbot):
    background, going_on = Background(), threading.Event()
    background.run(lambda: going_on.wait(5))
    background.close(0.05)
    assert not going_on.is_set()
    going_on.set()


def test_many_calls_become_one_signal(qtbot):
    bridge, heard = Bridge(), []
    bridge.changed.connect(lambda: heard.append(threading.current_thread()))
    thread = threading.Thread(target=lambda: [bridge.notify() for _ in range(1000)])
    thread.start()
    thread.join()
    assert heard == []
    qtbot.waitUntil(lambda: bool(heard))
    qtbot.wait(20)
    assert heard == [threading.main_thread()]


def test_what_happens_while_the_signal_is_handled_is_reported_again(qtbot):
    bridge, heard = Bridge(), []

    def on_changed():
        heard.append(True)
        if len(heard) == 1:
            bridge.notify()

    bridge.changed.connect(on_changed)
    bridge.notify()
    qtbot.waitUntil(lambda: len(heard) == 2)
    qtbot.wait(20)
    assert len(heard) == 2


def test_closed_bridge_is_silent(qtbot):
    bridge, heard = Bridge(), []
    bridge.changed.connect(lambda: heard.append(True))
    bridge.notify()
    bridge.close()
    bridge.notify()
    qtbot.wait(20)
    assert heard == []
