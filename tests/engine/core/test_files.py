"""Files from outside are regular ones below a cap; what is written is whole or not there, also when many write."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.core import files
from engine.core.files import open_regular, partial_path, read_regular, replaced
from engine.core.platforms import birth


def test_a_regular_file_is_read_up_to_its_cap(tmp_path):
    file = tmp_path / "some.txt"
    file.write_bytes(b"12345")
    assert read_regular(file, 5) == b"12345"
    with pytest.raises(OSError, match="it is larger than 0.004 kB") as refused:
        read_regular(file, 4)
    assert refused.value.strerror == "it is larger than 0.004 kB"
    link = tmp_path / "link"
    link.symlink_to(file)
    assert read_regular(link, 5) == b"12345"


def test_a_missing_file_and_a_folder_are_errors_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "none", 5)
    with pytest.raises(OSError):  # noqa: PT011  its words and its kind are the system's
        read_regular(tmp_path, 5)


@pytest.mark.skipif(sys.platform == "win32", reason="such files are Unix's")
def test_pipes_devices_and_sockets_are_refused_at_once(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for name in ("pipe", "zero"):
        with pytest.raises(OSError, match="a pipe, a device or a socket, not a file"):
            read_regular(tmp_path / name, 10**12)
    with socket.socket(socket.AF_UNIX) as listening:
        monkeypatch.chdir(tmp_path)  # the path of a socket must be short
        listening.bind("socket")
        with pytest.raises(OSError):  # noqa: PT011  the system refuses to open it
            read_regular(Path("socket"), 5)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux has such files")
def test_a_file_that_claims_no_size_is_capped_too():
    assert b"Pid:" in read_regular(Path("/proc/self/status"), 100_000)
    with pytest.raises(OSError, match="larger than"):
        read_regular(Path("/proc/self/status"), 10)


def test_an_opened_file_can_be_read_in_parts(tmp_path):
    (tmp_path / "lines").write_bytes(b"one\ntwo\n")
    with open_regular(tmp_path / "lines", 100) as stream:
        assert [stream.readline(), stream.readline(2), stream.seek(0), stream.read(3)] == [b"one\n", b"tw", 0, b"one"]


WRITER = """
import sys
from pathlib import Path
from engine.core.files import replaced
path, text = Path(sys.argv[1]), sys.argv[2] * 50_000
for number in range(150):
    with replaced(path, durable=number % 50 == 0) as temporary:
        temporary.write_text(text)
"""


def test_two_programs_that_write_one_file_at_once_neither_fail_nor_mix(tmp_path):
    path = tmp_path / "shared.txt"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, path, letter], stderr=subprocess.PIPE, text=True)
        for letter in "abc"
    ]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        if path.exists():
            text = path.read_text()
            assert len(text) == 50_000
            assert len(set(text)) == 1, "two texts are mixed"
            seen.add(text[0])
    assert [writer.communicate()[1] for writer in writers] == ["", "", ""]
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert list(tmp_path.iterdir()) == [path]
    assert seen <= set("abc")


def test_a_name_keeps_its_ending_and_is_given_once(tmp_path):
    first, second = partial_path(tmp_path / "a b.csv"), partial_path(tmp_path / "a b.csv")
    assert first != second
    assert {file.suffix for file in (first, second)} == {".csv"}
    assert first.name.startswith(".a b.")


@pytest.mark.parametrize("name", ["a" * 251 + ".csv", "é" * 125 + ".mp4", "長" * 83 + ".x.csv"])
def test_the_longest_names_can_be_written(tmp_path, name):
    with replaced(tmp_path / name) as temporary:
        assert len(os.fsencode(temporary.name)) <= 255
        temporary.write_text("x", encoding="utf-8")
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_of_the_longest_names_the_end_is_kept():
    assert ".640x480x25." in partial_path(Path("a" * 240 + ".640x480x25.mp4"), "recording").name


def test_a_failure_keeps_the_file_and_leaves_nothing(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("before")
    with pytest.raises(ZeroDivisionError), replaced(path) as temporary:
        temporary.write_text(str(1 // len(path.suffixes[1:])))
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not say whether a process has ended")
def test_what_cannot_be_written_is_called_as_its_user_calls_it(tmp_path, monkeypatch):
    goal = tmp_path / "points.csv"
    monkeypatch.setattr(files, "partial_path", lambda path: path.parent / "gone" / "hidden.part.csv")
    with pytest.raises(FileNotFoundError) as refused, replaced(goal) as temporary:
        temporary.write_text("x", encoding="utf-8")
    assert refused.value.filename == str(goal)
    with pytest.raises(FileNotFoundError) as refused, replaced(goal):
        (tmp_path / "picture.png").read_bytes()
    assert refused.value.filename == str(tmp_path / "picture.png"), "others keep their names"


def test_fault_19_what_a_killed_program_left_is_removed_and_what_others_write_is_kept(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-c", "from engine.core.files import partial_path; from pathlib import Path; import sys\n"
         "partial_path(Path(sys.argv[1])).write_text('half')", tmp_path / "a.txt"], check=True,
    )  # fmt: skip
    assert ended.returncode == 0
    (left,) = tmp_path.iterdir()
    foreign = left.with_name(left.name.replace(files._MACHINE, "00000000"))
    old = left.with_name(left.name.replace(files._MACHINE, "00000001"))
    mine, own = partial_path(tmp_path / "b.txt"), tmp_path / ".my own.part.txt"
    for file in (foreign, old, mine, own):
        file.write_text("kept")
    os.utime(old, (time.time() - 2 * files.STALE,) * 2)
    with replaced(tmp_path / "c.txt", durable=True) as temporary:
        temporary.write_text("new")
    assert set(tmp_path.iterdir()) == {foreign, mine, own, tmp_path / "c.txt"}


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells processes of one number apart")
def test_a_clock_that_jumps_costs_no_running_program_its_file(tmp_path):
    mine = partial_path(tmp_path / "clip.mp4", "recording")
    mine.write_text("still being written")
    os.utime(mine, (time.time() - 100 * files.STALE,) * 2)
    assert files.left_behind(tmp_path, "recording") == []


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells processes of one number apart")
def test_after_a_restart_another_process_of_the_same_number_keeps_nothing_from_being_found(tmp_path):
    mine = partial_path(tmp_path / "clip.mp4", "recording")
    former = mine.with_name(mine.name.replace(birth(os.getpid()), "00000000"))
    for file in (mine, former):
        file.write_text("half")
    assert files.left_behind(tmp_path, "recording") == [former]


def test_without_births_a_running_program_counts_as_ended_after_a_day(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "birth", lambda process: "")  # as on macOS, and in names of former versions
    new, old = partial_path(tmp_path / "new.mp4", "recording"), partial_path(tmp_path / "old.mp4", "recording")
    for file in (new, old):
        file.write_text("half")
    os.utime(old, (time.time() - 2 * files.STALE,) * 2)
    assert files.left_behind(tmp_path, "recording") == [old]
    monkeypatch.undo()
    assert files.left_behind(tmp_path, "recording") == [old]


def test_durable_files_reach_the_disk_before_they_get_their_name(tmp_path, monkeypatch):
    path, synced = tmp_path / "a.txt", []
    monkeypatch.setattr(os, "fsync", lambda number: synced.append(path.exists()))
    with replaced(path, durable=True) as temporary:
        temporary.write_text("x")
    assert synced == [False]
    with replaced(Path(path)) as temporary:
        temporary.write_text("y")
    assert synced == [False]
