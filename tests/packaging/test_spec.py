"""What the spec of PyInstaller puts into the bundle, on three systems; a note-taker stands in for PyInstaller."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT / "packaging" / "understudy.spec"


@pytest.fixture
def run_spec(libraries, monkeypatch):
    """Return what runs the spec as on a system, and returns its names and the calls it makes."""

    def run(system: str, binaries=(), datas=()):
        calls: dict[str, list] = {}

        def note(name):
            def call(*arguments, **options):
                calls.setdefault(name, []).append((arguments, options))
                return SimpleNamespace(pure=[], scripts=[], binaries=list(binaries), datas=list(datas))

            return call

        hooks = types.ModuleType("PyInstaller.utils.hooks")
        hooks.collect_submodules = lambda package: [package, f"{package}.part"]
        hooks.copy_metadata = lambda package: [(f"{package}.dist-info", f"{package}.dist-info")]
        for name in ("PyInstaller", "PyInstaller.utils"):
            monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
        monkeypatch.setitem(sys.modules, "PyInstaller.utils.hooks", hooks)
        monkeypatch.setattr(sys, "platform", system)
        names = {name: note(name) for name in ("Analysis", "PYZ", "EXE", "COLLECT", "BUNDLE")}
        names["SPECPATH"] = str(SPEC.parent)
        exec(compile(SPEC.read_text(encoding="utf-8"), str(SPEC), "exec"), names)
        return names, calls

    return run


@pytest.mark.parametrize("system", ["linux", "win32", "darwin"])
def test_one_folder_not_packed_and_not_stripped_without_trainer_and_gpl(run_spec, system):
    _, calls = run_spec(system)
    ((_, analysis),) = calls["Analysis"]
    assert {"trainer", "torch", "pyvirtualcam", "readline", "_gdbm", "tests"} <= set(analysis["excludes"])
    assert {"app.part", "engine.part", "ai_edge_litert.interpreter"} <= set(analysis["hiddenimports"])
    for name in ("EXE", "COLLECT"):
        ((_, options),) = calls[name]
        assert options["upx"] is False
        assert options["strip"] is False
    assert calls["EXE"][0][1]["exclude_binaries"] is True
    assert calls["EXE"][0][1]["name"] == ("understudy-bin" if system == "linux" else "understudy")


def test_assets_go_in_but_models_that_are_an_archive_of_their_own(run_spec):
    _, calls = run_spec("linux")
    files = {Path(file).relative_to(ROOT).as_posix(): place for file, place in calls["Analysis"][0][1]["datas"][:-8]}
    assert files["assets/models/student-68.tflite"] == "assets/models"
    assert files["assets/filters/_template/hat.png"] == "assets/filters/_template"
    assert files["assets/virtual_camera/send_frames.py"] == "assets/virtual_camera"
    assert not [name for name in files if "swinv2" in name or "__pycache__" in name]
    assert len(files) == len([file for file in (ROOT / "assets").rglob("*.*") if "pyc" not in file.name]) - 2


def test_macos_asks_for_the_camera_in_a_sentence(run_spec):
    names, calls = run_spec("darwin")
    ((_, options),) = calls["BUNDLE"]
    assert "camera" in options["info_plist"]["NSCameraUsageDescription"]
    assert options["version"] == names["PROJECT"]["version"]
    assert options["icon"].endswith("understudy.icns")
    assert "BUNDLE" not in run_spec("linux")[1]


def test_windows_shows_no_terminal_beside_the_window(run_spec):
    _, calls = run_spec("win32")
    assert calls["EXE"][0][1]["hide_console"] == "hide-early"
    assert calls["EXE"][0][1]["icon"].endswith("understudy.ico")


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("PySide6/Qt/plugins/platforms/libqxcb.so", True),
        ("PySide6/Qt/plugins/platforms/libqoffscreen.so", True),
        ("PySide6/Qt/plugins/platforms/libqwayland.so", True),
        ("PySide6/plugins/platforms/qwindows.dll", True),
        ("PySide6/Qt/plugins/platforms/libqcocoa.dylib", True),
        ("PySide6/Qt/plugins/imageformats/libqjpeg.so", True),
        ("PySide6/Qt/plugins/platforms/libqvnc.so", False),
        ("PySide6/Qt/plugins/imageformats/libqpdf.so", False),
        ("PySide6/Qt/plugins/platforminputcontexts/libqtvirtualkeyboardplugin.so", False),
        ("PySide6/Qt/plugins/platformthemes/libqgtk3.so", False),
        ("PySide6/Qt/plugins/sqldrivers/libqsqlite.so", False),
        ("PySide6/Qt/translations/qtbase_de.qm", False),
        ("PySide6/Qt/lib/libQt6Quick.so.6", False),
        ("PySide6/Qt6Qml.dll", False),
        ("PySide6/Qt/lib/libQt6Gui.so.6", True),
        ("ai_edge_litert/libLiteRtWebGpuAccelerator.so", False),
        ("cv2/cv2.abi3.so", True),
        ("understudy-0.1.0.dist-info/METADATA", True),
        ("understudy-0.1.0.dist-info/direct_url.json", False),
    ],
)
def test_only_what_the_program_uses_goes_in(run_spec, place, expected):
    names, _ = run_spec("linux")
    assert names["wanted"]((place, "", "BINARY")) is expected


def test_on_linux_nothing_stays_that_was_collected_for_plug_ins_left_out(run_spec, libraries, monkeypatch, tmp_path):
    needs = {"cv2.so": {"libz.so.1", "libstdc++.so.6"}, "libQt6Gui.so.6": set(), "libqxcb.so": {"libQt6Gui.so.6"}}
    monkeypatch.setattr(libraries, "is_library", lambda file: True)
    monkeypatch.setattr(libraries, "needed", lambda file: needs.get(file.name, set()))
    places = (
        "cv2/cv2.so", "libz.so.1", "libstdc++.so.6", "libgtk-3.so.0", "libpython3.11.so.1.0",
        "PySide6/Qt/lib/libQt6Gui.so.6", "PySide6/Qt/lib/libQt6Network.so.6", "PySide6/Qt/plugins/platforms/libqxcb.so",
    )  # fmt: skip
    binaries = [(place, str(tmp_path / place), "BINARY") for place in places]
    names = ("libQt6Gui.so.6", "libQt6Network.so.6")
    links = [(name, f"PySide6/Qt/lib/{name}", "SYMLINK") for name in names]
    found, _ = run_spec("linux", binaries, links)
    kept = {place for place, _, _ in found["analysis"].binaries}
    assert kept == set(places) - {"libstdc++.so.6", "libgtk-3.so.0", "PySide6/Qt/lib/libQt6Network.so.6"}
    assert found["analysis"].datas == links[:1]
