"""The process: how it ends while threads still work."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
# A program whose thread never leaves native code for longer than Python needs to end.
AT_WORK = """
import atexit, sys, threading, time
import cv2, numpy
import app.__main__ as program

picture = numpy.zeros((1000, 1000, 3), numpy.uint8)

def work():
    while True:
        cv2.blur(picture, (9, 9))

threading.Thread(target=work, daemon=True).start()
atexit.register(print, "put away")
program.main = lambda: {main}
program.run()
"""


def end(main: str, **options: Any) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-c", AT_WORK.format(main=main)]
    return subprocess.run(program, text=True, stderr=subprocess.PIPE, cwd=ROOT, timeout=60, **options)


@pytest.mark.parametrize("code", [0, 1, 130])
def test_a_thread_in_native_code_does_not_abort_the_end(code):
    done = end(f"print('done') or {code}", stdout=subprocess.PIPE)
    assert (done.returncode, done.stdout, done.stderr) == (code, "done\nput away\n", "")


def test_nor_after_an_unexpected_error():
    done = end("1 / 0", stdout=subprocess.PIPE)
    assert (done.returncode, done.stdout) == (1, "put away\n")
    assert done.stderr.endswith("ZeroDivisionError: division by zero\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_lines_that_cannot_be_written_at_the_end_are_no_success():
    with Path("/dev/full").open("w") as full:
        assert end("print('done') or 0", stdout=full).returncode == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", ["--help", "--version", "models", "models --help", "self-test --help"])
def test_what_cannot_be_written_fails_with_one_sentence(words, unbuffered):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "app", *words.split()], stdout=full, stderr=subprocess.PIPE, text=True, cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered}, timeout=60,
        )  # fmt: skip
    assert done.returncode == 1
    assert "No space left on device" in done.stderr.splitlines()[0]
    assert "Exception" not in done.stderr
    assert "Traceback" not in done.stderr
