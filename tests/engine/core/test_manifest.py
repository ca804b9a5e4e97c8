"""The list of a bundle's files: what is missing or damaged is found, and nothing else."""

from __future__ import annotations

import os

import pytest

from engine.core import manifest
from engine.core.manifest import MANIFEST, cut_off, problems, read_manifest, write_manifest


@pytest.fixture
def folder(tmp_path):
    """A listed folder."""
    (tmp_path / "models").mkdir()
    for name in ("models/a.tflite", "library.so", "Größe.png", "empty"):
        (tmp_path / name).write_bytes(name.encode() * (name != "empty"))
    write_manifest(tmp_path)
    return tmp_path


def test_untouched_files_are_as_they_were_listed(folder):
    entries = read_manifest(folder)
    assert set(entries) == {"models/a.tflite", "library.so", "Größe.png", "empty"}
    assert problems(folder, entries) == {}
    assert write_manifest(folder).name == MANIFEST
    assert read_manifest(folder) == entries, "the list does not list itself"


def test_what_is_missing_or_changed_is_named(folder):
    (folder / "models" / "a.tflite").unlink()
    (folder / "library.so").write_bytes(b"library.s0")
    (folder / "empty").write_bytes(b"x")
    expected = {"models/a.tflite": "is missing", "library.so": "is damaged", "empty": "is damaged"}
    assert problems(folder, read_manifest(folder)) == expected


@pytest.mark.skipif(os.name == "nt", reason="links of POSIX")
def test_links_are_compared_by_where_they_point(folder):
    link = folder / "link.so"
    link.symlink_to("library.so")
    write_manifest(folder)
    entries = read_manifest(folder)
    assert problems(folder, entries) == {}
    link.unlink()
    assert problems(folder, entries) == {"link.so": "is missing"}
    link.symlink_to("Größe.png")
    assert problems(folder, entries) == {"link.so": "is damaged"}


def test_libraries_that_were_cut_off_are_found_by_their_size(folder):
    entries = read_manifest(folder)
    assert cut_off(folder, entries) == []
    (folder / "Größe.png").write_bytes(b"")  # no library
    (folder / "library.so").write_bytes(b"lib")
    assert cut_off(folder, entries) == ["library.so"]
    (folder / "library.so").unlink()
    assert cut_off(folder, entries) == ["library.so"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"a": '])
def test_a_list_that_is_none_is_refused(folder, content):
    (folder / MANIFEST).write_bytes(content)
    with pytest.raises(ValueError, match="."):
        read_manifest(folder)


def test_an_installed_package_is_listed_by_pip(folder, monkeypatch):
    from importlib.metadata import FileHash, PackagePath

    listed = []
    for name in ("assets/a.png", "understudy.py", "other/b.py", "understudy-1.dist-info/RECORD"):
        path = PackagePath(name)
        path.hash = None if name.endswith("RECORD") else FileHash("sha256=x4MAGgVwAyIaJZDXQX8T4RscPc1Gax4dy0MeWl2jgJs")
        path.size = 5
        listed.append(path)
    monkeypatch.setattr(manifest, "files", lambda package: listed)
    (folder / MANIFEST).unlink()
    entries = read_manifest(folder)
    state = "5 c783001a057003221a2590d7417f13e11b1c3dcd466b1e1dcb431e5a5da3809b"
    assert entries == {"assets/a.png": state, "understudy.py": state}
