import threading

from app.shell.bridge import Bridge


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


def test_what_happens_while_the_signal_is_handled_is_told_again(qtbot):
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
