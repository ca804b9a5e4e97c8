"""A window that cannot be shown is a sentence, and never Qt's own end of the process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli import display
from app.cli.display import display_problem, require_libraries
from engine.core.errors import UsageError

ROOT = Path(__file__).resolve().parents[3]
QT_LIBRARIES = ROOT / "packaging" / "qt-libraries.txt"
NAMES = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "XDG_RUNTIME_DIR")

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is always a display")


def run(*arguments, **environment):
    """Run the program with only these of the variables of displays; return its exit code and its errors."""
    kept = {name: value for name, value in os.environ.items() if name not in NAMES}
    done = subprocess.run(
        [sys.executable, "-m", "app", "run", *arguments], cwd=ROOT, env={**kept, **environment},
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"DISPLAY": ":987"}, "The display :987 cannot be reached"),
        (
            {"WAYLAND_DISPLAY": "wayland-987", "XDG_RUNTIME_DIR": "/nowhere"},
            "The display wayland-987 cannot be reached",
        ),
        ({"QT_QPA_PLATFORM": "xcb"}, "No display was found"),
        ({}, "No display was found"),
        ({"QT_QPA_PLATFORM": "offscreen"}, None),
        ({"QT_QPA_PLATFORM": "xcb;offscreen", "DISPLAY": ":987"}, None),
    ],
)
def test_a_display_that_does_not_answer_is_noticed(monkeypatch, environment, words):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert display_problem(environment) == words


def test_without_a_display_that_answers_the_program_runs_without_a_window():
    code, errors = run("no-such-file.mp4", DISPLAY=":987")
    assert code == 1, "the file is looked for, so Qt did not end the process"
    assert "The display :987 cannot be reached, so this runs without a window." in errors
    assert "no-such-file.mp4" in errors


def test_an_unknown_platform_of_qt_is_a_sentence():
    code, errors = run("sample", QT_QPA_PLATFORM="hologram")
    assert code == 1
    assert "Qt cannot show windows on “hologram”" in errors
    assert "offscreen" in errors


def test_a_missing_library_is_named_with_the_line_that_installs_it(monkeypatch, tmp_path):
    (tmp_path / "libqxcb.so").write_bytes(b"no library")
    monkeypatch.setattr(display, "_plugins", lambda: tmp_path)
    monkeypatch.setattr(display, "_missing", lambda plugin: ["libxcb-cursor.so.0", "libxkbcommon-x11.so.0"])
    with pytest.raises(UsageError, match=r"missing here: libxcb-cursor\.so\.0, libxkbcommon-x11\.so\.0") as refused:
        require_libraries({"DISPLAY": ":0"})
    assert "“sudo apt-get install libxcb-cursor0 libxkbcommon-x11-0”" in refused.value.fix


def test_one_platform_that_can_be_loaded_is_enough(monkeypatch, tmp_path):
    (tmp_path / "libqxcb.so").write_bytes(b"no library")
    assert display._plugins() is not None
    real = next(display._plugins().glob("libqoffscreen.so"))
    (tmp_path / "libqoffscreen.so").symlink_to(real)
    monkeypatch.setattr(display, "_plugins", lambda: tmp_path)
    require_libraries({"QT_QPA_PLATFORM": "xcb;offscreen"})


def test_packages_are_named_as_in_the_list_of_what_qt_needs():
    lines = [line.split() for line in QT_LIBRARIES.read_text().splitlines() if not line.startswith("#")]
    assert [display.debian_package(library) for library, _ in lines] == [package for _, package in lines]
