"""The launcher of the bundle for Linux: what it refuses before anything is loaded, and how it starts the program."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

LAUNCHER = Path(__file__).resolve().parents[2] / "packaging" / "launcher.sh"
PROGRAM = '#!/bin/sh\nprintf "%s|" "$@"\nexit 7\n'
pytestmark = pytest.mark.skipif(os.name == "nt", reason="a shell script, for Linux alone")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle for glibc 2.35 in a folder with a space and an umlaut, with a program that shows its words."""
    folder = tmp_path / "under study ß"
    folder.mkdir()
    text = LAUNCHER.read_text(encoding="utf-8")
    values = {"GLIBC": "2.35", "MACHINE": "x86_64", "PARTS": "understudy-bin base.zip"}
    for name, value in values.items():
        assert f"@{name}@" in text
        text = text.replace(f"@{name}@", value)
    for name, content in (("understudy", text), ("understudy-bin", PROGRAM), ("base.zip", "")):
        (folder / name).write_text(content, encoding="utf-8")
        (folder / name).chmod(0o755)
    return folder


def start(program: Path, tmp_path: Path, getconf: str, machine: str = "x86_64", ldd: str = "exit 1"):
    """Run the launcher where `getconf`, `ldd` and `uname` are scripts, and little else is there."""
    tools = tmp_path / "tools"
    tools.mkdir(exist_ok=True)
    for name, body in (("getconf", getconf), ("ldd", ldd), ("uname", f"echo {machine}")):
        (tools / name).write_text(f"#!/bin/sh\n{body}\n")
        (tools / name).chmod(0o755)
    for name in ("dirname", "readlink", "head", "sh"):
        if not (tools / name).exists():
            (tools / name).symlink_to(shutil.which(name))
    command = [str(program), "run", "my clip.mp4", "--json=-"]
    return subprocess.run(command, env={"PATH": str(tools)}, capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize("version", ["2.35", "2.36", "2.100", "3.0", "2.35.1"])
def test_the_program_gets_its_words_where_the_system_is_new_enough(bundle, tmp_path, version):
    done = start(bundle / "understudy", tmp_path, f"echo glibc {version}")
    assert (done.returncode, done.stdout, done.stderr) == (7, "run|my clip.mp4|--json=-|", "")


@pytest.mark.parametrize("version", ["2.34", "2.4", "1.99", "2.31-13"])
def test_an_old_system_is_refused_in_three_sentences(bundle, tmp_path, version):
    done = start(bundle / "understudy", tmp_path, f"echo glibc {version}")
    assert (done.returncode, done.stdout) == (1, "")
    what, cause, fix = done.stderr.splitlines()
    assert what == (
        f"Understudy cannot start on this system: it needs glibc 2.35 or newer, and this system has {version}."
    )
    assert cause.startswith("  Likely cause: The system is older")
    assert fix.startswith("  What to do: Update the system")


def test_the_version_is_found_without_getconf_too(bundle, tmp_path):
    ldd = "echo 'ldd (Debian GLIBC 2.31-13) 2.31'; echo Copyright"
    done = start(bundle / "understudy", tmp_path, "exit 1", ldd=ldd)
    assert done.returncode == 1
    assert "this system has 2.31." in done.stderr


def test_another_c_library_is_named(bundle, tmp_path):
    done = start(bundle / "understudy", tmp_path, "exit 1", ldd="echo 'musl libc (x86_64)' >&2; exit 1")
    assert done.returncode == 1
    assert "this system has musl." in done.stderr


def test_an_unknown_version_is_no_reason_to_refuse(bundle, tmp_path):
    assert start(bundle / "understudy", tmp_path, "exit 1").returncode == 7


def test_another_processor_is_refused(bundle, tmp_path):
    done = start(bundle / "understudy", tmp_path, "echo glibc 2.36", machine="aarch64")
    assert done.returncode == 1
    assert "it is made for x86_64, and this one is aarch64." in done.stderr


@pytest.mark.parametrize("part", ["understudy-bin", "base.zip"])
def test_a_missing_part_of_the_loader_is_named(bundle, tmp_path, part):
    (bundle / part).unlink()
    done = start(bundle / "understudy", tmp_path, "echo glibc 2.36")
    assert done.returncode == 1
    assert f"{bundle / part} is missing or cannot be read." in done.stderr


def test_it_is_started_by_a_link_as_the_package_of_debian_has_it(bundle, tmp_path):
    link = tmp_path / "understudy"
    link.symlink_to(bundle / "understudy")
    assert start(link, tmp_path, "echo glibc 2.36").returncode == 7
