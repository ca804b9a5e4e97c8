"""What differs between systems, on each of them by a fake; and that nothing else asks which system this is."""

from __future__ import annotations

import os
import platform
import re
import shlex
import subprocess
import sys
from pathlib import Path, PurePosixPath, PureWindowsPath

import cv2
import pytest

from engine.core import platforms
from engine.core.errors import UsageError
from engine.core.files import replaced
from engine.core.output_guard import OutputGuard
from engine.core.platforms import LINUX, MACOS, WINDOWS, name_problem, safe_name, unfit_part
from engine.filters.library import create_filter
from engine.output.virtual_camera import problem_error
from tests.conftest import ROOT

SYSTEMS = (LINUX, MACOS, WINDOWS)


@pytest.fixture
def stand_on(monkeypatch):
    """Return what makes this another system."""
    return lambda system: monkeypatch.setattr(platform, "system", lambda: system)


def test_only_this_room_asks_which_system_it_is():
    asks = re.compile(r"sys\.platform|os\.name\b|platform\.(system|uname)\(|os\.uname|(?<!\w)(win32|darwin)\b")
    room = ROOT / "engine" / "core" / "platforms.py"
    files = [file for package in ("app", "engine", "trainer") for file in (ROOT / package).rglob("*.py")]
    assert asks.search(room.read_text(encoding="utf-8"))
    found = [file for file in files if file != room and asks.search(file.read_text(encoding="utf-8"))]
    assert [file.relative_to(ROOT).as_posix() for file in found] == []


# Cameras


@pytest.mark.parametrize(
    ("system", "expected"),
    [
        (WINDOWS, (cv2.CAP_DSHOW, cv2.CAP_MSMF)),
        (MACOS, (cv2.CAP_AVFOUNDATION,)),
        (LINUX, (cv2.CAP_V4L2,)),
        ("Plan 9", (cv2.CAP_ANY,)),
    ],
)
def test_each_system_has_its_backends_and_unknown_ones_have_any(stand_on, system, expected):
    stand_on(system)
    assert platforms.camera_backends() == expected


def test_macs_and_windows_have_a_place_for_permissions_in_words_and_as_an_address(stand_on):
    for system in SYSTEMS:
        stand_on(system)
        places = platforms.camera_place(), platforms.camera_settings()
        assert all(places) if system != LINUX else places == (None, None)
    stand_on(MACOS)
    assert platforms.camera_settings().startswith("x-apple.systempreferences:")
    stand_on(WINDOWS)
    assert platforms.camera_settings() == "ms-settings:privacy-webcam"


@pytest.mark.parametrize(
    ("system", "driver"), [(LINUX, "modprobe v4l2loopback"), (WINDOWS, "OBS"), (MACOS, "close OBS"), ("Plan 9", "see")]
)
def test_fault_87_the_driver_of_a_virtual_camera_is_that_of_the_system(stand_on, system, driver):
    stand_on(system)
    assert driver in problem_error("device", "none", "python").fix


def test_fault_87_the_line_that_installs_the_package_is_quoted(stand_on):
    for system, quoted in ((WINDOWS, '"/my programs/python"'), (LINUX, "'/my programs/python'")):
        stand_on(system)
        fix = problem_error("package", "none", "/my programs/python").fix
        assert f"{quoted} -m pip install pyvirtualcam numpy" in fix


# Names of files


@pytest.mark.parametrize(
    "name",
    [
        "con", "NUL.txt", "Com1.pts", "lpt9.tar.gz", "aux .csv", "COM¹", "conin$",
        "a:b.csv", "what?.mp4", "a*b", 'say "hi".png', "<x>", "a|b", "a\tb", "a\\b", "end.", "end ",
    ],
)  # fmt: skip
def test_names_that_windows_does_not_allow(stand_on, tmp_path, name):
    stand_on(WINDOWS)
    assert name_problem(name) is not None
    assert name_problem(safe_name(name)) is None
    for target in (tmp_path / name, tmp_path / name / "clip.mp4"):
        with pytest.raises(UsageError, match="Nothing can be called"):
            OutputGuard().check(target)
    stand_on(LINUX)
    assert name_problem(name) is None
    OutputGuard().check(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "fits"), [("x" * 255, True), ("x" * 256, False), ("é" * 127, True), ("é" * 128, False)]
)
def test_names_have_255_bytes_at_most(stand_on, tmp_path, name, fits):
    stand_on(LINUX)
    if fits:
        OutputGuard().check(tmp_path / name)
        return
    with pytest.raises(UsageError, match="256 bytes where 255 are allowed") as caught:
        OutputGuard().check(tmp_path / name)
    assert "a short one" in caught.value.fix
    assert len(caught.value.what) < 150


@pytest.mark.parametrize("name", ["clip.mp4", "console.csv", "com10.pts", "nul-1", ".hidden", "é ü.png", ".."])
def test_names_that_every_system_allows(stand_on, name):
    stand_on(WINDOWS)
    assert name_problem(name) is None
    assert safe_name(name) == name or name == ".."


def test_separators_and_drives_are_no_part_of_names(stand_on):
    stand_on(WINDOWS)
    assert unfit_part(PureWindowsPath(r"C:\some where\clip.mp4")) is None
    assert unfit_part(PureWindowsPath(r"\\server\share\clip.mp4")) is None
    assert unfit_part(PurePosixPath("some/../clip.mp4")) is None
    assert unfit_part(PureWindowsPath(r"C:\aux\clip.mp4")) == ("aux", "aux is a device of Windows")


@pytest.mark.parametrize("name", ["HD Webcam: 2", "con", "/dev/video0", "...", ""])
def test_any_text_becomes_a_name_that_every_system_allows(stand_on, name):
    stand_on(WINDOWS)
    assert name_problem(safe_name(name)) is None
    assert safe_name(name)


@pytest.mark.parametrize("name", ["con", "Lpt1", "a:b", "end."])
def test_a_filter_has_a_name_that_every_system_allows(stand_on, tmp_path, name):
    for system in SYSTEMS:  # filters are passed on
        stand_on(system)
        with pytest.raises(UsageError, match="cannot be called"):
            create_filter(name, tmp_path)


# Files and processes


def test_a_line_for_the_terminal_is_quoted_as_the_system_reads_it(stand_on):
    words = ["ffmpeg", "-i", "/some where/it's.mp4"]
    for system in (LINUX, MACOS):
        stand_on(system)
        assert shlex.split(platforms.shell_line(words)) == words
    stand_on(WINDOWS)
    assert platforms.shell_line(words) == 'ffmpeg -i "/some where/it\'s.mp4"'


def test_on_windows_a_move_waits_for_the_program_that_has_the_file_open(stand_on, tmp_path, monkeypatch):
    target, refusals = tmp_path / "clip.mp4", [PermissionError(), PermissionError()]
    move = Path.replace

    def refuse_twice(path, to):
        if refusals:
            raise refusals.pop()
        return move(path, to)

    monkeypatch.setattr(Path, "replace", refuse_twice)
    stand_on(LINUX)
    with pytest.raises(PermissionError), replaced(target) as temporary:
        temporary.write_text("first")
    stand_on(WINDOWS)
    with replaced(target) as temporary:
        temporary.write_text("second")
    assert target.read_text() == "second"


def test_whether_a_process_runs_is_not_asked_where_asking_would_end_it(stand_on, monkeypatch):
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    stand_on(LINUX)
    assert platforms.is_running(os.getpid())
    assert not platforms.is_running(done.pid)
    stand_on(WINDOWS)
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("it would have been ended"))
    assert platforms.is_running(done.pid)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux says when a process began")
def test_no_two_processes_have_the_same_birth(stand_on):
    stand_on(LINUX)
    mine = platforms.birth(os.getpid())
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        theirs = platforms.birth(other.pid)
        assert re.fullmatch("[0-9a-f]{8}", theirs)
        assert platforms.birth(other.pid) == theirs != mine == platforms.birth(os.getpid())
        other.kill()
        os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
        assert platforms.birth(other.pid) == "", "it has ended, though nobody has asked how"
    assert platforms.birth(other.pid) == ""
    stand_on(MACOS)
    assert platforms.birth(os.getpid()) == ""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")
def test_a_file_is_locked_for_others_except_on_windows(stand_on, tmp_path):
    with (tmp_path / "mark").open("w") as first, (tmp_path / "mark").open("r") as second:
        stand_on(LINUX)
        platforms.lock(first)
        with pytest.raises(OSError):  # noqa: PT011  its words are the system's
            platforms.lock(second)
        stand_on(WINDOWS)
        platforms.lock(second)


def test_only_linux_may_lack_a_display_and_has_a_memory_to_tune(stand_on):
    for system in (MACOS, WINDOWS):
        stand_on(system)
        assert not platforms.may_lack_display()
        assert platforms.c_library() is None
    stand_on(LINUX)
    assert platforms.may_lack_display()


@pytest.mark.parametrize("home", [None, ""])
def test_home_is_that_of_the_password_database_where_the_environment_has_none(monkeypatch, home):
    pwd = pytest.importorskip("pwd", reason="Windows has no password database")
    monkeypatch.setenv("HOME", home or "")
    if home is None:
        monkeypatch.delenv("HOME")
    platforms.complete_home()
    assert os.environ["HOME"] == pwd.getpwuid(os.getuid()).pw_dir


def test_home_stays_as_the_user_set_it_and_is_nowhere_for_a_user_whom_nobody_knows(monkeypatch):
    pwd = pytest.importorskip("pwd", reason="Windows has no password database")
    monkeypatch.setenv("HOME", "/somewhere")
    platforms.complete_home()
    assert os.environ["HOME"] == "/somewhere"

    def unknown(user):
        raise KeyError(user)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.delenv("HOME")
    platforms.complete_home()
    assert not Path(os.environ["HOME"]).exists()
