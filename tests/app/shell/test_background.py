import threading

from app.shell.background import Background


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
