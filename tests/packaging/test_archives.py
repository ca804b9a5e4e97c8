"""Archives of a bundle: what is in them, that they are the same each time, and what desktops read of them."""

from __future__ import annotations

import configparser
import hashlib
import os
import shutil
import stat
import subprocess
import tarfile
import time
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import pytest

LINUX = Path(__file__).resolve().parents[2] / "packaging" / "linux"
MOMENT = 1_700_000_000
pytestmark = pytest.mark.skipif(os.name == "nt", reason="links and executable bits of POSIX")


@pytest.fixture
def folder(tmp_path):
    """A small bundle with a program, a link and what desktops show."""
    bundle = tmp_path / "understudy"
    (bundle / "_internal" / "Räume").mkdir(parents=True)
    (bundle / "_internal" / "Räume" / "library.so").write_bytes(b"library")
    (bundle / "_internal" / "library.so").symlink_to("Räume/library.so")
    (bundle / "understudy").write_text("#!/bin/sh\nneeded=2.35\n")
    (bundle / "understudy").chmod(0o755)
    (bundle / "LICENSE.txt").write_text("Apache")
    (bundle / "share").mkdir()
    for name in ("understudy.svg", "understudy.png"):
        (bundle / "share" / name).write_bytes(b"icon")
    for file in LINUX.iterdir():
        shutil.copy(file, bundle / "share")
    return bundle


@pytest.mark.parametrize("ending", ["tar.gz", "tar.xz"])
def test_a_tar_keeps_links_and_programs_and_is_root_s(load, folder, tmp_path, ending):
    made = load("archives").tar(folder, tmp_path / f"x.{ending}", MOMENT)
    with tarfile.open(made) as archive:
        entries = {entry.name: entry for entry in archive}
    assert entries["understudy/_internal/library.so"].linkname == "Räume/library.so"
    assert entries["understudy/understudy"].mode == 0o755
    assert entries["understudy/LICENSE.txt"].mode == 0o644
    assert {(entry.uid, entry.uname, entry.mtime) for entry in entries.values()} == {(0, "root", MOMENT)}


@pytest.mark.parametrize(("form", "ending"), [("tar", "tar.xz"), ("tar", "tar.gz"), ("zipped", "zip")])
def test_the_same_files_give_the_same_bytes(load, folder, tmp_path, monkeypatch, form, ending):
    pack = getattr(load("archives"), form)
    before = pack(folder, tmp_path / f"x.{ending}", MOMENT).read_bytes()
    for file in folder.rglob("*"):
        if not file.is_symlink():
            os.utime(file, (1, 1))
    monkeypatch.setattr(time, "time", lambda: 2.0 * MOMENT)
    assert pack(folder, tmp_path / f"x.{ending}", MOMENT).read_bytes() == before


def test_a_zip_holds_every_file_below_the_folder_s_name(load, folder, tmp_path):
    with zipfile.ZipFile(load("archives").zipped(folder, tmp_path / "x.zip", MOMENT)) as archive:
        assert archive.testzip() is None
        assert archive.read("understudy/_internal/Räume/library.so") == b"library"
        assert archive.getinfo("understudy/understudy").external_attr >> 16 & 0o111


def test_a_zip_keeps_links_to_files_and_to_folders(load, folder, tmp_path):
    (folder / "Frameworks").symlink_to("_internal/Räume")
    with zipfile.ZipFile(load("archives").zipped(folder, tmp_path / "x.zip", MOMENT)) as archive:
        for name, end in (("_internal/library.so", "Räume/library.so"), ("Frameworks", "_internal/Räume")):
            assert archive.read(f"understudy/{name}").decode() == end
            assert stat.S_ISLNK(archive.getinfo(f"understudy/{name}").external_attr >> 16)
        assert "understudy/Frameworks/library.so" not in archive.namelist()


@pytest.mark.skipif(shutil.which("unzip") is None, reason="needs unzip, which macOS has")
def test_unzip_makes_the_links_of_a_zip(load, folder, tmp_path):
    (folder / "Frameworks").symlink_to("_internal")
    made = load("archives").zipped(folder, tmp_path / "x.zip", MOMENT)
    subprocess.run(["unzip", "-q", made, "-d", tmp_path / "there"], check=True)
    there = tmp_path / "there" / "understudy"
    assert (there / "Frameworks").readlink() == Path("_internal")
    assert (there / "Frameworks" / "library.so").read_bytes() == b"library"
    assert os.access(there / "understudy", os.X_OK)


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="needs dpkg-deb, which makes packages of Debian")
def test_the_package_of_debian_puts_everything_where_desktops_look(load, folder, tmp_path):
    fields = {
        "Package": "understudy", "Version": "1.2.3", "Architecture": "all", "Maintainer": "Us <us@example.org>",
        "Description": "short\n long",
    }  # fmt: skip
    made = load("archives").deb(folder, tmp_path / "work", tmp_path / "x.deb", fields, MOMENT)
    listed = subprocess.run(["dpkg-deb", "--contents", made], capture_output=True, text=True, check=True).stdout
    assert "./usr/bin/understudy -> ../lib/understudy/understudy" in listed
    for name in (
        "usr/lib/understudy/understudy", "usr/share/applications/understudy.desktop",
        "usr/share/metainfo/org.understudy.Understudy.metainfo.xml",
        "usr/share/icons/hicolor/256x256/apps/understudy.png", "usr/share/doc/understudy/copyright",
    ):  # fmt: skip
        assert f" ./{name}\n" in listed
    assert {line.split()[1] for line in listed.splitlines()} == {"root/root"}
    shown = subprocess.run(["dpkg-deb", "--field", made], capture_output=True, text=True, check=True).stdout
    assert "Version: 1.2.3" in shown
    assert "Installed-Size: " in shown


def test_checksums_are_written_as_sha256sum_reads_them(load, tmp_path):
    for name in ("b.zip", "a.deb"):
        (tmp_path / name).write_text(name)
    text = load("archives").write_checksums([tmp_path / "b.zip", tmp_path / "a.deb"]).read_text()
    sums = [hashlib.sha256(name.encode()).hexdigest() for name in ("a.deb", "b.zip")]
    assert text == f"{sums[0]}  a.deb\n{sums[1]}  b.zip\n"


def test_the_desktop_entry_starts_the_program_with_a_file():
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str
    parser.read(LINUX / "understudy.desktop", encoding="utf-8")
    entry = parser["Desktop Entry"]
    assert (entry["Type"], entry["Exec"], entry["Icon"]) == ("Application", "understudy run %f", "understudy")
    assert all(entry[name].endswith(";") for name in ("Categories", "Keywords", "MimeType"))
    from app import app  # whose application names this file to the desktop

    assert 'setDesktopFileName("understudy")' in Path(app.__file__).read_text(encoding="utf-8")


def test_the_metadata_of_the_shop_names_the_desktop_entry():
    root = ET.parse(LINUX / "org.understudy.Understudy.metainfo.xml").getroot()
    assert root.findtext("id") == "org.understudy.Understudy"
    assert root.findtext("launchable") == "understudy.desktop"
    assert root.find("releases/release").get("version") == "@VERSION@"  # which the build fills in


@pytest.mark.parametrize(
    ("tool", "arguments", "name"),
    [
        ("desktop-file-validate", [], "understudy.desktop"),
        ("appstreamcli", ["validate", "--no-net", "--pedantic"], "org.understudy.Understudy.metainfo.xml"),
    ],
)
def test_the_tools_of_desktops_accept_them(tool, arguments, name, tmp_path):
    if shutil.which(tool) is None:
        pytest.skip(f"needs {tool}")
    text = (LINUX / name).read_text(encoding="utf-8").replace("@VERSION@", "1.2.3").replace("@DATE@", "2026-01-31")
    (tmp_path / name).write_text(text, encoding="utf-8")
    done = subprocess.run([tool, *arguments, str(tmp_path / name)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
