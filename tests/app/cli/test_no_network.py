"""The promise that nothing leaves the machine: no verb of the default way opens an internet socket."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.core.paths import asset_path
from engine.formats.images import write_picture
from engine.sources.sample import SampleClip

ROOT = Path(__file__).resolve().parents[3]
PORTRAIT = str(asset_path("sample", "portrait.png"))
# Runs verbs, separated by “;”. Python's own sockets are seen by an audit hook; those of native code by the kernel,
# which ends the process: a seccomp filter of classic BPF, see Documentation/userspace-api/seccomp_filter.rst.
WATCHED = """
import ctypes, socket, struct, sys

def watch(event, arguments):
    internet = event == "socket.__new__" and arguments[1] in (socket.AF_INET, socket.AF_INET6)
    if internet or event in ("socket.getaddrinfo", "socket.gethostbyname"):
        raise SystemExit(f"opened: {event} {arguments}")

sys.addaudithook(watch)
if sys.argv.pop(1) == "kernel":
    LOAD, EQUAL, RETURN, ALLOW, KILL = 0x20, 0x15, 0x06, 0x7FFF0000, 0x80000000
    program = [
        (LOAD, 0, 0, 0), (EQUAL, 0, 4, 41),  # the number of the call, and of socket() on x86-64
        (LOAD, 0, 0, 16), (EQUAL, 1, 0, socket.AF_INET), (EQUAL, 0, 1, socket.AF_INET6),  # its first argument
        (RETURN, 0, 0, KILL), (RETURN, 0, 0, ALLOW),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
    whole = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program), ctypes.addressof(code)))
    libc = ctypes.CDLL(None)
    assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, whole, 0, 0) == 0
from app.cli.main import main
words = " ".join(sys.argv[1:]).split(" ; ")
for verb in words:
    code = main(verb.split(" "))
    assert code == 0, (verb, code)
"""


def watched(tmp_path, *words, before=""):
    """Run verbs under watch; return the exit code and what they wrote to the error stream."""
    kernel = "kernel" if sys.platform == "linux" and platform.machine() == "x86_64" else "python"
    environment = {**os.environ, "HOME": str(tmp_path), "QT_QPA_PLATFORM": "offscreen"}
    folders = {f"XDG_{kind}_HOME": str(tmp_path) for kind in ("CONFIG", "DATA", "STATE")}
    done = subprocess.run(
        [sys.executable, "-c", WATCHED.replace("words =", f"{before}\nwords ="), kernel, *words],
        cwd=ROOT, env={**environment, **folders}, capture_output=True, text=True, timeout=150,
    )  # fmt: skip
    return done.returncode, done.stderr


def test_no_verb_without_a_window_opens_an_internet_socket(tmp_path):
    pack = tmp_path / "pack"
    picture, truth = SampleClip().frame(0)
    write_picture(pack / "images" / "0.png", picture)
    np.savez(pack / "annotations.npz", image=["images/0.png"], landmarks=truth.points[None], subset=["full"])
    verbs = [
        f"run sample --headless --frames 3 --record {tmp_path}/clip.mp4",
        f"predict {PORTRAIT} --out {tmp_path}/landmarks",
        f"evaluate --data {pack}",
        "models", "cameras", "filter list", "doctor",
    ]  # fmt: skip
    code, errors = watched(tmp_path, " ; ".join(verbs))
    assert code == 0, errors[-2000:]
    assert list((tmp_path / "landmarks").iterdir())


def test_the_window_opens_no_internet_socket(tmp_path):
    code, errors = watched(tmp_path, f"run sample --screenshot {tmp_path}/window.png", before=(
        "import app.cli.run; app.cli.run.SCREENSHOT_AFTER = 1.5"
    ))  # fmt: skip
    assert code == 0, errors[-2000:]
    assert (tmp_path / "window.png").exists()


@pytest.mark.parametrize("opening", ["socket.socket(socket.AF_INET)", "ctypes.CDLL(None).socket(10, 1, 0)"])
def test_the_watch_sees_a_socket(tmp_path, opening):
    if "CDLL" in opening and not (sys.platform == "linux" and platform.machine() == "x86_64"):
        pytest.skip("native code is watched on Linux on x86-64 only")
    code, errors = watched(tmp_path, "models", before=opening)
    assert "opened: socket" in errors or code == -signal.SIGSYS
