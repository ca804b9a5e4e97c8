"""The model of the first lane is remembered from one start to the next, by the way in that users take."""

from __future__ import annotations

import sys

import pytest

import start
from tests.fakes.window_process import CLOSE, run_window

CHOOSE = """window.look.stop()
    window.player.use_model("student-68-lite")
    close = QTimer(window, interval=50)
    close.timeout.connect(lambda: player.at_work[0] == "student-68-lite-int8" and window.close())
    close.start()"""


@pytest.fixture
def way_in(monkeypatch):
    """Return a function: from the arguments of start.py to those of the program that it starts."""
    called = []

    class Program:
        def __init__(self, command):
            called.append(command)

        def wait(self):
            return 0

    def arguments_of(*arguments):
        with monkeypatch.context() as patch:
            patch.setattr(start.subprocess, "Popen", Program)
            patch.setattr(start.signal, "signal", lambda *_: None)
            patch.setattr(start, "set_up", lambda *_, **__: None)
            patch.setattr(start, "has_display", lambda *_: True)
            assert start.main(list(arguments)) == 0
        return called.pop()[1:]

    return arguments_of


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="folders are named by these variables on Linux only")
def test_the_first_model_is_remembered_by_the_way_in_of_start_py(tmp_path, way_in):
    first, again, named = way_in("sample"), way_in(), way_in("--model", "student-kd-68")
    code, before = run_window(tmp_path, CHOOSE, *first)
    assert (code, before["models"][0]) == (0, "student-68-int8")
    assert run_window(tmp_path, CLOSE, *again)[1]["models"][0] == "student-68-lite-int8"
    assert run_window(tmp_path, CLOSE, *named)[1]["models"][0] == "student-kd-68"
