"""What a report of a fault says, and what never stands in it."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

import pytest

from app.shell.report import LAST_CRASH, about, end_of_log, last_crash, log_path, without_names, without_private

LOG = "2026-11-28 10:00:00,123 WARNING engine.sources.video: "


@pytest.mark.parametrize(
    "message",
    [
        "Decoding My secret clip.mp4 failed: no picture",
        "Decoding My secret clip, part 2.MP4 failed",
        "The log /data/My secret/x y cannot be written (Permission denied)",
        r"The log D:\secret\x.log cannot be written",
        r"The log \\server\secret\x cannot be written",
        "~/secret is used, and not that in ~/secret two",
        "“secret/first.png” cannot be read",
        "[Errno 2] No such file or directory: 'secret.npz'",
        "secret/clip is gone",
        "rtsp://anna:secret@camera.example/1 does not answer",
        "udp://secret:5005 cannot be reached",
        "password=secret was refused",
        "token: secret",
        "anna@secret.example",
    ],
)
def test_names_addresses_and_passwords_are_left_out(message):
    assert "secret" in message
    line = without_private(LOG + message)
    assert "secret" not in line
    assert line.startswith(LOG)


@pytest.mark.parametrize(
    "message",
    [
        "The cameras cannot be listed: no backend",
        "Brio 4K (backend 200): The camera “Brio 4K” opens but gives no picture. Another program probably uses it.",
        "A driver does not return; its thread is abandoned (HD Webcam)",
        "The trial of it ended with -11",
    ],
)
def test_what_helps_stays(message):
    assert without_private(LOG + message) == LOG + message


def test_a_trace_keeps_places_in_the_program_and_loses_the_users_code(tmp_path):
    hook = tmp_path / "app" / "secret.py"
    hook.parent.mkdir()
    hook.write_text("def draw():\n    from engine.core.files import read_regular\n    read_regular(__file__, -1)\n")
    names = {"__file__": hook}
    exec(compile(hook.read_text(), str(hook), "exec"), names)
    try:
        names["draw"]()
    except OSError:
        trace = traceback.format_exc()
    assert "secret" in trace
    kept = without_private(trace)
    assert "secret" not in kept
    assert str(tmp_path) not in kept
    assert 'File "engine/core/files.py", line ' in kept
    assert "raise _too_large(path, cap)" in kept, "the program's own code"
    assert "read_regular(__file__, -1)" not in kept, "the code of the user"
    assert kept.splitlines()[-1].startswith("OSError: ")


def test_places_in_bundles_libraries_and_python_stay():
    lines = [
        'File "engine/live/session.py", line 3 in run',
        r'File "D:\anna\app\.venv\Lib\site-packages\cv2\__init__.py", line 4 in load',
        'File "/home' + '/anna/python3.11/threading.py", line 5 in run',
    ]
    assert without_private("\n".join(lines)).splitlines() == [
        'File "engine/live/session.py", line 3 in run',
        'File "site-packages/cv2/__init__.py", line 4 in load',
        'File "python3.11/threading.py", line 5 in run',
    ]


def test_the_end_of_the_log_and_the_last_crash_are_read(tmp_path):
    assert (end_of_log(tmp_path), last_crash(tmp_path)) == ("", "")
    (tmp_path / log_path().name).write_text("old\n" * 5_000 + LOG + "The model cannot be used\n")
    (tmp_path / LAST_CRASH).write_text("hook: /data/mine.py   \nFatal Python error: Aborted\n")
    assert end_of_log(tmp_path).endswith("The model cannot be used")
    assert len(end_of_log(tmp_path)) <= 4_000
    assert last_crash(tmp_path) == "hook: <path>\nFatal Python error: Aborted"


def test_the_first_line_names_versions():
    assert about().startswith("Understudy ")
    assert f"Python {sys.version_info.major}.{sys.version_info.minor}" in about()
    assert str(Path.home()) not in about()


def test_a_sentence_loses_its_paths():
    assert without_names("The model /data/mine.tflite is damaged") == "The model <path>"
