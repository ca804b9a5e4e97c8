"""Files from outside: only regular ones are read, below a cap, and never with a wait."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from engine.core.files import open_regular, read_regular


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
