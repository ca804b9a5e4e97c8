"""What libraries need, and that what is under the GPL is found by names, linkage and content."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import PySide6
import pytest

SMALL = Path(PySide6.__file__).parent / "Qt" / "plugins" / "platforms" / "libqminimal.so"
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="tried on a library of Linux")
GPL = [
    "libx264.so.164",
    "libx265.so",
    "libx264-1a2b3c4d.so.164.0.0",
    "x264-164.dll",
    "libpostproc.so.56",
    "libreadline.so.8",
    "readline.cpython-311-x86_64-linux-gnu.so",
    "_gdbm.cpython-311-x86_64-linux-gnu.so",
    "libgdbm.so.6",
    "libfftw3f.so.3",
    "libQt6Charts.so.6",
    "Qt6Charts.dll",
    "QtCharts.abi3.so",
    "libQt6VirtualKeyboard.so.6",
    "libqtvirtualkeyboardplugin.so",
    "libQt6Quick3DPhysics.so.6",
    "QtDataVisualization",
    "libQt6WaylandCompositor.so.6",
]
FREE = [
    "libavcodec-76c43bf0.so.59.37.100",
    "libQt6Core.so.6",
    "libQt6WaylandClient.so.6",
    "QtWidgets.abi3.so",
    "libQt6Svg.so.6",
    "libopenh264.so.7",
    "libscipy_openblas64_-32a4b2a6.so",
    "libgfortran-040039e1.so.5.0.0",
    "libstdc++.so.6",
    "libmd.so.0",
    "readline.py",
    "libcrypto.so.3",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bundle with one library that is in order."""
    (tmp_path / "bundle" / "inside").mkdir(parents=True)
    shutil.copy(SMALL, tmp_path / "bundle" / "inside" / "libqminimal.so")
    return tmp_path / "bundle"


def test_a_free_library_passes(libraries, folder):
    assert libraries.gpl_parts(folder) == []


@pytest.mark.parametrize("name", GPL)
def test_what_is_under_the_gpl_is_found_by_its_name(libraries, folder, name):
    (folder / "inside" / name).touch()
    assert libraries.gpl_parts(folder) == [f"inside/{name} is a library under the GPL, by its name."]


@pytest.mark.parametrize("name", FREE)
def test_others_of_like_names_pass(libraries, folder, name):
    (folder / "inside" / name).touch()
    assert libraries.gpl_parts(folder) == []


def test_what_is_linked_with_the_gpl_is_found_whatever_its_name(libraries, folder):
    import lief

    binary = lief.parse(str(SMALL))
    binary.add_library("libx264.so.164")
    binary.write(str(folder / "harmless.so"))
    assert libraries.gpl_parts(folder) == ["harmless.so is linked with libx264.so.164, which is under the GPL."]


@pytest.mark.parametrize("mark", [b"x264 [%s]: ", b"./configure --enable-gpl --enable-libx264"])
def test_what_contains_the_gpl_is_found(libraries, folder, mark):
    (folder / "harmless.so").write_bytes(SMALL.read_bytes() + mark)
    found = libraries.gpl_parts(folder)
    assert len(found) == 1
    assert found[0].startswith("harmless.so contains ")


def test_the_decoder_of_ffmpeg_is_not_taken_for_the_encoder(libraries, folder):
    (folder / "libavcodec.so.59").write_bytes(SMALL.read_bytes() + b"x264 - core %d")
    assert libraries.gpl_parts(folder) == []


def test_what_a_library_needs_is_read_from_its_headers(libraries):
    assert {"libQt6Gui.so.6", "libQt6Core.so.6", "libc.so.6"} <= libraries.needed(SMALL)
    assert (2, 2) < libraries.glibc([SMALL]) < (3, 0)


def test_a_damaged_library_is_named(libraries, tmp_path):
    damaged = tmp_path / "damaged.dll"
    damaged.write_bytes(b"MZ" + b"\0" * 100)
    with pytest.raises(ValueError, match=r"damaged\.dll is damaged"):
        libraries.needed(damaged)


def test_what_nobody_needs_is_left_out_and_what_others_need_is_kept(libraries, monkeypatch):
    needs = {"program": {"a", "libc.so.6"}, "a": {"b"}, "b": {"a"}, "spare": {"b"}}
    monkeypatch.setattr(libraries, "needed", lambda file: needs[file.name])
    others = {name: Path(name) for name in ("a", "b", "spare")}
    assert libraries.closure([Path("program")], others) == {"a", "b"}


def test_what_is_left_to_the_system_is_listed_with_who_needs_it(libraries, folder):
    left = libraries.left_to_system(folder)
    assert left["libQt6Core.so.6"] == ["libqminimal.so"]
    assert not [name for name in left if name.startswith(("libc.", "libm.", "ld-linux"))]
    (folder / "libQt6Core.so.6").touch()
    assert "libQt6Core.so.6" not in libraries.left_to_system(folder)
