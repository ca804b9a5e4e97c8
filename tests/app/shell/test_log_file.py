"""The log on disk, and what happens where there is no place for it."""

from __future__ import annotations

import errno
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.shell.log import start_log

ROOT = Path(__file__).resolve().parents[3]
LOGS = """
import logging
from app.shell.log import start_log
from app.shell.report import log_path
logging.basicConfig(level=logging.WARNING, format="%(message)s")
start_log(log_path())
logging.getLogger("engine").warning("the camera hangs")
"""


def run(**environment):
    """Log a line in a process of its own and return what its terminal shows."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG", "HOME"))}
    done = subprocess.run(
        [sys.executable, "-c", LOGS], cwd=ROOT, env={**kept, **environment}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="folders are named by these variables on Linux only")
def test_log_lies_in_the_users_folder(tmp_path):
    assert run(HOME=str(tmp_path)).strip() == "the camera hangs"
    (path,) = tmp_path.rglob("understudy.log")
    assert path.read_text(encoding="utf-8").strip().endswith("WARNING engine: the camera hangs")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="folders are named by these variables on Linux only")
@pytest.mark.parametrize(
    "environment", [{"HOME": "/dev/null"}, {"HOME": "/proc/none"}, {"XDG_STATE_HOME": "/dev/null"}]
)
def test_fault_57_without_a_place_messages_go_to_the_terminal(environment):
    reported = run(**environment).splitlines()
    assert len(reported) == 2
    assert reported[0].startswith("There is no log file")
    assert reported[1] == "the camera hangs"


@pytest.fixture
def kept_root():
    """Leave the root logger as it was."""
    root = logging.getLogger()
    before = list(root.handlers)
    yield root
    for handler in [handler for handler in root.handlers if handler not in before]:
        root.removeHandler(handler)
        handler.close()


def test_fault_57_disk_that_fills_up_is_reported_once(tmp_path, kept_root, monkeypatch, caplog):
    handler = start_log(tmp_path / "a.log")
    assert handler is not None

    def full(text):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(handler.stream, "write", full, raising=False)
    for _ in range(3):
        logging.getLogger("engine").warning("the camera hangs")
    words = [record.getMessage() for record in caplog.records]
    assert words.count("the camera hangs") == 3
    assert sum("cannot be written any more" in word for word in words) == 1


def test_fault_69_log_does_not_grow_for_ever(tmp_path, kept_root):
    start_log(tmp_path / "a.log")
    for _ in range(30):
        logging.getLogger("engine").warning("x" * 100_000)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.log", "a.log.1"]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 2_100_000
