import logging
import sys
import threading

import pytest

from app.shell.log import CrashWatch


@pytest.fixture
def watch(qapp):
    watch = CrashWatch()
    former = sys.excepthook, threading.excepthook
    watch.install()
    yield watch
    watch.remove()
    assert (sys.excepthook, threading.excepthook) == former


def test_fault_15_uncaught_error_is_logged_and_reported(watch, qtbot, caplog):
    with qtbot.waitSignal(watch.caught) as reported, caplog.at_level(logging.CRITICAL):
        try:
            raise ValueError("seven")
        except ValueError:
            sys.excepthook(*sys.exc_info())
    assert "ValueError: seven" in reported.args[0]
    assert "test_crash.py" in reported.args[0]
    assert "Uncaught error in the window" in caplog.text


def test_error_of_a_thread_is_reported_on_the_gui_thread(watch, qtbot):
    heard = []
    watch.caught.connect(lambda details: heard.append((details, threading.current_thread())))
    thread = threading.Thread(target=lambda: [][0], name="lane")
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: bool(heard))
    assert "IndexError" in heard[0][0]
    assert heard[0][1] is threading.main_thread()


def test_ctrl_c_is_left_to_python(watch, monkeypatch):
    passed_on = []
    monkeypatch.setattr(watch, "_former", (lambda *event: passed_on.append(event), threading.excepthook))
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert len(passed_on) == 1
    monkeypatch.undo()
