"""The start after a crash: the real window, offscreen, in processes that are brought down."""

from __future__ import annotations

import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from app.shell.crash import RunMark
from app.shell.report import LAST_CRASH
from tests.fakes.filters import SQUARE, make_filter
from tests.fakes.window_process import CLOSE, CRASH, run_window

ROOT = Path(__file__).resolve().parents[3]
SETTINGS = """\
source = "no camera of this name"
filter = "glasses"
stream = "udp://127.0.0.1:9"
[lanes]
models = ["student-68-lite", "student-kd-68"]
layout = "split"
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="folders are named by these variables on Linux only")
def test_fault_86_the_start_after_a_crash_is_a_safe_one_and_offers_the_report(tmp_path):
    settings = tmp_path / "config" / "understudy" / "settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(SETTINGS)
    code, before = run_window(tmp_path, CRASH, "run")
    assert code == -signal.SIGSEGV
    assert before["models"][0] == "student-68-lite-int8", "what is remembered is used"
    assert "did not end properly" not in before["banner"]
    assert not before["streams"], "a remembered stream does not start by itself"

    code, safe = run_window(tmp_path, CLOSE, "run", "--model", "student-kd-68", "--stream", "udp://127.0.0.1:9")
    assert code == 0
    assert safe["models"] == ["student-68-int8", "", "", ""]
    assert (safe["source"], safe["filter"], safe["layout"]) == ("sample", "None", "single")
    assert not safe["streams"]
    assert safe["banner"].startswith("Understudy did not end properly the last time. So this is a safe start")
    assert "Fatal Python error: Segmentation fault" in safe["details"]
    assert str(tmp_path) not in safe["details"]
    assert tomllib.loads(settings.read_text()).items() >= tomllib.loads(SETTINGS).items(), "nothing is forgotten"

    code, after = run_window(tmp_path, CLOSE, "run")
    assert code == 0
    assert after["models"][0] == "student-68-lite-int8"
    assert "did not end properly" not in after["banner"]


HOOK = """\
import itertools, os
drawn = itertools.count()
def draw(picture, points, signals, seconds):
    if next(drawn) == 60:  # the window has long shown a picture
        os._exit(7)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="folders are named by these variables on Linux only")
def test_fault_86_the_start_after_a_hook_ended_the_program_names_the_hook(tmp_path):
    own = tmp_path / "data" / "understudy" / "filters" / "fatal"
    (make_filter(own, 'hook = "fatal.py"\n' + SQUARE) / "fatal.py").write_text(HOOK)
    settings = tmp_path / "config" / "understudy" / "settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text('source = "sample"\nfilter = "fatal"\n')
    code, _ = run_window(tmp_path, "window.look.stop()", "run")
    assert code == 7
    code, safe = run_window(tmp_path, CLOSE, "run")
    assert code == 0
    assert safe["filter"] == "None"
    assert safe["banner"].startswith(f"Understudy did not end properly while the hook {own / 'fatal.py'} was at work. ")
    assert "The hook of a filter was at work.\nNo trace: " in safe["details"]


def test_a_mark_of_a_former_version_names_no_hook(tmp_path, quiet):
    (tmp_path / "running 1.txt").write_text("Fatal Python error: Aborted\n")
    mark = RunMark(tmp_path)
    assert "Fatal Python error" in mark.begin()
    mark.end()
    assert mark.former_hook == ""


HOLD = """
import sys
from pathlib import Path
from app.shell.crash import RunMark
print(RunMark(Path(sys.argv[1])).begin(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def quiet(monkeypatch):
    """Leave the traces of crashes to pytest."""
    monkeypatch.setattr("app.shell.crash.faulthandler.enable", lambda file: None)
    monkeypatch.setattr("app.shell.crash.faulthandler.disable", lambda: None)


def test_two_windows_at_once_are_no_crash(tmp_path, quiet):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout.readline() == "None\n"
        second = RunMark(tmp_path)
        assert second.begin() is None
        second.end()
        assert len(list(tmp_path.iterdir())) == 1, "the mark of the other is left alone"
        holder.kill()
    third = RunMark(tmp_path)
    report = third.begin()
    third.end()
    assert "was ended from outside" in report
    assert (tmp_path / LAST_CRASH).exists()


def test_a_folder_that_cannot_be_written_prevents_nothing(tmp_path, quiet):
    (tmp_path / "file").touch()
    mark = RunMark(tmp_path / "file" / "logs")
    assert mark.begin() is None
    mark.end()
